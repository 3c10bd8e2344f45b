package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"qcat/persist/vfs"
)

// Write makes the snapshot of m.Seq in dir, which it makes when there is none, and
// returns its path and length. It has its name once its bytes are synced, and is
// there after a power cut once Write has returned. One of the same sequence is
// replaced.
//
// Errors: ErrTooLarge; the file system's. Nothing but a temporary file is then
// left of it, at most.
func Write(fsys vfs.FS, dir string, m Meta, payload []byte) (path string, bytes int64, err error) {
	path = filepath.Join(dir, fileName(m.Seq))
	if len(payload) > MaxPayload {
		return "", 0, fmt.Errorf("%w: %s: %d bytes", ErrTooLarge, path, len(payload))
	}
	if err := makeDir(fsys, dir); err != nil {
		return "", 0, fmt.Errorf("snapshot: %w", err)
	}
	h := header{meta: m, length: uint64(len(payload))}
	stored, err := h.encode(payload)
	if err != nil {
		return "", 0, fmt.Errorf("snapshot: %s: %w", path, err)
	}
	tmp := filepath.Join(dir, fmt.Sprintf("%s%0*d%s", prefix, seqDigits, m.Seq, tmpSuffix))
	if err := writeFile(fsys, tmp, h.append(nil), stored); err != nil {
		_ = fsys.Remove(tmp) // it would only be in the way; Prune tries again
		return "", 0, fmt.Errorf("snapshot: %w", err)
	}
	if err = fsys.Rename(tmp, path); err == nil {
		err = fsys.SyncDir(dir)
	}
	if err != nil {
		return "", 0, fmt.Errorf("snapshot: %w", err)
	}
	return path, int64(headerLen + len(stored)), nil
}

// makeDir makes the directory if there is none, to stay.
func makeDir(fsys vfs.FS, dir string) error {
	_, err := fsys.List(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return fsys.SyncDir(filepath.Dir(dir))
}

// encode returns the payload as it is stored and says so in h: compressed unless
// that is of no use. The fastest level: the bytes are mostly zeros and repetition,
// and the processor belongs to others.
func (h *header) encode(payload []byte) ([]byte, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	stored := enc.EncodeAll(payload, make([]byte, 0, len(payload)/4))
	if err := enc.Close(); err != nil {
		return nil, err
	}
	h.encoding = encodingZstd
	if len(stored) >= len(payload) {
		h.encoding, stored = encodingPlain, payload
	}
	h.stored, h.crc = uint64(len(stored)), checksum(stored)
	return stored, nil
}

// writeFile makes a file of the parts, synced.
func writeFile(fsys vfs.FS, name string, parts ...[]byte) error {
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteV(parts, 0)
	if err == nil {
		err = f.Datasync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
