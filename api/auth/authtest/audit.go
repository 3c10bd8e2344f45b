package authtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"qcat/core"
	"qcat/core/identity"
)

// Log is an identity.Auditor, and an identity.Recorder, in memory.
type Log struct {
	clock   core.Clock
	mu      sync.Mutex
	fail    error
	entries []identity.AuditEntry
}

var (
	_ identity.Auditor  = (*Log)(nil)
	_ identity.Recorder = (*Log)(nil)
)

// NewLog returns an empty audit log.
func NewLog(clock core.Clock) *Log { return &Log{clock: clock} }

// Fail makes every method return err from now on; nil ends it.
func (l *Log) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

// Audit implements identity.Auditor.
func (l *Log) Audit(_ context.Context, e *identity.AuditEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	e.N = int64(len(l.entries)) + 1
	if e.Time == 0 {
		e.Time = l.clock.Now()
	}
	l.entries = append(l.entries, *e)
	return nil
}

// Record implements identity.Recorder.
func (l *Log) Record(e identity.AuditEntry) bool { return l.Audit(context.Background(), &e) == nil }

// Entries implements identity.Auditor.
func (l *Log) Entries(_ context.Context, q identity.AuditQuery) ([]identity.AuditEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return nil, l.fail
	}
	if q.Limit <= 0 {
		return nil, errors.New("a query has a limit")
	}
	var out []identity.AuditEntry
	for _, e := range slices.Backward(l.entries) {
		if len(out) < q.Limit && selects(&q, &e) {
			out = append(out, e)
		}
	}
	return out, nil
}

func selects(q *identity.AuditQuery, e *identity.AuditEntry) bool {
	begin, open := strings.CutSuffix(q.Action, "*")
	return (q.From == 0 || e.Time >= q.From) && (q.To == 0 || e.Time < q.To) && (q.Before == 0 || e.N < q.Before) &&
		(q.Actor == "" || e.Actor == q.Actor) && (q.Action == "" || e.Action == q.Action || open && strings.HasPrefix(e.Action, begin))
}

// Last is the newest entry; the zero entry when there is none.
func (l *Log) Last() identity.AuditEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 0 {
		return identity.AuditEntry{}
	}
	return l.entries[len(l.entries)-1]
}

// Count is how many entries there are.
func (l *Log) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}
