package risk

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// safety drives one tree with limits that do not change through random calls, and
// asks after each of them what nobody may ever see:
//
//   - an accepted order after which a limit is exceeded that it was measured by;
//   - a fill, cancel, refusal, answer or state that uses more of any limit;
//   - a position, with everything open, beyond the limit of its account or strategy,
//     whatever the market did;
//   - a refusal that leaves a trace;
//   - a refusal of what only reduces, while nothing is halted;
//   - a position that nobody can get out of.
type safety struct {
	t     testing.TB
	src   source
	tree  *Tree
	owner []core.AccountID // of strategies, by id
	refs  []core.Price     // by instrument id
	holds []*Hold
	held  map[naivePair]core.Qty // of the strategies, by the fills
	now   core.Nanos
	log   []string

	orders, accepted, refused, reducing int
}

func (s *safety) must(r Reason) {
	s.t.Helper()
	if !r.OK() {
		s.fatalf("refused: %+v", r)
	}
}

func (s *safety) fatalf(format string, args ...any) {
	s.t.Helper()
	for _, l := range s.log {
		s.t.Log(l)
	}
	s.t.Fatalf(format, args...)
}

func (s *safety) note(format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf(format, args...))
	if len(s.log) > 60 {
		s.log = s.log[1:]
	}
}

// step does one random thing and holds the invariants.
func (s *safety) step() {
	s.now += core.Nanos(s.src.IntN(200_000_000))
	switch s.src.IntN(20) {
	case 0:
		s.setState()
	case 1:
		if s.src.IntN(3) == 0 {
			s.transfer()
		} else {
			s.mark()
		}
	case 2, 3, 4, 5, 6, 7, 8, 9:
		s.order(s.drawOrder())
	case 10, 11:
		s.amend()
	default:
		s.event()
	}
	for b, any := s.tree.NextBreach(); any; b, any = s.tree.NextBreach() {
		s.note("breach %+v", b)
		s.uses(func() { s.tree.Act(&b) })
	}
	s.positionsBounded()
}

// path are the nodes that an order is measured by.
func path(o *Order) [6]Scope { return naivePath(o) }

// exempt tells of each node whether an order of so much more reduces what that node
// measures: account and firm by the account's position, the strategy by its own.
func (s *safety) exempt(o *Order, more core.Qty) (is [6]bool) {
	reduces := func(at Scope) bool {
		v, _ := s.tree.View(at)
		if o.Side == core.Buy {
			return v.Position < 0 && v.Position+v.OpenBuy+more <= 0
		}
		return v.Position > 0 && v.Position-v.OpenSell-more >= 0
	}
	p := path(o)
	account, strategy := reduces(p[4]), reduces(p[5])
	return [6]bool{account, account, strategy, account, account, strategy}
}

func (s *safety) order(o Order) bool {
	ref := s.reference(o.Instrument)
	exempt := s.exempt(&o, o.Qty)
	a, why := s.check(func() (Approved, Reason) { return s.tree.CheckNew(&o, &ref, s.now) })
	s.note("order %+v: %v", o, why)
	s.orders++
	if !why.OK() {
		s.refused++
		s.mayRefuse(exempt, why)
		return false
	}
	s.accepted++
	if exempt[1] && exempt[2] {
		s.reducing++
	}
	h := &Hold{}
	s.tree.Accept(&a, h)
	s.holds = append(s.holds, h)
	s.within(&o, exempt, true)
	return true
}

func (s *safety) amend() {
	h := s.pick()
	if h == nil || !h.Open() || h.Pending() || h.order.Type == core.Market {
		return
	}
	o := h.Order()
	before := h.Leaves()
	to := Amend{Price: s.price(o.Instrument), Qty: h.filled + core.Qty(1+s.src.IntN(6_000))}
	more := max(0, to.Qty-h.filled-before)
	nearer := (o.Side == core.Buy && to.Price > o.Price) || (o.Side == core.Sell && to.Price < o.Price)
	exempt := s.exempt(&o, more)
	if more == 0 && !nearer {
		exempt = [6]bool{true, true, true, true, true, true}
	}
	ref := s.reference(o.Instrument)
	a, why := s.check(func() (Approved, Reason) { return s.tree.CheckAmend(h, to, &ref, s.now) })
	s.note("amend %+v to %+v: %v", o, to, why)
	if !why.OK() {
		s.mayRefuse(exempt, why)
		return
	}
	s.tree.Accept(&a, h)
	s.within(&o, exempt, false)
}

