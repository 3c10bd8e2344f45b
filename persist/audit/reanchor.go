package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"qcat/core/identity"
)

// ReanchorAction is the action of the entry that Reanchor writes.
const ReanchorAction = "audit.reanchor"

// Reanchor begins a new file of anchors at the log's present end. It is what an operator
// does after having looked at what Verify found and knowing why: a restored backup, a file
// that was lost. The old file is moved aside, never deleted, and the log says by whom:
// by is the entry to write, whose Action, Target, Outcome and Before are set here, and
// whose Detail should say why.
//
// Errors: those of Audit and of the file system.
func (l *Log) Reanchor(ctx context.Context, by *identity.AuditEntry) error {
	if l.head == nil {
		return errors.New("audit: this process does not anchor")
	}
	aside, err := asideName(l.head.path, l.clock.Now().Time().Format("20060102T150405Z"))
	if err != nil {
		return err
	}
	by.Action, by.Target, by.Outcome = ReanchorAction, filepath.Base(l.head.path), "ok"
	by.Before = fmt.Sprintf(`{"anchors":%q}`, filepath.Base(aside))
	head, err := l.append(ctx, these(by))
	if err != nil {
		return err
	}
	err = l.head.locked(ctx, func() error {
		if err := os.Rename(l.head.path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("audit: anchors: %w", err)
		}
		return l.head.replace([]anchor{{link: head, time: l.clock.Now()}})
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.alarm, l.seen = nil, head.n
	l.mu.Unlock()
	return nil
}

// asideName is a name that nothing has.
func asideName(path, stamp string) (string, error) {
	name := path + "." + stamp
	for i := 2; ; i++ {
		_, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", fmt.Errorf("audit: anchors: %w", err)
		}
		name = fmt.Sprintf("%s.%s-%d", path, stamp, i)
	}
}
