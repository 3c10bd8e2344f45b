package risk

import (
	"math"
	"unsafe"

	"qcat/core"
	"qcat/core/mem"
)

// recent remembers accepted orders by (account, instrument, side, price, qty) in
// sets of four, each set one pair of cache lines, the newest first. When all four of a
// set are younger than the longest window, one more cannot be told from a duplicate
// and is refused with Capacity: the memory is bounded and never fails open.
type recent struct {
	sets   [][recentWays]recentOrder // nil until a duplicate window is set
	window core.Nanos                // the longest ever set
}

type recentOrder struct {
	account    core.AccountID // 0: empty
	instrument core.InstrumentID
	price      core.Price
	qty        core.Qty // negative for a sell
	time       core.Nanos
}

const (
	recentWays = 4
	recentSets = 1 << 14
)

// keep makes room to look back window.
func (r *recent) keep(window core.Nanos) {
	if r.sets == nil {
		r.sets = mem.Huge[[recentWays]recentOrder](recentSets)
	}
	r.window = max(r.window, window)
}

func (r *recent) set(k *recentOrder) *[recentWays]recentOrder {
	h := (uint64(k.account)<<32 | uint64(k.instrument)) * 0x9E3779B97F4A7C15
	h = (h ^ h>>29 ^ uint64(k.price)) * 0xD6E8FEB86659FD93
	h = (h ^ h>>32 ^ uint64(k.qty)) * 0x9E3779B97F4A7C15
	return &r.sets[h>>(64-14)]
}

// fetch asks for the memory of an order's set and returns where it is, nil if there is
// none.
func (r *recent) fetch(o *Order) *[recentWays]recentOrder {
	if r.sets == nil {
		return nil
	}
	k := recentOf(o, 0)
	s := r.set(&k)
	mem.Fetch(unsafe.Pointer(s))
	return s
}

func (a *recentOrder) same(b *recentOrder) bool {
	return a.price == b.price && a.qty == b.qty && a.account == b.account && a.instrument == b.instrument
}

// age is the distance of two times: a clock that stepped back a little makes an
// order young, one that stepped back far makes it old.
func age(then, now core.Nanos) core.Nanos {
	d := now - then
	if then > now {
		d = then - now
	}
	if d < 0 { // further apart than an int64 tells
		return math.MaxInt64
	}
	return d
}

// look returns how old the last identical order is, and whether there is one,
// and whether the set has room for k.
func (r *recent) look(k *recentOrder) (old core.Nanos, found, room bool) {
	return r.lookIn(r.set(k), k)
}

func (r *recent) lookIn(s *[recentWays]recentOrder, k *recentOrder) (old core.Nanos, found, room bool) {
	for i := range s {
		if e := &s[i]; e.same(k) {
			return age(e.time, k.time), true, true
		}
	}
	last := &s[recentWays-1]
	return 0, false, last.account == 0 || age(last.time, k.time) >= r.window
}

// passes reports whether an order may be told from those of the window, which stand in
// its set s, and none of them is identical.
func (r *recent) passes(s *[recentWays]recentOrder, o *Order, now core.Nanos, window int64) bool {
	k := recentOf(o, now)
	old, found, room := r.lookIn(s, &k)
	return room && !(found && int64(old) < window)
}

// record remembers an accepted order before the others of its set, in the place of
// its own entry, or of the one that was accepted first.
func (r *recent) record(k *recentOrder) {
	s := r.set(k)
	last := recentWays - 1
	for i := range s {
		if s[i].same(k) || s[i].account == 0 {
			last = i
			break
		}
	}
	copy(s[1:last+1], s[:last])
	s[0] = *k
}

func recentOf(o *Order, now core.Nanos) recentOrder {
	q := o.Qty
	if o.Side == core.Sell {
		q = -q
	}
	return recentOrder{account: o.Account, instrument: o.Instrument, price: o.Price, qty: q, time: now}
}
