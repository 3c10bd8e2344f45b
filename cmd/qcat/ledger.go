package main

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/identity"
)

// ledger is the audit log of a running server. It refuses entries until the database has
// been reached, and counts what is written. Any goroutine.
type ledger struct {
	guard *guard

	loginsOK, loginsFailed atomic.Uint64
	entries, failures      atomic.Uint64
	trouble                atomic.Pointer[string] // why it was not brought up to date last
	current                atomic.Int64           // when it was
}

// Audit implements identity.Auditor.
func (l *ledger) Audit(ctx context.Context, e *identity.AuditEntry) error {
	if e.Action == "login" {
		if e.Outcome == "ok" {
			l.loginsOK.Add(1)
		} else {
			l.loginsFailed.Add(1)
		}
	}
	v := l.guard.opened.Load()
	if v == nil {
		l.failures.Add(1)
		return errNotOpen
	}
	if err := v.log.Audit(ctx, e); err != nil {
		l.failures.Add(1)
		l.guard.log.Error("an entry of the audit log could not be written", zap.String("action", e.Action), zap.Error(err))
		return err
	}
	l.entries.Add(1)
	return nil
}

// Entries implements identity.Auditor.
func (l *ledger) Entries(ctx context.Context, q identity.AuditQuery) ([]identity.AuditEntry, error) {
	v := l.guard.opened.Load()
	if v == nil {
		return nil, errNotOpen
	}
	return v.log.Entries(ctx, q)
}

// keptUp takes what came of bringing the log up to date. The log itself has told of its
// anchors.
func (l *ledger) keptUp(err error) {
	if err == nil {
		l.trouble.Store(nil)
		l.current.Store(int64(core.SystemClock().Now()))
		return
	}
	why := strings.TrimPrefix(err.Error(), "audit: ")
	l.trouble.Store(&why)
}

// lag is for how long it has not been brought up to date; 0 before the first time.
func (l *ledger) lag() time.Duration {
	last := l.current.Load()
	if last == 0 {
		return 0
	}
	return time.Duration(int64(core.SystemClock().Now()) - last)
}
