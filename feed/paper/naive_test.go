package paper

import (
	"slices"
	"sort"

	"qcat/core"
	"qcat/core/book"
)

// naive is the model of the package documentation written down as plainly as can
// be: one list of orders, a map of what was taken, a book of maps. It trades one
// instrument. The tests hold Matcher against it, report by report.
type naive struct {
	settings Settings
	def      *core.Instrument

	book              *book.Naive
	live, inRun       bool
	orders            []*naiveOrder
	taken             map[naiveLevel]core.Qty
	flight            []naiveFlight
	now               core.Nanos
	submitted, places int
	execs             uint64
	reports           []core.ExecReport
	waiting           []*naiveOrder // to be adopted once there is a book
	cameBack          map[core.OrderID]bool
}

type naiveLevel struct {
	side  core.Side
	price core.Price
}

type naiveFlight struct {
	due core.Nanos
	n   int
	c   core.VenueCommand
}

type naiveOrder struct {
	core.VenueCommand
	cum, ahead, shrunk core.Qty
	shrunkAt, lastDue  core.Nanos
	place              int // order of arrival in its queue, 0: not resting
	arrived            bool
	closed             bool
	adopting           bool // asked about, and not in the market yet
}

func newNaive(s Settings, def *core.Instrument) *naive {
	return &naive{settings: s, def: def, book: book.NewNaive(), taken: map[naiveLevel]core.Qty{}, cameBack: map[core.OrderID]bool{}}
}

func (n *naive) find(id core.OrderID) *naiveOrder {
	for _, o := range n.orders {
		if o.Order == id && !o.closed {
			return o
		}
	}
	return nil
}

func (n *naive) tell(r core.ExecReport) {
	n.execs++
	r.VenueExecID, r.Instrument, r.Time = n.execs, n.def.ID, n.now
	n.reports = append(n.reports, r)
}

func (n *naive) end(o *naiveOrder, t core.ExecType, why core.VenueReason) {
	o.closed = true
	n.tell(core.ExecReport{Type: t, Order: o.Order, VenueCode: uint16(why)})
}

func (n *naive) refuse(id core.OrderID, t core.ExecType, why core.VenueReason) {
	n.tell(core.ExecReport{Type: t, Order: id, VenueCode: uint16(why)})
}

func (n *naive) fill(o *naiveOrder, l core.Liquidity, p core.Price, q core.Qty) {
	ppm := n.settings.Fees.MakerPPM
	if l == core.Taker {
		ppm = n.settings.Fees.TakerPPM
	}
	f, in := n.fee(o.Side, p, q, ppm)
	o.cum += q
	o.closed = o.cum == o.Qty
	n.tell(core.ExecReport{Type: core.ExecTrade, Liquidity: l, Order: o.Order, LastPx: p, LastQty: q, Fee: f, FeeIn: in})
}

// fee is the fee of a trade: of what a spot buy receives where that is set, with the
// stage's two decimals, else of the notional.
func (n *naive) fee(side core.Side, p core.Price, q core.Qty, ppm int64) (core.Notional, core.FeeCurrency) {
	if !n.settings.Fees.Base || side != core.Buy {
		f, _ := fee(n.def, p, q, ppm)
		return f, core.FeeSettle
	}
	exact := int64(q) * 100 * ppm
	f := exact / core.PPM
	if exact%core.PPM > 0 {
		f++
	} // a rebate is cut towards zero, as the division does
	return core.Notional(f), core.FeeBase
}

func (n *naive) submit(c core.VenueCommand, now core.Nanos) {
	n.now = max(n.now, now)
	o := n.find(c.Order)
	if c.Op == core.VenueNew {
		if o != nil {
			return
		}
		o = &naiveOrder{VenueCommand: c}
		n.orders = append(n.orders, o)
	}
	if c.Op == core.VenueStatus {
		n.execs = max(n.execs, c.VenueExecID)
		if o != nil && o.adopting {
			return
		}
		rests := c.Type == core.Limit && c.TIF != core.IOC && c.TIF != core.FOK
		if o == nil && c.Acked && rests && c.Qty > c.CumQty && !n.cameBack[c.Order] {
			n.cameBack[c.Order] = true
			o = &naiveOrder{VenueCommand: c, cum: c.CumQty, adopting: true}
			n.orders = append(n.orders, o)
		}
	}
	latency := n.settings.OrderLatency
	if c.Op == core.VenueCancel {
		latency = n.settings.CancelLatency
	}
	due := n.now + core.Nanos(latency)
	if o != nil {
		due = max(due, o.lastDue)
		o.lastDue = due
	}
	n.submitted++
	n.flight = append(n.flight, naiveFlight{due, n.submitted, c})
	sort.SliceStable(n.flight, func(i, j int) bool { return n.flight[i].due < n.flight[j].due })
}

func (n *naive) advance(now core.Nanos) {
	n.now = max(n.now, now)
	n.expire()
	for len(n.flight) > 0 && n.flight[0].due <= n.now && !n.inRun {
		c := n.flight[0].c
		n.flight = n.flight[1:]
		n.arrive(c)
	}
	n.expire()
}

