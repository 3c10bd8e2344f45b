package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/api/auth"
	"qcat/api/auth/password"
	"qcat/core/identity"
	"qcat/persist/audit"
	stored "qcat/persist/identity"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/sqlite"
)

// guard is who may do what in a running server: users, keys, sessions and the audit log. A
// database that is away at the start does not stop it: nobody is known until it is there.
type guard struct {
	cfg *serveCmd
	log *zap.Logger

	in        *identities // its keys and log belong to whoever opens
	opened    atomic.Pointer[vault]
	failure   atomic.Pointer[string] // why it is not open
	admin     firstAdmin
	settings  []setting
	file      string // digest of the configuration
	ledger    *ledger
	recorder  *audit.Recorder
	directory *auth.Directory
	gate      *auth.Gate
	service   *auth.Service
}

// vault is what is there once the database has been reached.
type vault struct {
	keys   *stored.Keys
	log    *audit.Log
	follow *audit.Follower
}

// errNotOpen is the answer of the guard's parts until the database has been reached.
var errNotOpen = errors.New("users and keys have not been read yet")

// Times of the guard: between two looks at a database that is away, and between two times
// that the audit log is brought up to date with the journal and anchored.
const (
	guardRetry = time.Second
	guardTick  = time.Second
)

// buildGuard opens the identities. A demo has none, and asks nobody.
func (s *server) buildGuard(ctx context.Context) error {
	admin := takeFirstAdmin()
	if s.cfg.Demo {
		return nil
	}
	g := &guard{cfg: s.cfg, log: s.log.Named("identity"), admin: admin, settings: s.settings, file: s.file}
	if err := g.connect(ctx, s); err != nil {
		return err
	}
	switch err := g.open(ctx); {
	case err == nil:
	case g.in.dialect == migrate.SQLite, !errors.Is(err, errAway), ctx.Err() != nil:
		return errors.Join(masterSetting(err), g.close())
	default:
		g.log.Error("the database with users and keys is away: nobody is known until it is there", zap.Error(err))
	}
	s.guard = g // whose close is the server's from here on
	return g.assemble(ctx, s)
}

// connect names the database, without reaching it.
func (g *guard) connect(ctx context.Context, s *server) (err error) {
	in := &identities{source: g.cfg.source(g.cfg.DataDir, true), dialect: migrate.SQLite}
	if url := postgresURL(g.cfg.DatabaseURL); url != "" {
		in.source, in.dialect = g.cfg.source(g.cfg.DataDir, false), migrate.Postgres
		if in.db, err = postgres.NewDB(url); err != nil {
			return badSetting("database-url", "%v", err)
		}
		if _, err := in.source.Load(ctx); err != nil {
			return errors.Join(masterSetting(err), in.db.Close())
		}
	} else if in.db, err = sqlite.OpenDB(ctx, embeddedPath(g.cfg.DataDir)); err != nil {
		return err
	}
	in.store = stored.New(in.dialect, in.db, s.clock)
	g.in = in
	queued, err := audit.Open(ctx, audit.Config{DB: in.db, Dialect: in.dialect, Clock: s.clock, Log: g.log})
	if err != nil {
		return errors.Join(err, in.db.Close())
	}
	g.recorder = audit.NewRecorder(queued, 0) // anchored by the next keepUp
	return nil
}

// errAway is wrapped when the database cannot be reached.
var errAway = errors.New("the database is away")

// open reaches the database and opens what is in it.
func (g *guard) open(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			why := err.Error()
			g.failure.Store(&why)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := g.in.db.PingContext(ctx); err != nil {
		return fmt.Errorf("%w: %w", errAway, err)
	}
	if err := migrate.Check(ctx, g.in.dialect, g.in.db); err != nil {
		return err
	}
	if err := g.in.unlock(ctx, g.in.source, g.cfg.DataDir, g.log); err != nil {
		return err
	}
	g.opened.Store(&vault{keys: g.in.keys, log: g.in.log, follow: audit.NewFollower(g.in.log)})
	g.failure.Store(nil)
	return nil
}

// assemble makes what decides, and begins it if the database is there.
func (g *guard) assemble(ctx context.Context, s *server) (err error) {
	g.ledger = &ledger{guard: g}
	store := &lateIdentities{Store: g.in.store, ready: func() bool { return g.opened.Load() != nil }}
	if g.directory, err = auth.OpenDirectory(ctx, store, g, s.clock, g.log); err != nil {
		return err
	}
	hasher := password.NewHasher(2, 16)
	if g.gate, err = auth.NewGate(auth.Config{Directory: g.directory, Auditor: g.ledger, Hasher: hasher}); err != nil {
		return err
	}
	g.service = &auth.Service{Store: store, Auditor: g.ledger, Opener: g, Clock: s.clock, Hasher: hasher, Directory: g.directory, Gate: g.gate}
	if g.opened.Load() == nil {
		return nil
	}
	return g.begin(ctx, s)
}

