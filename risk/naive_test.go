package risk

import (
	"math/big"

	"qcat/core"
)

// naive is the tree as one would explain it: a list of orders and of fills, and
// everything else counted anew from them for every question, in big integers. It
// knows the controls that count (states, sizes, counts, positions, exposures);
// formats, rates and references are held by the scripts.
type naive struct {
	ins       []core.Instrument // by id, [0] unused
	owner     []core.AccountID  // of strategies, by id
	limits    map[Scope]Limits
	states    map[Scope]TradingState
	orders    []*naiveOrder
	positions map[naivePair]core.Qty
	prices    map[Scope]core.Price // what an instrument scope is valued at
}

type naivePair struct {
	strategy   core.StrategyID
	instrument core.InstrumentID
}

type naiveOrder struct {
	o        Order
	price    core.Price
	filled   core.Qty
	open     bool
	pending  bool
	newPrice core.Price
	newQty   core.Qty
	amends   int64
}

func newNaive(ins []core.Instrument, owner []core.AccountID) *naive {
	return &naive{ins: ins, owner: owner, limits: map[Scope]Limits{}, states: map[Scope]TradingState{},
		positions: map[naivePair]core.Qty{}, prices: map[Scope]core.Price{}}
}

func (o *naiveOrder) leaves() core.Qty {
	if !o.open {
		return 0
	}
	q := o.o.Qty - o.filled
	if o.pending {
		q = max(q, o.newQty-o.filled)
	}
	return max(q, 0)
}

// worth is ⌈|q|·p⌉ in the risk currency with q's sign.
func (n *naive) worth(id core.InstrumentID, q core.Qty, p core.Price) *big.Int {
	in := &n.ins[id]
	num := new(big.Int).Abs(big.NewInt(int64(q)))
	den := big.NewInt(1)
	scale := int64(in.QtyScale)
	if in.Kind == core.Inverse {
		num.Mul(num, big.NewInt(in.ContractSize))
	} else {
		num.Mul(num, big.NewInt(int64(p)))
		scale += int64(in.PriceScale)
	}
	num.Mul(num, big.NewInt(core.Pow10(ValueScale)))
	den.Exp(big.NewInt(10), big.NewInt(scale), nil)
	num.Add(num, new(big.Int).Sub(den, big.NewInt(1))).Div(num, den)
	if q < 0 {
		num.Neg(num)
	}
	return num
}

// at reports whether an order of these ids counts at a scope.
func at(s Scope, account core.AccountID, strategy core.StrategyID, id core.InstrumentID) bool {
	return (s.Account == 0 || s.Account == account) && (s.Strategy == 0 || s.Strategy == strategy) &&
		(s.Instrument == 0 || s.Instrument == id)
}

// quantities are those of an instrument scope.
func (n *naive) quantities(s Scope) (position, buy, sell core.Qty) {
	for p, q := range n.positions {
		if at(s, n.owner[p.strategy], p.strategy, p.instrument) {
			position += q
		}
	}
	for _, o := range n.orders {
		if at(s, o.o.Account, o.o.Strategy, o.o.Instrument) {
			if o.o.Side == core.Buy {
				buy += o.leaves()
			} else {
				sell += o.leaves()
			}
		}
	}
	return position, buy, sell
}

// exposure of a scope: Σ over its instruments.
func (n *naive) exposure(s Scope) (gross, long, short *big.Int) {
	gross, long, short = new(big.Int), new(big.Int), new(big.Int)
	for id := 1; id < len(n.ins); id++ {
		if s.Instrument != 0 && s.Instrument != core.InstrumentID(id) {
			continue
		}
		leaf := s
		leaf.Level, leaf.Instrument = LevelInstrument, core.InstrumentID(id)
		position, buy, sell := n.quantities(leaf)
		l := n.worth(leaf.Instrument, position+buy, n.prices[leaf])
		sh := n.worth(leaf.Instrument, position-sell, n.prices[leaf])
		long.Add(long, l)
		short.Add(short, sh)
		if neg := new(big.Int).Neg(sh); neg.Cmp(l) > 0 {
			gross.Add(gross, neg)
		} else {
			gross.Add(gross, l)
		}
	}
	return gross, long, short
}

func (n *naive) unfilledOf(o *naiveOrder) *big.Int {
	if !o.open {
		return new(big.Int)
	}
	v := n.worth(o.o.Instrument, max(o.o.Qty-o.filled, 0), o.price)
	if o.pending {
		if w := n.worth(o.o.Instrument, max(o.newQty-o.filled, 0), o.newPrice); w.Cmp(v) > 0 {
			v = w
		}
	}
	return v
}

func (n *naive) open(s Scope) (count int64, unfilled *big.Int) {
	unfilled = new(big.Int)
	for _, o := range n.orders {
		if o.open && at(s, o.o.Account, o.o.Strategy, o.o.Instrument) {
			count++
			unfilled.Add(unfilled, n.unfilledOf(o))
		}
	}
	return count, unfilled
}

func naivePath(o *Order) [6]Scope {
	return [6]Scope{
		FirmScope(), AccountScope(o.Account),
		{Level: LevelStrategy, Account: o.Account, Strategy: o.Strategy},
		InstrumentScope(0, 0, o.Instrument), InstrumentScope(o.Account, 0, o.Instrument),
		InstrumentScope(o.Account, o.Strategy, o.Instrument),
	}
}