func (n *naive) expire() {
	var due []*naiveOrder
	for _, o := range n.orders {
		waits := slices.Contains(n.waiting, o)
		if !o.closed && (o.place > 0 || waits) && o.TIF == core.GTD && o.ExpireTime <= n.now {
			due = append(due, o)
		}
	}
	sort.Slice(due, func(i, j int) bool {
		a, b := due[i], due[j]
		return a.ExpireTime < b.ExpireTime || (a.ExpireTime == b.ExpireTime && a.Order < b.Order)
	})
	for _, o := range due {
		n.end(o, core.ExecExpired, 0)
	}
}

func (n *naive) arrive(c core.VenueCommand) {
	o := n.find(c.Order)
	var waits *naiveOrder
	if c.Op != core.VenueNew && o != nil && !o.arrived {
		if o.adopting {
			waits = o
		}
		o = nil
	}
	switch c.Op {
	case core.VenueStatus:
		n.status(o, waits, c)
	case core.VenueNew:
		o.arrived = true
		if why := n.admit(o); why != 0 {
			o.closed = true
			n.refuse(o.Order, core.ExecRejected, why)
			return
		}
		n.refuse(o.Order, core.ExecNew, 0)
		if o.TIF == core.GTD && o.ExpireTime <= n.now {
			n.end(o, core.ExecExpired, 0)
			return
		}
		n.trade(o)
	case core.VenueCancel:
		if waits != nil {
			o = waits
		}
		if o == nil {
			n.refuse(c.Order, core.ExecCancelRejected, core.VenueReasonUnknownOrder)
			return
		}
		n.end(o, core.ExecCancelled, 0)
	case core.VenueAmend:
		if waits != nil {
			n.refuse(c.Order, core.ExecReplaceRejected, core.VenueReasonBookStale)
			return
		}
		n.amend(o, c)
	}
}

func (n *naive) status(o, waits *naiveOrder, c core.VenueCommand) {
	switch {
	case waits != nil && waits.Price <= 0:
		n.end(waits, core.ExecCancelled, core.VenueReasonInvalid)
	case waits != nil && waits.TIF == core.GTD && waits.ExpireTime <= n.now:
		n.end(waits, core.ExecExpired, 0)
	case waits != nil:
		n.waiting = append(n.waiting, waits)
		n.adopt()
	case o != nil:
		n.alive(o, c)
	case c.Acked:
		n.refuse(c.Order, core.ExecCancelled, core.VenueReasonUnknownOrder)
	default:
		n.refuse(c.Order, core.ExecRejected, core.VenueReasonUnknownOrder)
	}
}

func (n *naive) alive(o *naiveOrder, c core.VenueCommand) {
	switch {
	case !c.Amending:
		n.refuse(o.Order, core.ExecNew, 0)
	case o.Price == c.Price && o.Qty == c.Qty:
		n.refuse(o.Order, core.ExecReplaceRejected, 0)
	default:
		n.tell(core.ExecReport{Type: core.ExecReplaced, Order: o.Order, Price: o.Price, Qty: o.Qty})
	}
}

// adopt lets the orders that wait enter, if there is a book.
func (n *naive) adopt() {
	for n.usable() && len(n.waiting) > 0 {
		o := n.waiting[0]
		n.waiting = n.waiting[1:]
		if o.closed || !o.adopting {
			continue
		}
		o.arrived, o.adopting = true, false
		n.alive(o, o.VenueCommand)
		n.trade(o)
	}
}

func (n *naive) admit(o *naiveOrder) core.VenueReason {
	if o.Qty <= 0 || (o.Type == core.Limit && o.Price <= 0) {
		return core.VenueReasonInvalid
	}
	if !n.usable() {
		return core.VenueReasonBookStale
	}
	if o.TIF == core.PostOnly && n.crosses(o.Side, o.Price) {
		return core.VenueReasonWouldTake
	}
	return 0
}

func (n *naive) usable() bool { return n.live && !n.inRun && !n.book.Crossed() }

// crosses reports whether a limit order would meet the displayed other side.
func (n *naive) crosses(side core.Side, p core.Price) bool {
	for _, l := range n.book.Levels(side.Opposite(), nil, 1) {
		return within(side, p, l.Price)
	}
	return false
}

// within reports whether a price is no worse than a limit.
func within(side core.Side, limit, price core.Price) bool {
	if side == core.Buy {
		return price <= limit
	}
	return price >= limit
}

// reach lists what an order could take.
func (n *naive) reach(o *naiveOrder) (out []core.Level, sum core.Qty) {
	for _, l := range n.book.Levels(o.Side.Opposite(), nil, -1) {
		if o.Type == core.Limit && !within(o.Side, o.Price, l.Price) {
			break
		}
		l.Qty -= n.taken[naiveLevel{o.Side.Opposite(), l.Price}]
		l.Qty = min(l.Qty, o.Qty-o.cum-sum)
		if l.Qty > 0 {
			out = append(out, l)
			sum += l.Qty
		}
	}
	return out, sum
}

