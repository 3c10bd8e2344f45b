package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"

	"go.uber.org/zap"

	"qcat/api/auth"
	"qcat/api/auth/password"
	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/audit"
	stored "qcat/persist/identity"
	"qcat/persist/migrate"
	"qcat/persist/seal"
)

// anchorPurpose names the key that is derived of the master key for the anchors of the
// audit log.
const anchorPurpose = "audit anchors"

// identities are users, keys and the audit log, in the database that a command or a server
// uses.
type identities struct {
	db      *sql.DB
	dialect migrate.Dialect
	store   *stored.Store
	keys    *stored.Keys // nil: nothing is sealed or opened
	log     *audit.Log   // nil: nothing is written down
	master  *seal.Master
	source  seal.Source
	head    string
}

// identityFlags are those of a command that works on users, keys and the audit log.
type identityFlags struct {
	databaseFlags `embed:""`
	masterFlags   `embed:""`
}

// actorFlags are those of a command that changes something.
type actorFlags struct {
	identityFlags `embed:""`
	As            string `help:"Who does it, for the audit log. Default: the user and the machine of whoever runs the command." placeholder:"NAME"`
}

// operator is who runs a command, as the audit log is to name him.
func operator(as string) string {
	if as != "" {
		return as
	}
	name := userVar()
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return name + "@" + host
}

// look opens the database to read of it what is no secret.
func (f *identityFlags) look(ctx context.Context) (*identities, error) {
	db, dialect, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := migrate.Check(ctx, dialect, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &identities{db: db, dialect: dialect, store: stored.New(dialect, db, core.SystemClock())}, nil
}

// act opens the database to change what is there, with the keys for its secrets and the
// audit log.
func (f *identityFlags) act(ctx context.Context) (*identities, error) {
	in, err := f.look(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.unlock(ctx, f.source(f.DataDir, in.dialect == migrate.SQLite), f.DataDir, nil); err != nil {
		return nil, errors.Join(err, in.db.Close())
	}
	return in, nil
}

// begin is act, and makes an embedded store that is not there.
func (f *identityFlags) begin(ctx context.Context) (*identities, error) {
	if postgresURL(f.DatabaseURL) != "" {
		return f.act(ctx)
	}
	if err := makeToStay(f.DataDir); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := makeEmbedded(f.DataDir); err != nil {
		return nil, err
	}
	db, dialect, err := f.open(ctx)
	if err != nil {
		return nil, err
	}
	version, err := migrate.Version(ctx, dialect, db)
	if err == nil && version == 0 {
		_, err = migrate.Up(ctx, dialect, db)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return f.act(ctx)
}

// unlock opens the keys and the audit log with the master key of a source.
func (in *identities) unlock(ctx context.Context, from seal.Source, dataDir string, log *zap.Logger) (err error) {
	in.source = from
	masters := mastersOf(in.store, from)
	if in.keys, err = stored.OpenKeys(ctx, in.store, masters); err != nil {
		return err
	}
	all, err := masters(ctx)
	if err != nil {
		return err
	}
	in.master = all[0]
	return in.openLog(ctx, all, dataDir, log)
}

// openLog opens the audit log. Its anchors are in the data directory where that is on this
// machine; where it is not, the server anchors what is appended here. They are sealed under
// one of the master keys, which a change of it may have reached or not.
func (in *identities) openLog(ctx context.Context, masters []*seal.Master, dataDir string, log *zap.Logger) (err error) {
	in.head = filepath.Join(dataDir, audit.HeadFile)
	if _, err := os.Stat(in.head); errors.Is(err, fs.ErrNotExist) && log == nil {
		empty, err := in.unwritten(ctx)
		if err != nil {
			return err
		}
		if _, err := os.Stat(dataDir); !empty || err != nil {
			in.head = ""
		}
	}
	for _, m := range masters {
		if in.log, err = in.logUnder(ctx, m, in.head, log); err != nil || !errors.Is(in.log.Alarm(), audit.ErrHeadKey) {
			return err
		}
	}
	return nil
}

// logUnder opens the audit log with the anchors under one master key.
func (in *identities) logUnder(ctx context.Context, m *seal.Master, head string, log *zap.Logger) (*audit.Log, error) {
	return audit.Open(ctx, audit.Config{DB: in.db, Dialect: in.dialect, Log: log, Master: m.Derive(anchorPurpose), Head: head})
}

// unwritten reports whether the audit log has no entry yet.
func (in *identities) unwritten(ctx context.Context) (bool, error) {
	log, err := in.unanchored(ctx)
	if err != nil {
		return false, err
	}
	entries, err := log.Entries(ctx, identity.AuditQuery{Limit: 1})
	return len(entries) == 0, err
}

// unanchored opens the audit log to read it, and to append what others anchor.
func (in *identities) unanchored(ctx context.Context) (*audit.Log, error) {
	return audit.Open(ctx, audit.Config{DB: in.db, Dialect: in.dialect})
}

// service is what administrators do, done by a command.
func (in *identities) service() *auth.Service {
	return &auth.Service{Store: in.store, Auditor: in.log, Opener: in.keys, Clock: core.SystemClock(), Hasher: password.NewHasher(1, 1)}
}

// close closes the database.
func (in *identities) close() { _ = in.db.Close() } // every change is committed

// administer runs one change as whoever runs the command.
func (f *actorFlags) administer(e *env, change func(ctx context.Context, s *auth.Service, by auth.Principal) error) error {
	return f.administerIn(e, f.act, change)
}

func (f *actorFlags) administerIn(e *env, open func(context.Context) (*identities, error), change func(context.Context, *auth.Service, auth.Principal) error) error {
	in, err := open(e.ctx)
	if err != nil {
		return masterSetting(err)
	}
	defer in.close()
	return explained(change(e.ctx, in.service(), auth.System(operator(f.As), "cli")))
}

// masterSetting is an error of a master key as one of a setting.
func masterSetting(err error) error {
	for _, of := range []error{seal.ErrNoMaster, seal.ErrSources, seal.ErrExposed, seal.ErrMasterKey, seal.ErrMaster} {
		if errors.Is(err, of) {
			return badSetting("master-key", "%v", err)
		}
	}
	return err
}

// explained is an error of the service with its cause, which a client is not shown and
// whoever runs a command is.
func explained(err error) error {
	var refusal *auth.Error
	if !errors.As(err, &refusal) {
		return err
	}
	cause := errors.Unwrap(refusal)
	for _, plain := range []error{identity.ErrNotFound, identity.ErrExists, identity.ErrLastAdmin} {
		if errors.Is(cause, plain) {
			return errors.New(refusal.Text) // which says it all
		}
	}
	if cause != nil {
		return fmt.Errorf("%s: %w", refusal.Text, cause)
	}
	return errors.New(refusal.Text)
}
