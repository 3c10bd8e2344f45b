package paper

import (
	"testing"

	"qcat/core"
)

// audit checks the promises of the package documentation from the outside: it
// sees commands, events and reports, and keeps its own books of what was ever
// displayed and traded.
type audit struct {
	t     testing.TB
	scene *scene
	seen  int // reports looked at
	last  uint64

	orders    map[core.OrderID]*audited
	shown     map[naiveLevel]core.Qty // as displayed now
	displayed map[naiveLevel]core.Qty // ever added to the level
	taken     map[naiveLevel]core.Qty // by taking orders, at the level's price

	// Sums over all prices: displayed ever; filled from it; traded; filled by trades.
	sumDisplayed, sumTaken, sumTraded, sumByTrades core.Qty
	fills                                          map[core.Liquidity]int
	adopted                                        int // orders that came by a question and live
}

type audited struct {
	core.VenueCommand
	cum    core.Qty
	acked  bool
	closed bool
	adopts bool     // came by a question
	taking core.Qty // filled by taking since the last new or replaced
}

func newAudit(t testing.TB, s *scene) *audit {
	return &audit{
		t: t, scene: s,
		orders: map[core.OrderID]*audited{}, shown: map[naiveLevel]core.Qty{},
		displayed: map[naiveLevel]core.Qty{}, taken: map[naiveLevel]core.Qty{},
		fills: map[core.Liquidity]int{},
	}
}

func (a *audit) command(c core.VenueCommand) {
	have := a.orders[c.Order]
	if c.Op == core.VenueNew && (have == nil || have.closed) {
		a.orders[c.Order] = &audited{VenueCommand: c}
	}
	if c.Op == core.VenueStatus && (have == nil || have.closed) {
		again := have != nil && have.adopts && adoptable(&have.VenueCommand)
		a.orders[c.Order] = &audited{VenueCommand: c, cum: c.CumQty, acked: c.Acked, adopts: true, closed: !adoptable(&c) || again}
	}
}

// before notes what a level event adds to what is displayed, and a trade's
// quantity. The snapshot's levels are compared with the last ones known.
func (a *audit) before(ev *core.Event) {
	switch ev.Kind {
	case core.EventTrade:
		a.sumTraded += ev.Qty
	case core.EventLevel:
		replica := a.scene.books[one]
		if replica.Stale() && !ev.Flags.Has(core.FlagSnapshot) {
			return
		}
		k := naiveLevel{ev.Side, ev.Price}
		if ev.Flags.Has(core.FlagSnapshot | core.FlagFirst) {
			a.scene.snapshotSeen = map[naiveLevel]bool{}
		}
		if ev.Flags.Has(core.FlagSnapshot) {
			a.scene.snapshotSeen[k] = true
		}
		a.show(k, ev.Qty)
		if ev.Flags.Has(core.FlagSnapshot | core.FlagLast) {
			for k := range a.shown {
				if !a.scene.snapshotSeen[k] {
					a.show(k, 0)
				}
			}
		}
	}
}

func (a *audit) show(k naiveLevel, q core.Qty) {
	if more := q - a.shown[k]; more > 0 {
		a.displayed[k] += more
		a.sumDisplayed += more
	}
	a.shown[k] = q
}

// after checks the reports that an event, or no event, has brought.
func (a *audit) after(ev *core.Event) {
	var byTrade core.Qty
	for ; a.seen < len(a.scene.reports); a.seen++ {
		r := &a.scene.reports[a.seen]
		if r.VenueExecID <= a.last {
			a.t.Errorf("report %d after %d", r.VenueExecID, a.last)
		}
		a.last = r.VenueExecID
		a.report(r)
		if r.Type == core.ExecTrade && r.Liquidity == core.Maker {
			switch {
			case ev == nil:
				a.t.Errorf("maker fill without an event: %+v", r)
			case ev.Kind == core.EventTrade:
				byTrade += r.LastQty
			default:
				a.sumTaken += r.LastQty
			}
		}
	}
	if ev != nil && ev.Kind == core.EventTrade && byTrade > ev.Qty {
		a.t.Errorf("a trade of %d filled %d", ev.Qty, byTrade)
	}
	a.sumByTrades += byTrade
	a.balance()
}

func (a *audit) balance() {
	for k, q := range a.taken {
		if q > a.displayed[k] {
			a.t.Errorf("%d were taken at %+v, %d ever displayed", q, k, a.displayed[k])
		}
	}
	if a.sumTaken > a.sumDisplayed || a.sumByTrades > a.sumTraded {
		a.t.Errorf("taken %d of %d displayed, filled %d of %d traded",
			a.sumTaken, a.sumDisplayed, a.sumByTrades, a.sumTraded)
	}
}

// report checks one report against its order's history.
func (a *audit) report(r *core.ExecReport) {
	o := a.orders[r.Order]
	if r.VenueCode == uint16(core.VenueReasonUnknownOrder) && r.Type != core.ExecCancelRejected && r.Type != core.ExecReplaceRejected {
		return // the answer to a question about what is not there
	}
	switch r.Type {
	case core.ExecRejected:
		o.closed = true
	case core.ExecCancelRejected, core.ExecReplaceRejected:
	case core.ExecNew:
		o.acked = true
		if o.adopts {
			a.adopted++
		}
	case core.ExecTrade:
		a.fill(o, r)
	case core.ExecReplaced:
		a.live(o, r)
		o.Price, o.Qty, o.taking = r.Price, r.Qty, 0
	case core.ExecCancelled, core.ExecExpired:
		a.live(o, r)
		if o.TIF == core.FOK && o.cum != 0 {
			a.t.Errorf("a fill-or-kill order was filled in part: %+v", o)
		}
		o.closed = true
	}
}

func (a *audit) live(o *audited, r *core.ExecReport) {
	if o == nil || !o.acked || o.closed {
		a.t.Errorf("%+v of an order that is not open: %+v", r, o)
	}
}

func (a *audit) fill(o *audited, r *core.ExecReport) {
	a.live(o, r)
	a.fills[r.Liquidity]++
	o.cum += r.LastQty
	if r.LastQty <= 0 || o.cum > o.Qty {
		a.t.Errorf("fill %+v of order %+v", r, o)
	}
	if o.Type == core.Limit && !within(o.Side, o.Price, r.LastPx) {
		a.t.Errorf("fill at %d beyond the limit of %+v", r.LastPx, o)
	}
	if r.Liquidity == core.Maker && (r.LastPx != o.Price || o.TIF == core.IOC || o.TIF == core.FOK) {
		a.t.Errorf("maker fill %+v of order %+v", r, o)
	}
	if r.Liquidity == core.Taker {
		if o.TIF == core.PostOnly && !o.adopts {
			a.t.Errorf("a post-only order took: %+v", r)
		}
		a.taken[naiveLevel{o.Side.Opposite(), r.LastPx}] += r.LastQty
		a.sumTaken += r.LastQty
	}
	o.closed = o.cum == o.Qty
}

// finish makes sure that the run has met what it was made for.
func (a *audit) finish(seed uint64) {
	if a.fills[core.Maker] < 15 || a.fills[core.Taker] < 20 || a.sumByTrades == 0 || a.adopted == 0 {
		a.t.Errorf("seed %d: only %v fills, %d adopted", seed, a.fills, a.adopted)
	}
}