func (n *naive) trade(o *naiveOrder) {
	levels, sum := n.reach(o)
	if o.TIF == core.FOK && sum < o.Qty-o.cum {
		n.end(o, core.ExecCancelled, core.VenueReasonNoLiquidity)
		return
	}
	for _, l := range levels {
		n.taken[naiveLevel{o.Side.Opposite(), l.Price}] += l.Qty
		n.fill(o, core.Taker, l.Price, l.Qty)
	}
	if o.closed {
		return
	}
	if o.Type == core.Market || o.TIF == core.IOC {
		n.end(o, core.ExecCancelled, core.VenueReasonNoLiquidity)
		return
	}
	n.places++
	o.place = n.places
	o.ahead, o.shrunk, o.shrunkAt = n.book.Qty(o.Side, o.Price), 0, 0
}

func (n *naive) amend(o *naiveOrder, c core.VenueCommand) {
	refuse := func(why core.VenueReason) { n.refuse(c.Order, core.ExecReplaceRejected, why) }
	if o == nil {
		refuse(core.VenueReasonUnknownOrder)
		return
	}
	if c.Qty <= o.cum || c.Price <= 0 {
		refuse(core.VenueReasonInvalid)
		return
	}
	replaced := core.ExecReport{Type: core.ExecReplaced, Order: c.Order, Price: c.Price, Qty: c.Qty}
	if c.Price == o.Price && c.Qty <= o.Qty {
		o.Qty = c.Qty
		n.tell(replaced)
		return
	}
	if !n.usable() {
		refuse(core.VenueReasonBookStale)
		return
	}
	if o.TIF == core.PostOnly && n.crosses(o.Side, c.Price) {
		refuse(core.VenueReasonWouldTake)
		return
	}
	o.Price, o.Qty, o.place = c.Price, c.Qty, 0
	n.tell(replaced)
	n.trade(o)
}

// queue lists the resting orders of a side, best price and earliest first.
func (n *naive) queue(side core.Side) []*naiveOrder {
	var q []*naiveOrder
	for _, o := range n.orders {
		if !o.closed && o.place > 0 && o.Side == side {
			q = append(q, o)
		}
	}
	sort.Slice(q, func(i, j int) bool {
		if q[i].Price != q[j].Price {
			return better(side, q[i].Price, q[j].Price)
		}
		return q[i].place < q[j].place
	})
	return q
}

// better reports whether a stands before b on a side.
func better(side core.Side, a, b core.Price) bool {
	if side == core.Buy {
		return a > b
	}
	return a < b
}

func (n *naive) event(ev core.Event) {
	if ev.ReceiveTime > n.now {
		n.now = ev.ReceiveTime
		n.expire()
	}
	switch ev.Kind {
	case core.EventStatus:
		n.live, n.inRun = false, false
	case core.EventTrade:
		n.traded(ev)
	case core.EventLevel:
		n.level(ev)
	}
}

func (n *naive) level(ev core.Event) {
	snapshot := ev.Flags.Has(core.FlagSnapshot)
	if !n.live && !snapshot {
		return
	}
	if snapshot && ev.Flags.Has(core.FlagFirst) {
		n.book.Clear()
	}
	n.book.Set(ev.Side, ev.Price, ev.Qty)
	last := ev.Flags.Has(core.FlagLast)
	n.inRun = !last
	if snapshot && !last {
		return
	}
	n.live = true
	for k, t := range n.taken {
		n.taken[k] = min(t, n.book.Qty(k.side, k.price))
	}
	for _, o := range n.orders {
		shown := n.book.Qty(o.Side, o.Price)
		if o.closed || o.place == 0 || o.ahead <= shown {
			continue
		}
		if ev.ExchangeTime > o.shrunkAt {
			o.shrunk, o.shrunkAt = 0, ev.ExchangeTime
		}
		o.shrunk += o.ahead - shown
		o.ahead = shown
	}
	if n.usable() {
		n.meet(core.Buy)
		n.meet(core.Sell)
		n.adopt()
	}
}

func (n *naive) meet(side core.Side) {
	for _, o := range n.queue(side) {
		levels, sum := n.reach(o)
		for _, l := range levels {
			n.taken[naiveLevel{side.Opposite(), l.Price}] += l.Qty
		}
		if sum > 0 {
			n.fill(o, core.Maker, o.Price, sum)
		}
	}
}

func (n *naive) traded(ev core.Event) {
	left := ev.Qty
	for _, o := range n.queue(ev.Side.Opposite()) {
		if !within(o.Side, o.Price, ev.Price) {
			break
		}
		var known core.Qty
		if o.Price == ev.Price {
			if ev.ExchangeTime > o.shrunkAt {
				o.shrunk = 0
			}
			known = min(ev.Qty, o.shrunk)
			o.shrunk -= known
		} else {
			o.ahead, o.shrunk = 0, 0
		}
		mine := min(left-known-o.ahead, o.Qty-o.cum)
		o.ahead = max(0, o.ahead-(ev.Qty-known))
		if mine > 0 {
			left -= mine
			n.fill(o, core.Maker, o.Price, mine)
		}
	}
}
