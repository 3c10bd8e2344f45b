package rest

import (
	"context"
	"encoding/json"
	"math"

	"qcat/api/wire"
	"qcat/core/history"
	"qcat/core/identity"
)

// audit lists administrative acts, newest first: those of the audit log, which repeats what the order
// journal says, or with source=journal those that the journal alone has. Where nobody is asked who
// they are there is no audit log.
func (s *Server) audit(c exchange) {
	q, p := s.paged(c, defaultListed, maxListed, "action", "actor", "source")
	source := q.text("source")
	if source != "" && source != "log" && source != "journal" {
		q.bad("source", "wanted log or journal")
	}
	if !q.ok {
		return
	}
	if !c.who.CanAll() {
		s.beyond(c, actAudit, "", "the audit log is the firm's: it needs a scope of all")
		return
	}
	if source == "journal" || source == "" && s.cfg.Gate == nil {
		if q.text("actor") != "" {
			q.bad("actor", "the journal does not know who it was: leave it out, or source=log")
			return
		}
		s.auditJournal(c, q, &p)
		return
	}
	s.auditLog(c, q, &p)
}

// auditJournal lists the acts that are records of the order journal.
func (s *Server) auditJournal(c exchange, q *query, p *page) {
	eq := p.events()
	eq.Action = q.text("action")
	rows, err := fromStore(s, func(ctx context.Context, r history.Reader) ([]history.Audit, error) { return r.Audit(ctx, eq) })
	if err != nil {
		s.noHistory(c, err)
		return
	}
	rows, next := cut(rows, p.limit, func(a *history.Audit) cursor { return cursor{set: true, key: a.Seq} })
	listPage(c, p, next, len(rows), func(dst []byte, i int) []byte { return wire.AppendAudit(dst, s.cfg.Directory, &rows[i]) })
}

// auditLog lists the entries of the audit log.
func (s *Server) auditLog(c exchange, q *query, p *page) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	if p.cursor.key > math.MaxInt64 {
		q.bad("cursor", "not one that this server has given out")
		return
	}
	rows, err := s.cfg.Service.Entries(ctx, c.who, identity.AuditQuery{From: p.from, To: p.to, Actor: q.text("actor"), Action: q.text("action"),
		Before: int64(p.cursor.key), Limit: p.limit + 1})
	if err != nil {
		s.turnAway(c, err)
		return
	}
	rows, next := cut(rows, p.limit, func(e *identity.AuditEntry) cursor { return cursor{set: true, key: uint64(e.N)} })
	listPage(c, p, next, len(rows), func(dst []byte, i int) []byte { return appendEntry(dst, &rows[i]) })
}

// appendEntry appends an entry of the audit log: what every one has, and the rest as far as it is
// there.
func appendEntry(b []byte, e *identity.AuditEntry) []byte {
	b = wire.AppendUint(append(b, `{"n":`...), uint64(e.N))
	if e.Journal != 0 {
		b = wire.AppendUint(append(b, `,"seq":`...), e.Journal)
	}
	b = wire.AppendNanos(append(b, `,"time":`...), e.Time)
	b = wire.AppendString(append(b, `,"action":`...), e.Action)
	b = wire.AppendString(append(b, `,"detail":`...), e.Detail)
	for _, m := range [...]struct{ key, text string }{{`,"actor":`, e.Actor}, {`,"role":`, e.Role}, {`,"via":`, e.Via}, {`,"key":`, e.Key},
		{`,"address":`, e.Address}, {`,"target":`, e.Target}, {`,"outcome":`, e.Outcome}} {
		if m.text != "" {
			b = wire.AppendString(append(b, m.key...), m.text)
		}
	}
	b = appendState(b, `,"before":`, e.Before)
	return append(appendState(b, `,"after":`, e.After), '}')
}

// appendState appends what something was or is: JSON as it is, and what is none as a text.
func appendState(b []byte, key, text string) []byte {
	switch {
	case text == "":
		return b
	case json.Valid([]byte(text)):
		return append(append(b, key...), text...)
	}
	return wire.AppendString(append(b, key...), text)
}
