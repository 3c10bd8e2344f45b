package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/migrate"
)

// Timeout bounds one append, and the anchor that follows it.
const Timeout = 5 * time.Second

// Config is what a Log is opened with.
type Config struct {
	// DB is where audit_log is; its connections may write. A commit must be on the disk
	// when it returns: sqlite.OpenDB and postgres.OpenDB see to that. Required.
	DB      *sql.DB
	Dialect migrate.Dialect
	// Master is the master key, of which the key of the anchors is derived. Required
	// with Head.
	Master []byte
	// Head is the file of the anchors, HeadFile in the data directory; "" if this process
	// does not anchor.
	Head string

	Clock core.Clock  // nil: the machine's
	Log   *zap.Logger // nil: none
}

// Log is the audit log. Any goroutine.
type Log struct {
	db    *sql.DB
	sql   dialect
	head  *headFile // nil: this process does not anchor
	clock core.Clock
	log   *zap.Logger

	mu    sync.Mutex
	alarm error
	seen  int64 // the highest n that this process saw committed
}

var _ identity.Auditor = (*Log)(nil)

// Errors.
var (
	// ErrUnsure is wrapped when the answer to a COMMIT was lost and what became of it
	// could not be found out within Timeout: the entry may be there or not.
	ErrUnsure = errors.New("the audit entry may or may not be there")
	// ErrShrunk is the alarm that the log has fewer entries than it had before.
	ErrShrunk = errors.New("the audit log lost entries")
)

// Open opens the audit log of a database that has the schema. The first process to open a
// log without entries begins the file of its anchors; a file that is missing when there
// are entries is not made, because it may have been removed: Alarm says so, and Verify.
//
// Errors: those of the database and of the file system.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	d, ok := dialects[cfg.Dialect]
	if !ok {
		return nil, fmt.Errorf("audit: dialect %d", cfg.Dialect)
	}
	l := &Log{db: cfg.DB, sql: d, clock: cfg.Clock, log: cfg.Log}
	if l.clock == nil {
		l.clock = core.SystemClock()
	}
	if l.log == nil {
		l.log = zap.NewNop()
	}
	if cfg.Head == "" {
		return l, nil
	}
	key, err := anchorKey(cfg.Master)
	if err != nil {
		return nil, err
	}
	l.head = newHeadFile(cfg.Head, key)
	l.setAlarm(l.head.begin(ctx, l.clock.Now(), func() (int64, error) {
		head, err := l.end(ctx)
		return head.n, err
	}))
	if err := l.Alarm(); err != nil && !tampered(err) {
		return nil, err
	}
	return l, nil
}

// end reads the end of the chain without locking it.
func (l *Log) end(ctx context.Context) (link, error) {
	return scanLink(l.db.QueryRowContext(ctx, "SELECT n, hash FROM audit_head"))
}

// Audit implements identity.Auditor: when it returns nil, the entry is on the database's
// disk and, unless Alarm says otherwise, anchored. e's texts are stored cleaned and
// bounded, and left as they are in e.
//
// Errors: those of the database, ErrUnsure among them.
func (l *Log) Audit(ctx context.Context, e *identity.AuditEntry) error {
	return l.auditAll(ctx, e)
}

// auditAll appends entries in one transaction and anchors the last.
func (l *Log) auditAll(ctx context.Context, entries ...*identity.AuditEntry) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	head, err := l.append(ctx, these(entries...))
	if err != nil {
		return err
	}
	l.anchor(ctx, head)
	return nil
}

// anchor writes down that the chain ended there, or raises the alarm. The entry is
// committed: what ends the caller's wait does not end this.
func (l *Log) anchor(ctx context.Context, head link) {
	l.mu.Lock()
	l.seen = max(l.seen, head.n)
	l.mu.Unlock()
	if l.head == nil || head.n == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	l.setAlarm(l.head.add(ctx, anchor{link: head, time: l.clock.Now()}))
}

// Anchor anchors what others have appended: a server calls it now and then when commands
// elsewhere append to the same database. Errors: the database's; those of Alarm.
func (l *Log) Anchor(ctx context.Context) error {
	seen := l.lastSeen() // first: meanwhile others append
	head, err := l.end(ctx)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if err := l.shrunk(head, seen); err != nil {
		return err
	}
	l.anchor(ctx, head)
	return l.Alarm()
}

func (l *Log) lastSeen() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// shrunk reports whether the log has fewer entries than this process had seen before, and
// raises the alarm then.
func (l *Log) shrunk(head link, seen int64) error {
	if head.n >= seen {
		return nil
	}
	err := fmt.Errorf("%w: it ends at %d, and ended at %d before", ErrShrunk, head.n, seen)
	l.setAlarm(err)
	return err
}

// Alarm is nil while anchors are written as they should be, and otherwise says what is
// wrong. ErrShrunk stays; the others end with the next anchor that can be written.
func (l *Log) Alarm() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.alarm
}

func (l *Log) setAlarm(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.alarm, ErrShrunk) {
		return
	}
	switch {
	case err != nil && (l.alarm == nil || l.alarm.Error() != err.Error()):
		l.log.Error("audit log: not anchored", zap.Error(err))
	case err == nil && l.alarm != nil:
		l.log.Info("audit log: anchored again")
	}
	l.alarm = err
}
