package audit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"qcat/core/identity"
	"qcat/persist/migrate"
)

// dialect is what the databases do differently.
type dialect struct {
	begin string
	lock  string // locks the end of the chain, if begin has not, and reads it
	move  string // moves the head; "" where a trigger does
}

var dialects = map[migrate.Dialect]dialect{
	// Whoever waited for the row must then see it as it was left.
	migrate.Postgres: {"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "SELECT n, hash FROM qcat_audit_head()", ""},
	migrate.SQLite:   {"BEGIN IMMEDIATE", "SELECT n, hash FROM audit_head", "UPDATE audit_head SET n = $1, hash = $2"},
}

// columns are those of audit_log; numbers first, then texts, then hashes.
var columns = func() string {
	names := []string{"n", "time_ns", "journal_seq"}
	for i := range texts {
		names = append(names, texts[i].column)
	}
	return strings.Join(append(names, "prev", "hash"), ", ")
}()

var insertSQL = func() string {
	marks := make([]string, strings.Count(columns, ",")+1)
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	return "INSERT INTO audit_log (" + columns + ") VALUES (" + strings.Join(marks, ", ") + ")"
}()

// append adds the entries that next returns, in one transaction that holds the end of the
// chain meanwhile, and returns where it ends then: the zero link if there were none. When
// it is committed, the entries have their N and Time.
func (l *Log) append(ctx context.Context, next func(context.Context, *sql.Conn) ([]*identity.AuditEntry, error)) (link, error) {
	var entries []*identity.AuditEntry
	var stored []identity.AuditEntry
	var head link
	sent, err := l.locked(ctx, func(c *sql.Conn, from link) (err error) {
		_ = l.shrunk(from, l.lastSeen()) // is an alarm; what happens now is written down all the same
		if entries, err = next(ctx, c); err != nil || len(entries) == 0 {
			return err
		}
		stored, head, err = l.insert(ctx, c, from, entries)
		return err
	})
	if err != nil && sent && head.n > 0 {
		err = l.settle(ctx, head, err)
	}
	if err != nil {
		return link{}, fmt.Errorf("audit: %w", err)
	}
	for i := range stored {
		entries[i].N, entries[i].Time = stored[i].N, stored[i].Time
	}
	return head, nil
}

// these is what append takes for entries that are known before.
func these(entries ...*identity.AuditEntry) func(context.Context, *sql.Conn) ([]*identity.AuditEntry, error) {
	return func(context.Context, *sql.Conn) ([]*identity.AuditEntry, error) { return entries, nil }
}

// insert adds entries behind head and returns them as they are stored, and the new head.
func (l *Log) insert(ctx context.Context, c *sql.Conn, head link, entries []*identity.AuditEntry) ([]identity.AuditEntry, link, error) {
	stored := make([]identity.AuditEntry, len(entries))
	for i, e := range entries {
		s := &stored[i]
		*s = *e
		if s.Journal > math.MaxInt64 {
			return nil, head, fmt.Errorf("journal sequence %d", s.Journal)
		}
		if s.Time == 0 {
			s.Time = l.clock.Now()
		}
		s.N = head.n + 1
		clean(s)
		h := digest(head.hash, s)
		args := []any{s.N, int64(s.Time), int64(s.Journal)}
		for i := range texts {
			args = append(args, *texts[i].of(s))
		}
		if _, err := c.ExecContext(ctx, insertSQL, append(args, head.hash[:], h[:])...); err != nil {
			return nil, head, err
		}
		head = link{s.N, h}
		if l.sql.move != "" {
			if _, err := c.ExecContext(ctx, l.sql.move, head.n, head.hash[:]); err != nil {
				return nil, head, err
			}
		}
	}
	return stored, head, nil
}

// locked runs f in a transaction that holds the end of the chain, and commits it. sent
// says of an error that the COMMIT was sent, so that nobody knows.
func (l *Log) locked(ctx context.Context, f func(c *sql.Conn, head link) error) (sent bool, err error) {
	c, err := l.db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }() // it goes back to the pool
	if _, err = c.ExecContext(ctx, l.sql.begin); err != nil {
		return false, err
	}
	var head link
	if head, err = scanLink(c.QueryRowContext(ctx, l.sql.lock)); err == nil {
		err = f(c, head)
	}
	if err == nil {
		sent = true
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		rollBack(ctx, c)
	}
	return sent, err
}

// rollBack ends a transaction, and the connection with it if it does not answer.
func rollBack(ctx context.Context, c *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	if _, err := c.ExecContext(ctx, "ROLLBACK"); err != nil {
		_ = c.Raw(func(any) error { return driver.ErrBadConn }) // which the pool then drops
	}
}

// settle finds out what became of a transaction whose COMMIT got no answer. It waits for
// the lock of the head, which that transaction holds for as long as it lasts. Nil if the
// entry is there; otherwise cause, with ErrUnsure unless it is certain that it is not.
func (l *Log) settle(ctx context.Context, at link, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	var there bool
	_, err := l.locked(ctx, func(c *sql.Conn, _ link) error {
		got, err := scanLink(c.QueryRowContext(ctx, "SELECT n, hash FROM audit_log WHERE n = $1", at.n))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		there = got == at
		return err
	})
	switch {
	case there:
		return nil
	case err != nil:
		return errors.Join(fmt.Errorf("%w: %w", ErrUnsure, cause), err)
	}
	return cause
}

func scanLink(row *sql.Row) (l link, err error) {
	var h []byte
	if err := row.Scan(&l.n, &h); err != nil {
		return link{}, err
	}
	if len(h) != len(l.hash) {
		return link{}, fmt.Errorf("a hash of %d bytes", len(h))
	}
	copy(l.hash[:], h)
	return l, nil
}