// onlyReduces reports whether, with everything open on the order's side filled
// and the order with it, the position of a scope has only come nearer to zero.
func (n *naive) onlyReduces(s Scope, side core.Side, add core.Qty) bool {
	position, buy, sell := n.quantities(s)
	if side == core.Buy {
		return position < 0 && position+buy+add <= 0
	}
	return position > 0 && position-sell-add >= 0
}

// check answers as the tree must, at reference price ref. am is nil for a new
// order, the order to amend otherwise.
func (n *naive) check(o Order, am *naiveOrder, ref core.Price) Reason {
	path := naivePath(&o)
	add, price := o.Qty, o.Price
	shrinks := false
	if am != nil {
		add = max(0, o.Qty-am.o.Qty)
		nearer := (o.Side == core.Buy && o.Price > am.o.Price) || (o.Side == core.Sell && o.Price < am.o.Price)
		shrinks = add == 0 && !nearer
	}
	if o.Type == core.Market {
		price = ref + ref/20 // the references of the test divide by 20
	}
	byAccount := shrinks || n.onlyReduces(path[4], o.Side, add)
	byStrategy := shrinks || n.onlyReduces(path[5], o.Side, add)
	exempt := [6]bool{byAccount, byAccount, byStrategy, byAccount, byAccount, byStrategy}

	for _, s := range path {
		if n.states[s] == StateHalted {
			return Reason{Code: Halted, Scope: s}
		}
	}
	for i, s := range path {
		if n.states[s] == StateReducing && !exempt[i] {
			return Reason{Code: Reducing, Scope: s}
		}
	}
	most := func(l Limit, code Code, value func(s Scope) *big.Int) Reason {
		for i, s := range path {
			ls := n.limits[s]
			if limit, set := ls.Get(l); set && !exempt[i] {
				if v := value(s); v.Cmp(big.NewInt(limit)) > 0 {
					return Reason{Code: code, Unit: l.Unit(), Scope: s, Limit: limit, Value: v.Int64()}
				}
			}
		}
		return Reason{}
	}
	after := func() *naive { return n.with(o, am, price, ref) }
	full := n.worth(o.Instrument, o.Qty, price)
	for _, r := range []func() Reason{
		func() Reason {
			return most(LimitMaxOrderQty, MaxQty, func(Scope) *big.Int { return big.NewInt(int64(o.Qty)) })
		},
		func() Reason { return most(LimitMaxNotional, MaxNotional, func(Scope) *big.Int { return full }) },
		func() Reason {
			if am != nil {
				return most(LimitMaxAmends, MaxAmends, func(Scope) *big.Int { return big.NewInt(am.amends + 1) })
			}
			return most(LimitMaxOpenOrders, MaxOpenOrders, func(s Scope) *big.Int {
				c, _ := n.open(s)
				return big.NewInt(c + 1)
			})
		},
		func() Reason {
			return most(LimitMaxPosition, MaxPosition, func(s Scope) *big.Int {
				position, buy, sell := after().quantities(s)
				if o.Side == core.Buy {
					return big.NewInt(int64(position + buy))
				}
				return big.NewInt(int64(sell - position))
			})
		},
		func() Reason {
			return most(LimitMaxUnfilled, UnfilledNotional, func(s Scope) *big.Int {
				_, u := after().open(s)
				return u
			})
		},
		func() Reason { return n.exposed(after(), &o, path, exempt) },
	} {
		if x := r(); !x.OK() {
			return x
		}
	}
	return Reason{}
}

// exposed applies gross and net, node by node: firm and its instrument, account
// and its instrument, strategy and its instrument.
func (n *naive) exposed(after *naive, o *Order, path [6]Scope, exempt [6]bool) Reason {
	for _, i := range [...]int{0, 3, 1, 4, 2, 5} {
		ls := n.limits[path[i]]
		if exempt[i] {
			continue
		}
		gross, net, short := after.exposure(path[i])
		if o.Side == core.Sell {
			net = short.Neg(short)
		}
		if l, set := ls.Get(LimitMaxExposureGross); set && gross.Cmp(big.NewInt(l)) > 0 {
			return Reason{Code: MaxExposureGross, Unit: UnitValue, Scope: path[i], Limit: l, Value: gross.Int64()}
		}
		if l, set := ls.Get(LimitMaxExposureNet); set && net.Cmp(big.NewInt(l)) > 0 {
			return Reason{Code: MaxExposureNet, Unit: UnitValue, Scope: path[i], Limit: l, Value: net.Int64()}
		}
	}
	return Reason{}
}

// with returns the world as it would be with the order open, its instrument's
// scopes valued at ref.
func (n *naive) with(o Order, am *naiveOrder, price, ref core.Price) *naive {
	c := *n
	c.prices = map[Scope]core.Price{}
	for s, p := range n.prices {
		c.prices[s] = p
	}
	path := naivePath(&o)
	for _, s := range path[3:] {
		c.prices[s] = ref
	}
	c.orders = nil
	for _, x := range n.orders {
		if x == am {
			y := *x
			y.pending, y.newPrice, y.newQty = true, o.Price, o.Qty
			y.amends++
			x = &y
		}
		c.orders = append(c.orders, x)
	}
	if am == nil {
		c.orders = append(c.orders, &naiveOrder{o: o, price: price, open: true})
	}
	return &c
}