// check makes a check and holds that it has changed nothing.
func (s *safety) check(ask func() (Approved, Reason)) (Approved, Reason) {
	s.t.Helper()
	before := s.tree.AppendState(nil)
	a, why := ask()
	if !bytes.Equal(before, s.tree.AppendState(nil)) {
		s.fatalf("a check has changed the state: %+v", why)
	}
	return a, why
}

// mayRefuse holds that what reduces at every level is refused for a halt alone.
func (s *safety) mayRefuse(exempt [6]bool, why Reason) {
	s.t.Helper()
	if why.Code != Halted && exempt[1] && exempt[2] {
		s.fatalf("a reducing order was refused: %+v", why)
	}
}

// within holds the limits of every node that measured an order which has just been
// accepted, and that one which reduces at a node adds nothing to its position there.
func (s *safety) within(o *Order, exempt [6]bool, isNew bool) {
	s.t.Helper()
	for i, at := range path(o) {
		v, _ := s.tree.View(at)
		if exempt[i] {
			continue
		}
		net := v.Long
		if o.Side == core.Sell {
			net = -v.Short
		}
		s.under(at, v.Limits, LimitMaxUnfilled, v.Unfilled)
		s.under(at, v.Limits, LimitMaxExposureGross, v.Gross)
		s.under(at, v.Limits, LimitMaxExposureNet, net)
		s.under(at, v.Limits, LimitMaxScenarioLoss, v.ScenarioLoss)
		s.afforded(o, v)
		if isNew {
			s.under(at, v.Limits, LimitMaxOpenOrders, int64(v.OpenOrders))
		}
		if at.Level == LevelInstrument {
			position := v.Position + v.OpenBuy
			if o.Side == core.Sell {
				position = v.OpenSell - v.Position
			}
			s.under(at, v.Limits, LimitMaxPosition, int64(position))
		}
	}
}

// afforded holds that a node that asks for margin, or bounds leverage, has got it.
func (s *safety) afforded(o *Order, v View) {
	s.t.Helper()
	if _, required := v.Limits.Get(LimitMarginRequired); required {
		in := s.tree.instruments[o.Instrument].in
		currency := in.Settle
		if in.Kind == core.Spot && o.Side == core.Sell {
			currency = in.Base
		}
		for _, w := range s.tree.Wallets(o.Account) {
			if w.Currency == currency && w.Free < 0 {
				s.fatalf("%+v asks for margin, and account %d has %d %s free after an accepted order", v.Scope, o.Account, w.Free, currency)
			}
		}
	}
	if v.Scope.Level == LevelAccount {
		a, _ := s.tree.Account(o.Account)
		s.under(v.Scope, v.Limits, LimitMaxLeverage, a.Leverage)
	}
}

func (s *safety) under(at Scope, ls Limits, l Limit, v int64) {
	s.t.Helper()
	if limit, set := ls.Get(l); set && v > limit {
		s.fatalf("%+v: %s is %d of %d after an accepted order", at, l, v, limit)
	}
}

// positionsBounded holds that no market, fill or order brought an account's or a
// strategy's position, with what is open, beyond its limit: by what was filled and what
// the orders hold, not by the tree's own sums, which must agree.
func (s *safety) positionsBounded() {
	s.t.Helper()
	for node := range s.tree.Scopes {
		if node.Level != LevelInstrument {
			continue
		}
		var position, buy, sell core.Qty
		for p, q := range s.held {
			if at(node, s.owner[p.strategy], p.strategy, p.instrument) {
				position += q
			}
		}
		for _, h := range s.holds {
			if o := &h.order; !at(node, o.Account, o.Strategy, o.Instrument) {
				continue
			} else if o.Side == core.Buy {
				buy += h.Leaves()
			} else {
				sell += h.Leaves()
			}
		}
		v, _ := s.tree.View(node)
		if v.Position != position || v.OpenBuy != buy || v.OpenSell != sell {
			s.fatalf("%+v: position %d, open %d and %d, but %d, %d and %d by the orders", node, v.Position, v.OpenBuy, v.OpenSell, position, buy, sell)
		}
		if limit, set := v.Limits.Get(LimitMaxPosition); set && node.Account != 0 && int64(max(position+buy, sell-position)) > limit {
			s.fatalf("%+v: position %d, open %d and %d, limit %d", node, position, buy, sell, limit)
		}
	}
}

