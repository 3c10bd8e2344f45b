package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// dropsByDefault reports whether a level above the orders of a strategy says that
// those of a session end with it.
func (m *machine) dropsByDefault(a core.AccountID, s core.StrategyID) bool {
	for _, scope := range [...]risk.Scope{
		risk.FirmScope(), risk.AccountScope(a), {Level: risk.LevelStrategy, Account: a, Strategy: s},
	} {
		if _, set := m.tree.Limit(scope, risk.LimitCancelOnDrop); set {
			return true
		}
	}
	return false
}

// dropSessions cancels the orders that were to end with their session, once a process
// took over: no session outlives its process. No order is taken before, so that none
// of them is of a session that is there. While the journal has no room the venues are
// asked all the same, once.
func (e *Engine) dropSessions(now core.Nanos) {
	all := Command{Kind: CmdCancelAll, Scope: risk.FirmScope(), Session: core.EverySession, Cause: record.CauseDropped}
	switch {
	case !e.orphaned:
	case !e.anyOrphan() || e.sequence(&all, now) == nil:
		e.orphaned = false
	case !e.orphansPassed:
		e.orphansPassed = true
		e.runUnrecorded(&all)
	}
}

// anyOrphan reports whether an order is open that was to end with a session.
func (e *Engine) anyOrphan() (any bool) {
	e.m.orders.each(&e.m.orders.open, func(o *entry) { any = any || o.order.CancelOnDrop })
	return any
}
