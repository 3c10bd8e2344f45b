package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"qcat/core"
	"qcat/core/identity"
	stored "qcat/persist/identity"
	"qcat/persist/migrate"
	"qcat/persist/seal"
)

// auditedFlags are those of a command that is written into the audit log and is about
// neither users nor keys.
type auditedFlags struct {
	masterFlags `embed:""`
	As          string `help:"Who does it, for the audit log. Default: the user and the machine of whoever runs the command." placeholder:"NAME"`
}

// write writes that a command was run on a database, and what came of it: after is shown
// as JSON, err is its error. It returns err, and what went wrong with writing. A database
// that is not there, or has no audit log, has nobody to tell.
func (f *auditedFlags) write(e *env, on *databaseFlags, action, target string, after any, err error) error {
	ctx := context.WithoutCancel(e.ctx)
	in, failed := f.openLog(ctx, e, on)
	if failed != nil {
		return errors.Join(err, fmt.Errorf("the audit log: %w", masterSetting(failed)))
	}
	if in == nil {
		return err
	}
	defer in.close()
	entry := identity.AuditEntry{Actor: operator(f.As), Action: action, Target: target}
	if err == nil && after != nil {
		raw, failed := json.Marshal(after)
		if failed != nil {
			return failed
		}
		entry.After = string(raw)
	}
	return in.noted(ctx, entry, err)
}

// openLog opens the audit log of a database; nil where there is none.
func (f *auditedFlags) openLog(ctx context.Context, e *env, on *databaseFlags) (in *identities, err error) {
	embedded := postgresURL(on.DatabaseURL) == ""
	if _, err := os.Stat(embeddedPath(on.DataDir)); embedded && errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	db, dialect, err := on.open(ctx)
	if err != nil {
		return nil, err
	}
	in = &identities{db: db, dialect: dialect, store: stored.New(dialect, db, core.SystemClock()), source: f.source(on.DataDir, embedded)}
	if migrate.Check(ctx, dialect, db) != nil {
		return nil, db.Close()
	}
	masters, err := mastersOf(in.store, in.source)(ctx)
	switch {
	case errors.Is(err, seal.ErrNoMaster) && !embedded:
		err = in.withoutMaster(ctx)
		if err == nil && in.log == nil {
			fmt.Fprintln(e.stderr, "qcat: this is not in the audit log: it has not begun, and there is no master key to begin it with")
			return nil, db.Close()
		}
	case err == nil:
		err = in.openLog(ctx, masters, on.DataDir, nil)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return in, nil
}

// withoutMaster opens a log that has begun; a server anchors what is written to it.
func (in *identities) withoutMaster(ctx context.Context) error {
	empty, err := in.unwritten(ctx)
	if err != nil || empty {
		return err
	}
	in.log, err = in.unanchored(ctx)
	return err
}