// uses does something and holds that no node uses more of any limit after it.
func (s *safety) uses(f func()) {
	s.t.Helper()
	before := map[Scope]View{}
	for at := range s.tree.Scopes {
		before[at], _ = s.tree.View(at)
	}
	f()
	for at := range s.tree.Scopes {
		v, _ := s.tree.View(at)
		if b := before[at]; v.OpenOrders > b.OpenOrders || v.Unfilled > b.Unfilled || v.Gross > b.Gross ||
			v.Long > max(0, b.Long) || v.Short < min(0, b.Short) {
			s.fatalf("%+v uses more:\n before %+v\n after  %+v", at, b, v)
		}
	}
}

// pick returns any order, mostly a young one; nil: there is none.
func (s *safety) pick() *Hold {
	n := len(s.holds)
	if n == 0 {
		return nil
	}
	return s.holds[n-1-s.src.IntN(min(n, 12))]
}

// event is what a venue says of an order: nothing of it uses more of any limit.
func (s *safety) event() {
	h := s.pick()
	if h == nil || !h.Open() {
		return
	}
	s.uses(func() {
		switch s.src.IntN(6) {
		case 0:
			s.note("release %+v", h.order)
			s.tree.Release(h)
		case 1:
			s.note("cancel %+v", h.order)
			s.tree.CountCancel(h, s.now)
		case 2:
			s.note("reject the amendment of %+v", h.order)
			s.tree.RejectAmend(h)
		case 3:
			if h.Pending() {
				s.note("confirm the amendment of %+v", h.order)
				s.tree.ConfirmAmend(h, h.newPrice, h.newQty)
			}
		default:
			s.fill(h, core.Qty(1+s.src.IntN(int(h.Leaves()))))
		}
	})
}

func (s *safety) fill(h *Hold, q core.Qty) {
	price := h.order.Price
	if price == 0 {
		price = s.refs[h.order.Instrument]
	}
	s.note("fill %d of %+v", q, h.order)
	if !s.tree.Fill(h, filled(h, q, price), s.now) {
		s.fatalf("a fill was not possible")
	}
	s.held[naivePair{h.order.Strategy, h.order.Instrument}] += core.Qty(h.order.Side.Sign()) * q
}

// TestLimitsHold runs the invariants over random calls, and ends every run by getting
// out of everything.
func TestLimitsHold(t *testing.T) {
	runs, steps := 60, 400
	if testing.Short() {
		runs = 10
	}
	var orders, accepted, refused, reducing int
	for run := range runs {
		seed := uint64(run) + 1
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			s := newSafety(t, rand.New(rand.NewPCG(seed, 23)))
			for range steps {
				s.step()
			}
			s.flatten()
			orders, accepted, refused, reducing = orders+s.orders, accepted+s.accepted, refused+s.refused, reducing+s.reducing
		})
	}
	t.Logf("%d orders, %d accepted, %d of them reducing, %d refused", orders, accepted, reducing, refused)
	if accepted < orders/15 || refused < orders/10 || reducing < orders/100 {
		t.Errorf("the runs say little: %d orders, %d accepted, %d of them reducing, %d refused", orders, accepted, reducing, refused)
	}
}

// FuzzLimitsHold lets the fuzzer choose the calls that TestLimitsHold draws.
func FuzzLimitsHold(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a hundred choices of somebody who looks for the way around a limit, and for a position nobody gets out of"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 800 {
			return
		}
		src := &bytesSource{b}
		s := newSafety(t, src)
		for len(src.b) > 0 {
			s.step()
		}
		s.flatten()
	})
}
