package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"qcat/persist/vfs"
)

// files is the directory of a log, and which of the files in it are the log's.
type files struct {
	fs   vfs.FS
	dir  string
	name string
}

const filePerm = 0o640

// path is where a file lies.
func (f *files) path(file string) string { return filepath.Join(f.dir, file) }

// open opens a file for reading.
func (f *files) open(file string) (vfs.File, error) {
	return f.fs.OpenFile(f.path(file), os.O_RDONLY, 0)
}

// openToWrite opens a file that is there.
func (f *files) openToWrite(file string) (vfs.File, error) {
	return f.fs.OpenFile(f.path(file), os.O_RDWR, 0)
}

// create makes a file, in the place of one that may be there.
func (f *files) create(file string) (vfs.File, error) {
	return f.fs.OpenFile(f.path(file), os.O_RDWR|os.O_CREATE|os.O_TRUNC, filePerm)
}

// remove deletes a file so that it stays deleted.
func (f *files) remove(file string) error {
	if err := f.fs.Remove(f.path(file)); err != nil {
		return err
	}
	return f.fs.SyncDir(f.dir)
}

// rename gives a file its name so that it keeps it.
func (f *files) rename(from, to string) error {
	if err := f.fs.Rename(f.path(from), f.path(to)); err != nil {
		return err
	}
	return f.fs.SyncDir(f.dir)
}

// segments lists the indexes of the segments' files, ascending.
func (f *files) segments() ([]uint64, error) {
	names, err := f.fs.List(f.dir)
	if err != nil {
		return nil, err
	}
	var list []uint64
	for _, file := range names {
		if index, ok := fileIndex(f.name, file); ok {
			list = append(list, index)
		}
	}
	slices.Sort(list)
	return list, nil
}

// someSegments is segments, and ErrNone when there are none.
func (f *files) someSegments() ([]uint64, error) {
	list, err := f.segments()
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(list) == 0) {
		return nil, fmt.Errorf("%w: %s in %s", ErrNone, f.name, f.dir)
	}
	return list, err
}