// begin does what a start does once: a signing key, a first administrator, an entry that
// says with which settings.
func (g *guard) begin(ctx context.Context, s *server) error {
	if err := g.anchorNew(ctx, s); err != nil {
		return err
	}
	if err := g.service.EnsureSigningKey(ctx); err != nil {
		return explained(err)
	}
	if err := g.admin.create(ctx, g.service, g.log); err != nil {
		return err
	}
	return g.noteStart(ctx)
}

// anchorNew begins the anchors in a data directory that is new: the log may have entries of
// commands that were run elsewhere. In one that is not new they have been removed, and
// nobody but a person may accept that.
func (g *guard) anchorNew(ctx context.Context, s *server) error {
	v := g.opened.Load()
	if s.journal.Opened().Last != 0 || !errors.Is(v.log.Alarm(), audit.ErrNoHead) {
		return nil
	}
	return v.log.Reanchor(ctx, &identity.AuditEntry{Actor: "system", Via: "cli", Detail: "a new data directory"})
}

// Seal implements auth.Opener.
func (g *guard) Seal(ctx context.Context, table, row string, secret []byte) (identity.Sealed, error) {
	v := g.opened.Load()
	if v == nil {
		return nil, errNotOpen
	}
	return v.keys.Seal(ctx, table, row, secret)
}

// Open implements auth.Opener.
func (g *guard) Open(ctx context.Context, table, row string, sealed identity.Sealed) ([]byte, error) {
	v := g.opened.Load()
	if v == nil {
		return nil, errNotOpen
	}
	return v.keys.Open(ctx, table, row, sealed)
}

// lateIdentities is the store of identities, which is empty until the database has been
// reached for the first time.
type lateIdentities struct {
	*stored.Store
	ready func() bool
	asked atomic.Bool
}

// Load implements identity.Store.
func (l *lateIdentities) Load(ctx context.Context) (*identity.Everything, error) {
	if l.ready() {
		return l.Store.Load(ctx)
	}
	if l.asked.Swap(true) {
		return nil, errNotOpen
	}
	// With a user that nobody can be: nobody is to be told that there is none.
	return &identity.Everything{Version: -1, Users: []identity.User{{Disabled: true}}}, nil
}

// run keeps everything up to date until ctx is done.
func (g *guard) run(ctx context.Context, s *server) {
	for g.opened.Load() == nil {
		if !sleep(ctx, guardRetry) {
			return
		}
		if g.open(ctx) == nil {
			g.late(ctx, s)
		}
	}
	tick := time.NewTicker(guardTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.keepUp(ctx)
		}
	}
}

// late takes over what a start found away.
func (g *guard) late(ctx context.Context, s *server) {
	if err := errors.Join(g.directory.Refresh(ctx), g.begin(ctx, s)); err != nil {
		g.log.Error("users and keys are not complete", zap.Error(err))
		return
	}
	g.log.Info("users and keys are read")
}

// keepUp copies what the journal says into the audit log and anchors what commands
// elsewhere appended.
func (g *guard) keepUp(ctx context.Context) {
	v := g.opened.Load()
	_, err := v.follow.Follow(ctx)
	if err == nil {
		err = v.log.Anchor(ctx)
	}
	if errors.Is(err, audit.ErrHeadKey) {
		err = g.newMaster(ctx)
	}
	g.ledger.keptUp(err)
}

// newMaster opens the audit log under a master key that was changed by a command.
func (g *guard) newMaster(ctx context.Context) error {
	masters, err := mastersOf(g.in.store, g.in.source)(ctx)
	if err != nil {
		return err
	}
	if err := g.in.openLog(ctx, masters, g.cfg.DataDir, g.log); err != nil {
		return err
	}
	if err := g.in.log.Alarm(); err != nil {
		return err
	}
	was := g.opened.Load()
	g.opened.Store(&vault{keys: was.keys, log: g.in.log, follow: audit.NewFollower(g.in.log)})
	g.log.Info("the audit log is anchored under another master key")
	return nil
}

// finish writes what is queued and brings the audit log up to date for the last time.
func (g *guard) finish(ctx context.Context) {
	if err := g.recorder.Close(ctx); err != nil {
		g.log.Error("entries of the audit log are lost", zap.Error(err))
	}
	if g.opened.Load() != nil {
		g.keepUp(ctx)
	}
}

// close closes the database. What finish has not waited for is lost.
func (g *guard) close() error {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	return errors.Join(g.recorder.Close(gone), g.in.db.Close())
}
