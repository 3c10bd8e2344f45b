package backup

import (
	"archive/tar"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"qcat/persist/audit"
	"qcat/persist/journal"
	"qcat/persist/snapshot"
	"qcat/persist/vfs"
)

// extract unpacks the archive of a backup into an empty folder and checks every
// record and every snapshot that it finds there against the manifest.
//
// Errors: ErrIncomplete, ErrDamaged; the file system's.
func extract(ctx context.Context, dir string, m *Manifest, into string, tell func(done, total int64)) error {
	src, err := open(filepath.Join(dir, m.Data.Name), m.Data.SHA256, tell)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // only read
	if err := unpack(ctx, src, into); err != nil {
		return err
	}
	if err := src.drain(); err != nil {
		return err
	}
	return checkData(m, into)
}

// unpack writes the files of a tar. Nothing but plain files of the two folders, and the
// anchors of the audit log, is taken.
func unpack(ctx context.Context, src *source, into string) error {
	for _, folder := range []string{journalDir, snapshotDir} {
		if err := os.MkdirAll(filepath.Join(into, folder), 0o750); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
	}
	tr := tar.NewReader(reader{ctx, src})
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return tarError(ctx, src, err)
		}
		folder, base := path.Split(h.Name)
		folder = strings.TrimSuffix(folder, "/")
		known := folder == journalDir || folder == snapshotDir || h.Name == audit.HeadFile
		if h.Typeflag != tar.TypeReg || !known || base == "" || strings.HasPrefix(base, ".") {
			return src.damaged(fmt.Errorf("%q does not belong into an archive", h.Name))
		}
		if err := writeFile(filepath.Join(into, folder, base), tr, h.Size); err != nil {
			return tarError(ctx, src, err)
		}
	}
	return errors.Join(syncDir(filepath.Join(into, journalDir)), syncDir(filepath.Join(into, snapshotDir)), syncDir(into))
}

// tarError tells damage from errors of the file system and the end of ctx.
func tarError(ctx context.Context, src *source, err error) error {
	var disk *os.PathError
	if errors.Is(err, ErrDamaged) || errors.As(err, &disk) || ctx.Err() != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return src.damaged(err)
}

// writeFile writes a file of n bytes and syncs it.
func writeFile(name string, r io.Reader, n int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // as the store makes its files
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, r, n)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// checkData holds what was unpacked against the manifest.
func checkData(m *Manifest, into string) error {
	damaged := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, m.Data.Name, fmt.Errorf(format, args...))
	}
	report, err := journal.Verify(vfs.OS{}, filepath.Join(into, journalDir), journalName)
	if err != nil {
		return damaged("%w", err)
	}
	if got := hex.EncodeToString(report.ID[:]); got != m.Data.Log || report.First != m.Data.First || report.Last != m.Data.Last || len(report.Torn) > 0 {
		return damaged("it holds records %d to %d of journal %s instead of %d to %d of %s",
			report.First, report.Last, got, m.Data.First, m.Data.Last, m.Data.Log)
	}
	snapshots, err := snapshot.List(vfs.OS{}, filepath.Join(into, snapshotDir))
	if err != nil {
		return damaged("%w", err)
	}
	for i := range snapshots {
		_, _, snapshots[i].Err = snapshot.Load(vfs.OS{}, snapshots[i].Path)
	}
	if !reachable(report.ID, report.First, report.Last, snapshots) {
		return damaged("the journal begins at record %d and no sound snapshot reaches it", report.First)
	}
	if err := m.covers(); err != nil {
		return damaged("%w", err)
	}
	return nil
}
