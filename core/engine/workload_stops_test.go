package engine

import (
	"qcat/core"
	"qcat/risk"
)

// stop does something of what stops orders: sessions that come and drop, dead man's
// switches, modes of self trade, orders of either leg.
func (w *workload) stop(id core.InstrumentID) {
	session := core.SessionID(1 + w.rng.IntN(3))
	switch w.rng.IntN(9) {
	case 0:
		w.submit(Command{Kind: CmdCancelAll, Scope: risk.FirmScope(), Session: session})
	case 1:
		w.submit(Command{Kind: CmdCountdown, Scope: w.scope(id), Timeout: core.Nanos(w.rng.IntN(20_000_000))})
	case 2:
		w.atRest(func() {
			s := w.scope(id)
			if s.Level == risk.LevelInstrument {
				s = risk.FirmScope()
			}
			l := w.e.m.tree.Limits(s)
			l.Unset(risk.LimitSelfTrade)
			if mode := w.rng.IntN(5); mode > 0 {
				l.Set(risk.LimitSelfTrade, int64(mode))
			}
			if w.rng.IntN(4) == 0 {
				l.Set(risk.LimitCancelOnDrop, 1)
			}
			if _, err := w.e.DefineLimits(s, l); err != nil {
				w.t.Fatal(err)
			}
		})
	case 3:
		w.atRest(w.loosen)
	default:
		c := w.newOrder(id)
		c.Session, c.CancelOnDrop = session, w.rng.IntN(2) == 0
		if w.rng.IntN(4) == 0 {
			c.Leg = core.Leg(w.rng.IntN(3))
		}
		w.submit(c)
	}
}

// loosen proposes a limit of the firm that waits, and has somebody decide on one.
func (w *workload) loosen() {
	l := w.e.m.tree.Limits(risk.FirmScope())
	most, _ := l.Get(risk.LimitMaxOpenOrders)
	l.Set(risk.LimitMaxOpenOrders, most+20)
	p, err := w.e.ProposeLimits(risk.FirmScope(), l, 0, people[0], "more")
	if err == nil && p.Status == ProposalWaiting {
		_, err = w.e.DecideProposal(p.ID, w.rng.IntN(2) == 0, people[1])
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
