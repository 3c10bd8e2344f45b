package snapshot

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"

	"qcat/persist/vfs"
)

// List returns the snapshots of a directory by their headers, newest first. One
// whose header cannot be read stands among them with its error. A directory that
// is not there has none.
func List(fsys vfs.FS, dir string) ([]Entry, error) {
	names, err := fsys.List(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	var entries []Entry
	for _, name := range slices.Backward(names) { // equal in length: sorted by sequence
		if seq, ok := parseName(name); ok {
			entries = append(entries, readEntry(fsys, filepath.Join(dir, name), seq))
		}
	}
	return entries, nil
}

func readEntry(fsys vfs.FS, path string, seq uint64) Entry {
	e := Entry{Path: path}
	f, h, size, err := open(fsys, path)
	if err == nil {
		err = f.Close()
	}
	e.Meta, e.Bytes, e.Err = h.meta, size, err
	if e.Err != nil {
		e.Meta = Meta{Seq: seq}
	}
	return e
}

// open opens a snapshot and reads its header, which must be that of its name and
// of its length. On an error the file is closed.
func open(fsys vfs.FS, path string) (f vfs.File, h header, size int64, err error) {
	if f, err = fsys.OpenFile(path, os.O_RDONLY, 0); err != nil {
		return nil, h, 0, fmt.Errorf("snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // it was only read
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	if size, err = f.Size(); err != nil {
		return f, h, size, err
	}
	b := make([]byte, min(size, headerLen))
	if err = readFull(f, b, 0); err != nil {
		return f, h, size, err
	}
	if h, err = parseHeader(b); err != nil {
		return f, h, size, err
	}
	switch seq, named := parseName(filepath.Base(path)); {
	case named && seq != h.meta.Seq:
		err = fmt.Errorf("%w: it is of record %d", ErrDamaged, h.meta.Seq)
	case uint64(size) != headerLen+h.stored:
		err = fmt.Errorf("%w: %d bytes instead of %d", ErrDamaged, size, headerLen+h.stored)
	}
	return f, h, size, err
}

func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) || err == nil {
		return fmt.Errorf("%w: it ends at offset %d", ErrDamaged, off+int64(n))
	}
	return err
}

// Load reads a snapshot and checks every bit of it.
//
// Errors: ErrDamaged, ErrVersion, ErrTooLarge with the file; the file system's.
func Load(fsys vfs.FS, path string) (Meta, []byte, error) {
	f, h, _, err := open(fsys, path)
	if err != nil {
		return Meta{}, nil, err
	}
	payload, err := h.read(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return Meta{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	return h.meta, payload, nil
}

// Oldest returns of which record the oldest sound snapshot of a log is, 0 when there
// is none: a start may need the records behind it, should newer ones be damaged, and
// never those before it. What it finds stays: the directory is synced first.
//
// Errors: the file system's.
func Oldest(fsys vfs.FS, dir string, log [16]byte) (seq uint64, err error) {
	if err := fsys.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	entries, err := List(fsys, dir)
	if err != nil {
		return 0, err
	}
	for i := range slices.Backward(entries) {
		if e := &entries[i]; e.Err == nil && e.Log == log && check(fsys, e.Path) == nil {
			return e.Seq, nil
		}
	}
	return 0, nil
}

// check reads a snapshot as far as its checksums, in little memory.
//
// Errors: those of Load.
func check(fsys vfs.FS, path string) error {
	f, h, _, err := open(fsys, path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	sum := crc32.New(castagnoli)
	if _, err := io.Copy(sum, io.NewSectionReader(f, headerLen, int64(h.stored))); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if sum.Sum32() != h.crc {
		return fmt.Errorf("%s: %w: offset %d: checksum of the payload", path, ErrDamaged, headerLen)
	}
	return nil
}

// minMemory is more than the window that the encoder asks for.
const minMemory = 16 << 20

// read reads the payload behind the header. The file is as long as the header
// says, which open has seen.
func (h *header) read(f io.ReaderAt) ([]byte, error) {
	stored := make([]byte, h.stored)
	if err := readFull(f, stored, headerLen); err != nil {
		return nil, err
	}
	if checksum(stored) != h.crc {
		return nil, fmt.Errorf("%w: offset %d: checksum of the payload", ErrDamaged, headerLen)
	}
	if h.encoding == encodingPlain {
		return stored, nil
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(max(h.length, minMemory)))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	payload, err := dec.DecodeAll(stored, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: offset %d: %w", ErrDamaged, headerLen, err)
	}
	if uint64(len(payload)) != h.length {
		return nil, fmt.Errorf("%w: offset 76: %d bytes instead of %d", ErrDamaged, len(payload), h.length)
	}
	return payload, nil
}

// Newest loads the newest sound snapshot of a log that is of record notAfter or
// before. skipped tells of those it passed over: damaged ones, those of another
// log, and those of records that the log does not have.
//
// Errors: ErrNone when there is none to use; the file system's when the directory
// cannot be read.
func Newest(fsys vfs.FS, dir string, log [16]byte, notAfter uint64) (m Meta, payload []byte, skipped []error, err error) {
	entries, err := List(fsys, dir)
	if err != nil {
		return Meta{}, nil, nil, err
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Err != nil:
			skipped = append(skipped, e.Err)
			continue
		case e.Log != log:
			skipped = append(skipped, fmt.Errorf("%s: %w: %x", e.Path, ErrOtherLog, e.Log))
			continue
		case e.Seq > notAfter:
			skipped = append(skipped, fmt.Errorf("%s: %w, which ends at record %d", e.Path, ErrAhead, notAfter))
			continue
		}
		if m, payload, err = Load(fsys, e.Path); err == nil {
			return m, payload, skipped, nil
		}
		skipped = append(skipped, err)
	}
	return Meta{}, nil, skipped, fmt.Errorf("%w in %s", ErrNone, dir)
}
