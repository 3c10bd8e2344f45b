package seal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// MakeFile writes a new random master key to a file that its owner alone may read, and
// that is not there. It is whole from its first moment on, and survives a power cut once
// this returns. Of several at once one makes it.
//
// Errors: fs.ErrExist; the file system's.
func MakeFile(path string) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	text := newMasterText()
	defer clear(text)
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	if err := os.Link(f.Name(), path); err != nil { // unlike a rename it replaces nothing
		return fmt.Errorf("master key: %w", err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	return nil
}
