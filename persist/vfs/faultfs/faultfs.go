package faultfs

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"

	"qcat/persist/vfs"
)

// ErrCrashed is wrapped by every call after the one that CrashAt names.
var ErrCrashed = errors.New("faultfs: crashed")

// FS is the file system. Use New.
type FS struct {
	mu       sync.Mutex
	dirs     map[string]bool
	names    map[string]*inode // as it reads
	durable  map[string]*inode // as it was when each directory was synced
	changes  []change          // of names since, oldest first
	capacity int64             // 0: none
	used     int64
	hook     func(Op) error
	ops      int
	kinds    map[Kind]int
	crashAt  int
	crashed  bool
	nextID   int
}

// change is one thing that happened to the names of a directory.
type change struct {
	dir     string
	name    string // gets inode, or loses its own when that is nil
	inode   *inode
	removed string // a renaming: the name that is no more
}

// Kind is what a call does.
type Kind string

// The kinds of calls that change something, and so count as an I/O.
const (
	Create   Kind = "create"
	Write    Kind = "write"
	Allocate Kind = "allocate"
	Truncate Kind = "truncate"
	Sync     Kind = "sync"
	Rename   Kind = "rename"
	Remove   Kind = "remove"
	SyncDir  Kind = "syncdir"
)

// Op is one such call.
type Op struct {
	Kind Kind
	Name string // as the file was opened
	File int    // the file itself, from 1, whatever its name; 0 when it is none
	N    int    // which of its kind, from 1
}

// New returns an empty file system.
func New() *FS {
	return &FS{dirs: map[string]bool{".": true, "/": true}, names: map[string]*inode{},
		durable: map[string]*inode{}, kinds: map[Kind]int{}}
}

var _ vfs.FS = (*FS)(nil)

// Inject has hook called before every I/O, outside the lock: an error that it
// returns is the call's, and it may block. nil injects nothing. A Sync that fails
// drops what it should have written.
func (f *FS) Inject(hook func(Op) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

// FailSync is a hook: the nth Sync and all after it fail.
func FailSync(nth int, err error) func(Op) error { return Fail(Sync, nth, err) }

// Fail is a hook: the nth call of a kind and all of it after fail.
func Fail(kind Kind, nth int, err error) func(Op) error {
	return func(op Op) error {
		if op.Kind == kind && op.N >= nth {
			return err
		}
		return nil
	}
}

// SetCapacity bounds the bytes of all files, in sectors that were ever written;
// what goes beyond fails with ENOSPC. 0 sets no bound.
func (f *FS) SetCapacity(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.capacity = bytes
}

// CrashAt makes the nth I/O from the beginning the last one: it takes place, as far
// as a crash lets it, and fails with ErrCrashed as everything after it does.
func (f *FS) CrashAt(nth int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashAt = nth
}

// Crashed reports whether the I/O that CrashAt names has come.
func (f *FS) Crashed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.crashed
}

// Ops is how many I/Os there were.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}

// Count is how many there were of a kind.
func (f *FS) Count(kind Kind) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kinds[kind]
}

// Revive takes the crash back: the process died, the machine did not. Everything
// reads as it was written, and what was not synced is still not.
func (f *FS) Revive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashed, f.crashAt = false, 0
}

// Crash returns what a power cut leaves: of everything that was not synced a part
// that follows from seed.
func (f *FS) Crash(seed uint64) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	names := maps.Clone(f.durable)
	for _, c := range f.changes {
		if r.IntN(2) == 0 {
			c.apply(names)
		}
	}
	return f.copyWith(names, func(n *inode) *inode { return n.crash(r) })
}

// Clone returns a copy of everything as it reads, all of it durable: what a crash
// of the process alone leaves.
func (f *FS) Clone() *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.copyWith(f.names, func(n *inode) *inode {
		left := newInode(n.id, n.data)
		left.blocks = maps.Clone(n.blocks)
		return left
	})
}

// copyWith makes a file system of names, and of what each does with its file.
func (f *FS) copyWith(names map[string]*inode, each func(*inode) *inode) *FS {
	left := New()
	left.dirs, left.capacity = maps.Clone(f.dirs), f.capacity
	seen := map[*inode]*inode{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		n := names[name]
		if seen[n] == nil {
			seen[n] = each(n)
			left.used += seen[n].room()
		}
		left.names[name], left.durable[name] = seen[n], seen[n]
	}
	left.nextID = f.nextID
	return left
}

func (c *change) apply(names map[string]*inode) {
	if c.removed != "" && names[c.removed] == c.inode {
		delete(names, c.removed)
	}
	if c.inode == nil {
		delete(names, c.name)
		return
	}
	names[c.name] = c.inode
}

// begin counts an I/O and says what becomes of it. The lock is held when it
// returns; last means that the call takes place and the crash follows.
func (f *FS) begin(kind Kind, name string, file int) (last bool, err error) {
	f.mu.Lock()
	if f.crashed {
		return false, f.crashError(kind, name)
	}
	f.ops++
	f.kinds[kind]++
	if last = f.ops == f.crashAt; last {
		f.crashed = true
	}
	if f.hook == nil {
		return last, nil
	}
	hook, op := f.hook, Op{kind, name, file, f.kinds[kind]}
	f.mu.Unlock()
	err = hook(op)
	f.mu.Lock()
	if err != nil {
		return last, &fs.PathError{Op: string(kind), Path: name, Err: err}
	}
	return last, nil
}

func (f *FS) crashError(kind Kind, name string) error {
	return &fs.PathError{Op: string(kind), Path: name, Err: ErrCrashed}
}

// done is the error of a call that took place.
func (f *FS) done(last bool, kind Kind, name string) error {
	if last {
		return f.crashError(kind, name)
	}
	return nil
}

// take takes room on the disk.
func (f *FS) take(bytes int64) error {
	if f.capacity > 0 && bytes > 0 && f.used+bytes > f.capacity {
		return syscall.ENOSPC
	}
	f.used += bytes
	return nil
}
