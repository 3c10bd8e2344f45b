package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"qcat/core"
	"qcat/core/identity"
)

// followRows is how many rows of the projection are copied in one transaction: the log's
// other writers wait for it.
const followRows = 64

// Follower copies what the order journal says was done (the rows of the table audit)
// into the audit log: each once, in its order, whoever else copies at the same time. The
// rows must be in the log's own database. One goroutine at a time.
type Follower struct{ log *Log }

// NewFollower returns a follower that copies into a log.
func NewFollower(l *Log) *Follower { return &Follower{l} }

// Follow copies what is there and returns how many entries it added. The caller calls it
// on a ticker. After an error the rest is copied by the next call. Errors: the database's.
func (f *Follower) Follow(ctx context.Context) (copied int, err error) {
	for {
		n, err := f.step(ctx)
		copied += n
		if err != nil || n < followRows {
			return copied, err
		}
	}
}

// lastJournal is the sequence up to which the log has the projection's rows.
const lastJournal = "(SELECT coalesce(max(journal_seq), 0) FROM audit_log WHERE journal_seq <> 0)"

// step copies the next rows.
func (f *Follower) step(ctx context.Context) (copied int, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var waiting bool // without the lock, which mostly is not needed
	if err := f.log.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM audit WHERE seq > "+lastJournal+")").Scan(&waiting); err != nil {
		return 0, fmt.Errorf("audit: follow the journal: %w", err)
	}
	if !waiting {
		return 0, nil
	}
	head, err := f.log.append(ctx, func(ctx context.Context, c *sql.Conn) ([]*identity.AuditEntry, error) {
		entries, err := newRows(ctx, c)
		copied = len(entries)
		return entries, err
	})
	if err != nil {
		return 0, err
	}
	f.log.anchor(ctx, head)
	return copied, nil
}

// newRows reads rows of the projection behind the last one that was copied. The end of
// the chain is locked: nobody else copies.
func newRows(ctx context.Context, c *sql.Conn) (out []*identity.AuditEntry, err error) {
	rows, err := c.QueryContext(ctx, `SELECT x.seq, x.time_ns, x.action, x.detail, x.scope_account, x.scope_strategy, x.scope_instrument,
		a.name, g.name, i.venue || ':' || i.symbol
	FROM audit x
		LEFT JOIN accounts a ON a.id = x.scope_account
		LEFT JOIN strategies g ON g.id = x.scope_strategy
		LEFT JOIN instruments i ON i.id = x.scope_instrument
	WHERE x.seq > `+lastJournal+` ORDER BY x.seq LIMIT $1`, int64(followRows))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var seq, ns int64
		var scope [3]scopePart
		e := &identity.AuditEntry{Actor: "system", Via: "engine"}
		if err := rows.Scan(&seq, &ns, &e.Action, &e.Detail, &scope[0].id, &scope[1].id, &scope[2].id,
			&scope[0].name, &scope[1].name, &scope[2].name); err != nil {
			return nil, err
		}
		e.Journal, e.Time = uint64(seq), core.Nanos(ns) //nolint:gosec // the sequence of a journal, above 0
		e.Target, e.Outcome = target(scope), outcome(e.Detail)
		out = append(out, e)
	}
	return out, rows.Err()
}

// scopePart is an account, a strategy or an instrument that a row is about.
type scopePart struct {
	id   int64 // 0: none
	name sql.NullString
}

// target says what a row is about as the projection's own texts do.
func target(scope [3]scopePart) string {
	words := []string{"firm"}
	for i, p := range scope {
		name := p.name.String
		switch {
		case p.id == 0:
			continue
		case name == "":
			name = fmt.Sprint(p.id)
		}
		switch i {
		case 0:
			words[0] = "account " + name
		case 1:
			words = append(words, "strategy "+name)
		case 2:
			words = append(words, name)
		}
	}
	return strings.Join(words, ", ")
}

// outcome is the code of the refusal that a detail begins with, or "ok".
func outcome(detail string) string {
	reason, refused := strings.CutPrefix(detail, "refused with ")
	if !refused {
		return "ok"
	}
	if end := strings.IndexAny(reason, ": ,;"); end >= 0 {
		reason = reason[:end]
	}
	if !strings.Contains(reason, ".") {
		return "refused"
	}
	return reason
}
