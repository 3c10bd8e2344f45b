package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"qcat/core"
	"qcat/persist/vfs"
)

// headFile is the file of the anchors. Any goroutine, and any process: who changes it
// holds the lock of a file beside it.
type headFile struct {
	path string
	key  headKey
	turn chan struct{} // of this process; has one token
}

func newHeadFile(path string, key headKey) *headFile {
	f := &headFile{path: path, key: key, turn: make(chan struct{}, 1)}
	f.turn <- struct{}{}
	return f
}

// lockEvery is how often the lock is tried while another process has it.
const lockEvery = 2 * time.Millisecond

// locked runs f while no other goroutine or process changes the file.
func (f *headFile) locked(ctx context.Context, do func() error) error {
	select {
	case <-f.turn:
		defer func() { f.turn <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("audit: anchors: %w", ctx.Err())
	}
	for {
		l, err := vfs.TryLock(f.path+".lock", 0o600)
		if err == nil {
			return errors.Join(do(), l.Unlock())
		}
		if !errors.Is(err, vfs.ErrHeld) {
			return fmt.Errorf("audit: anchors: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("audit: anchors: %w: %w", err, ctx.Err())
		case <-time.After(lockEvery):
		}
	}
}

// begin makes the file of a log without entries, unless it is there, and checks it if it
// is. entries says how many there are.
//
// Errors: ErrNoHead, ErrHeadBroken, ErrHeadKey, ErrShrunk; those of entries and of the file system.
func (f *headFile) begin(ctx context.Context, now core.Nanos, entries func() (int64, error)) error {
	return f.locked(ctx, func() error {
		h, err := f.load()
		if err == nil {
			return h.err()
		}
		if !errors.Is(err, ErrNoHead) {
			return err
		}
		n, failed := entries()
		if failed != nil {
			return failed
		}
		if n > 0 {
			return err
		}
		return f.replace([]anchor{{time: now}})
	})
}

// add writes an anchor behind those that are there, and is done without a write when
// somebody has anchored a later entry.
//
// Errors: ErrNoHead, ErrHeadBroken, ErrHeadKey, ErrRewritten, and then nothing is
// written; those of the file system.
func (f *headFile) add(ctx context.Context, a anchor) error {
	return f.locked(ctx, func() error { return f.write(a) })
}

// write is add in its turn.
func (f *headFile) write(a anchor) error {
	h, err := f.load()
	if err == nil {
		err = h.err()
	}
	if err != nil {
		return err
	}
	last := h.anchors[len(h.anchors)-1]
	switch {
	case last.n == a.n && last.hash != a.hash:
		return fmt.Errorf("%w: entry %d", ErrRewritten, a.n)
	case last.n >= a.n:
		return nil
	case len(h.anchors) >= maxAnchors:
		return f.replace(append(thin(h.anchors), a))
	}
	return f.extend(&h, a)
}

// load reads and checks the whole file: a few milliseconds at its largest.
func (f *headFile) load() (h heads, err error) {
	b, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, fmt.Errorf("%w: %s", ErrNoHead, f.path)
	}
	if err != nil {
		return h, fmt.Errorf("audit: anchors: %w", err)
	}
	return parseHeads(b, &f.key)
}

// extend writes one line over whatever a crash left behind the last whole one.
func (f *headFile) extend(h *heads, a anchor) error {
	file, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("audit: anchors: %w", err)
	}
	err = file.Truncate(int64(h.size))
	if err == nil {
		_, err = file.WriteAt(appendLine(nil, a, f.key.seal(h.last, a)), int64(h.size))
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("audit: anchors: %w", err)
	}
	return nil
}

// replace writes the file as a whole: a crash leaves the old one or the new one.
func (f *headFile) replace(anchors []anchor) error {
	if err := replaceFile(f.path, render(&f.key, anchors)); err != nil {
		return fmt.Errorf("audit: anchors: %w", err)
	}
	return nil
}

func replaceFile(path string, content []byte) (err error) {
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return vfs.OS{}.SyncDir(filepath.Dir(path))
}

// Rekey seals a file of anchors with a new master key. It can be killed at any point and
// called again: a file that is sealed with the new key is left as it is. A process that
// has the old key cannot anchor afterwards, until it is started with the new one.
//
// Errors: ErrNoHead, ErrHeadBroken, ErrHeadKey if the file's key is neither; the file
// system's.
func Rekey(ctx context.Context, path string, from, to []byte) error {
	was, err := anchorKey(from)
	if err != nil {
		return err
	}
	is, err := anchorKey(to)
	if err != nil {
		return err
	}
	f := newHeadFile(path, is)
	return f.locked(ctx, func() error {
		h, err := f.load()
		if err == nil {
			return h.err()
		}
		if !errors.Is(err, ErrHeadKey) {
			return err
		}
		old := newHeadFile(path, was)
		if h, err = old.load(); err == nil {
			err = h.err()
		}
		if err != nil {
			return err
		}
		return f.replace(h.anchors)
	})
}
