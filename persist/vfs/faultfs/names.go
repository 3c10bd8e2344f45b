package faultfs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"qcat/persist/vfs"
)

// OpenFile opens or creates a file, of the flags O_CREATE, O_EXCL and O_TRUNC.
func (f *FS) OpenFile(name string, flag int, _ fs.FileMode) (vfs.File, error) {
	name = filepath.Clean(name)
	f.mu.Lock()
	n, there := f.names[name]
	crashed, inDir := f.crashed, f.dirs[filepath.Dir(name)]
	f.mu.Unlock()
	switch {
	case crashed:
		return nil, f.crashError("open", name)
	case there && flag&os.O_EXCL != 0 && flag&os.O_CREATE != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case !there && (flag&os.O_CREATE == 0 || !inDir):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case there && flag&os.O_TRUNC == 0:
		return &file{fs: f, inode: n, name: name}, nil
	}
	last, err := f.begin(Create, name, 0)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if there {
		f.used -= n.room()
		n.resize(0)
	} else {
		f.nextID++
		n = newInode(f.nextID, nil)
		f.names[name] = n
		f.changes = append(f.changes, change{dir: filepath.Dir(name), name: name, inode: n})
	}
	return &file{fs: f, inode: n, name: name}, f.done(last, Create, name)
}

// Rename renames a file in its directory or to another.
func (f *FS) Rename(from, to string) error {
	from, to = filepath.Clean(from), filepath.Clean(to)
	last, err := f.begin(Rename, from, 0)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	n := f.names[from]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	c := change{dir: filepath.Dir(to), name: to, inode: n, removed: from}
	c.apply(f.names)
	f.changes = append(f.changes, c)
	return f.done(last, Rename, from)
}

// Remove deletes a name.
func (f *FS) Remove(name string) error {
	name = filepath.Clean(name)
	f.mu.Lock()
	n := f.names[name]
	crashed := f.crashed
	f.mu.Unlock()
	if n == nil && !crashed {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	last, err := f.begin(Remove, name, 0)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	delete(f.names, name)
	f.used -= n.room()
	f.changes = append(f.changes, change{dir: filepath.Dir(name), name: name})
	return f.done(last, Remove, name)
}

// List returns the names in a directory.
func (f *FS) List(dir string) ([]string, error) {
	dir = filepath.Clean(dir)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return nil, f.crashError("list", dir)
	}
	if !f.dirs[dir] {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: fs.ErrNotExist}
	}
	var list []string
	for name := range f.names {
		if filepath.Dir(name) == dir {
			list = append(list, filepath.Base(name))
		}
	}
	slices.Sort(list)
	return list, nil
}

// MkdirAll makes directories; they survive every crash.
func (f *FS) MkdirAll(dir string, _ fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return f.crashError("mkdir", dir)
	}
	for dir = filepath.Clean(dir); !f.dirs[dir]; dir = filepath.Dir(dir) {
		f.dirs[dir] = true
	}
	return nil
}

// Stat returns the size of a file.
func (f *FS) Stat(name string) (int64, error) {
	name = filepath.Clean(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return 0, f.crashError("stat", name)
	}
	n := f.names[name]
	if n == nil {
		return 0, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return int64(len(n.data)), nil
}

// SyncDir makes what happened to the names in dir durable.
func (f *FS) SyncDir(dir string) error {
	dir = filepath.Clean(dir)
	last, err := f.begin(SyncDir, dir, 0)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	if last { // it may not have come through
		return f.crashError(SyncDir, dir)
	}
	var others []change
	for _, c := range f.changes {
		if c.dir == dir {
			c.apply(f.durable)
		} else {
			others = append(others, c)
		}
	}
	f.changes = others
	return nil
}

// ReadFile returns what a file reads as, for tests.
func (f *FS) ReadFile(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.names[filepath.Clean(name)]
	if n == nil {
		return nil, fmt.Errorf("faultfs: %s: %w", name, fs.ErrNotExist)
	}
	return slices.Clone(n.data), nil
}

// WriteFile sets the content of a file, durable at once, for tests.
func (f *FS) WriteFile(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = filepath.Clean(name)
	f.nextID++
	n := newInode(f.nextID, data)
	if old := f.names[name]; old != nil {
		f.used -= old.room()
	}
	f.used += n.room()
	f.dirs[filepath.Dir(name)] = true
	f.names[name], f.durable[name] = n, n
}
