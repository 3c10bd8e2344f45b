package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Checked is what Verify found in order.
type Checked struct {
	Manifest *Manifest     `json:"manifest"`
	Took     time.Duration `json:"took_ns"`
}

// Verify checks everything about a backup that can be checked without a database: that
// all files are there, their checksums and those beside them, every record of the
// journal and every snapshot, and that the journal covers the database's rows. It
// unpacks the archive into a temporary folder beside it, and notes in the folder that the
// backup was verified, which List tells.
//
// Errors: ErrIncomplete, ErrDamaged; the file system's.
func Verify(ctx context.Context, dir, name string) (*Checked, error) {
	began := time.Now()
	m, err := ReadManifest(dir, name)
	if err != nil {
		return nil, err
	}
	if _, err := m.digest(); err != nil {
		return nil, err
	}
	if err := checkSumFile(dir, &m.Dump); err != nil {
		return nil, err
	}
	dump, err := open(filepath.Join(dir, m.Dump.Name), m.Dump.SHA256, nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, reader{ctx, dump})
	if err = errors.Join(err, dump.Close()); err != nil {
		return nil, err
	}
	if m.Data != nil {
		if err := verifyData(ctx, dir, m); err != nil {
			return nil, err
		}
	}
	if err := putMark(dir, name, time.Now()); err != nil {
		return nil, err
	}
	return &Checked{Manifest: m, Took: time.Since(began)}, nil
}

func verifyData(ctx context.Context, dir string, m *Manifest) error {
	if err := checkSumFile(dir, &m.Data.File); err != nil {
		return err
	}
	into, err := os.MkdirTemp(dir, ".verify-")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(extract(ctx, dir, m, into, nil), os.RemoveAll(into))
}

// checkSumFile holds the checksum beside a file against the manifest's.
func checkSumFile(dir string, f *File) error {
	path := filepath.Join(dir, f.Name+sumSuffix)
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: the checksum %s is missing", ErrIncomplete, path)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if sum, _, _ := strings.Cut(string(raw), " "); sum != f.SHA256 {
		return fmt.Errorf("%w: %s says %q and the manifest %q", ErrDamaged, path, sum, f.SHA256)
	}
	return nil
}
