package risk

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"qcat/core"
)

// TestLayout holds the hot structs to their cache lines.
func TestLayout(t *testing.T) {
	var n node
	var p pair
	for _, x := range []struct {
		name      string
		got, want uintptr
	}{
		{"node", unsafe.Sizeof(n), 64},
		{"node.gross", unsafe.Offsetof(n.gross), 16},
		{"node.msgTAT", unsafe.Offsetof(n.msgTAT), 48},
		{"pair", unsafe.Sizeof(p), 128},
		{"pair.position", unsafe.Offsetof(p.position), 64},
		{"branch", unsafe.Sizeof(branch{}), 128},
		{"recent set", unsafe.Sizeof([recentWays]recentOrder{}), 128},
	} {
		if x.got != x.want {
			t.Errorf("%s: %d, want %d", x.name, x.got, x.want)
		}
	}
}

func TestCodeTexts(t *testing.T) {
	seen := map[string]Code{}
	for _, c := range Codes() {
		text := c.String()
		if old, twice := seen[text]; twice || text == "" {
			t.Errorf("code %d has the text %q of code %d", c, text, old)
		}
		seen[text] = c
		if name, ok := strings.CutPrefix(text, "risk."); !ok || name == "" {
			t.Errorf("code %d has the text %q", c, text)
		}
	}
	if OK.String() != "" || Code(60000).String() != "" {
		t.Error("OK and unknown numbers have no text")
	}
}

// TestThrottleEqualsTokenBucket holds the one stored time against a bucket that
// counts tokens. The interval divides the period, so that nothing rounds.
func TestThrottleEqualsTokenBucket(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		count := int64(1 + rng.IntN(5))
		interval := int64(1 + rng.IntN(50))
		var ls Limits
		ls.Set(LimitMessageRate, count)
		ls.Set(LimitMessageRatePer, interval*count)
		th := newThrottle(ls, LimitMessageRate, LimitMessageRatePer)
		var tat core.Nanos
		now := core.Nanos(1000)
		credit, last := interval*count, now // in ns: a token is worth interval
		for i := range 300 {
			now += core.Nanos(rng.IntN(int(interval * 2)))
			credit = min(interval*count, credit+int64(now-last))
			last = now
			want := credit >= interval
			if got := th.admits(tat, now); got != want {
				t.Fatalf("seed %d message %d: admits %v, want %v (credit %d of %d)", seed, i, got, want, credit, interval)
			}
			if forced := rng.IntN(4) == 0; want || forced {
				tat = th.take(tat, now)
				credit = max(0, credit-interval)
			}
		}
	}
}

// TestRollingEqualsScan holds the buckets against all prices of the period: at
// least the window is looked back, at most a bucket more.
func TestRollingEqualsScan(t *testing.T) {
	type seen struct {
		at core.Nanos
		p  core.Price
	}
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 2))
		window := core.Nanos(700)
		var r rolling
		r.restart(int64(window))
		var all []seen
		now := core.Nanos(0)
		for range 200 {
			now += core.Nanos(rng.IntN(300))
			p := core.Price(1 + rng.IntN(1000))
			lo, hi := r.bounds(p, now)
			inLo, inHi, outLo, outHi := p, p, p, p
			for _, s := range all {
				if now-s.at <= window {
					inLo, inHi = min(inLo, s.p), max(inHi, s.p)
				}
				if now-s.at <= window+r.width {
					outLo, outHi = min(outLo, s.p), max(outHi, s.p)
				}
			}
			if lo > inLo || lo < outLo || hi < inHi || hi > outHi {
				t.Fatalf("seed %d at %d: bounds %d..%d, window %d..%d, with the bucket %d..%d", seed, now, lo, hi, inLo, inHi, outLo, outHi)
			}
			r.observe(p, now)
			all = append(all, seen{now, p})
		}
	}
}

// TestPairsEqualMap holds the index against a map, growing from nothing.
func TestPairsEqualMap(t *testing.T) {
	p := newPairs(0, 1<<20)
	want := map[uint64]uint32{}
	rng := rand.New(rand.NewPCG(3, 3))
	for range 20_000 {
		a, i := 1+rng.IntN(3000), core.InstrumentID(1+rng.IntN(40))
		key := accountPairKey(core.AccountID(a), i)
		if rng.IntN(2) == 0 {
			key = strategyPairKey(core.StrategyID(a), i)
		}
		slot := p.find(key)
		if slot != want[key] {
			t.Fatalf("find(%x) = %d, want %d", key, slot, want[key])
		}
		if slot == 0 {
			want[key] = p.make(key)
		}
	}
	if int(p.n)-1 != len(want) {
		t.Fatalf("%d pairs, want %d", p.n-1, len(want))
	}
}

// TestCapacity: the pair that does not fit refuses, and neither is made.
func TestCapacity(t *testing.T) {
	s := newScript()
	s.tree.pairs.max = 3
	ref := s.refs["BTC"]
	o := Order{Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 6_000_000, Qty: 1}
	var h Hold
	a, r := s.tree.CheckNew(&o, &ref, s.now)
	if !r.OK() {
		t.Fatal(r)
	}
	s.tree.Accept(&a, &h)
	o.Account, o.Strategy = 2, 3
	if _, r = s.tree.CheckNew(&o, &ref, s.now); r.Code != Capacity {
		t.Fatalf("the fourth pair: %+v", r)
	}
	o.Account, o.Strategy = 1, 2 // shares the account's pair
	if _, r = s.tree.CheckNew(&o, &ref, s.now); !r.OK() {
		t.Fatalf("the third pair: %+v", r)
	}
}

// TestRecentFull: identical orders cannot hide behind a full memory.
func TestRecentFull(t *testing.T) {
	var r recent
	r.keep(1000)
	first := recentOrder{account: 1, instrument: 1, price: 1, qty: 1, time: 5}
	set := r.set(&first)
	for i := range set {
		set[i] = recentOrder{account: 9, instrument: 9, price: core.Price(i + 1), qty: 9, time: 5}
	}
	if _, found, room := r.look(&first); found || room {
		t.Fatalf("a full set: found %v, room %v", found, room)
	}
	s := newScript()
	var ls Limits
	ls.Set(LimitDuplicateWindow, 1000)
	s.tree.SetLimits(FirmScope(), ls)
	o := Order{Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 6_000_000, Qty: 1}
	ref := s.refs["BTC"]
	var h Hold
	a, _ := s.tree.CheckNew(&o, &ref, s.now)
	s.tree.Accept(&a, &h) // makes the pairs: from here the quick path is open
	o.Qty = 2
	k := recentOf(&o, s.now)
	for i := range s.tree.recent.set(&k) {
		s.tree.recent.set(&k)[i] = recentOrder{account: 9, instrument: 9, price: core.Price(i + 1), time: s.now}
	}
	if _, why := s.tree.CheckNew(&o, &ref, s.now); why.Code != Capacity {
		t.Fatalf("an order behind a full memory: %+v", why)
	}
	first.time = 1005
	if _, _, room := r.look(&first); !room {
		t.Fatal("the set has aged and must have room")
	}
	r.record(&first)
	if age, found, _ := r.look(&first); !found || age != 0 {
		t.Fatalf("not recorded: %v %v", age, found)
	}
}

// TestApprovalIsForOneState: an approval does not outlive a change of the tree,
// and the zero value is none.
func TestApprovalIsForOneState(t *testing.T) {
	s := newScript()
	ref := s.refs["BTC"]
	o := Order{Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 6_000_000, Qty: 1}
	good, _ := s.tree.CheckNew(&o, &ref, s.now)
	stale := good
	var h, other Hold
	s.tree.Accept(&good, &h)
	o.Price++
	refused, _ := s.tree.CheckNew(&o, &ref, s.now)
	amend, _ := s.tree.CheckAmend(&h, Amend{Price: 6_000_000, Qty: 2}, &ref, s.now)
	for name, f := range map[string]func(){
		"used twice":     func() { s.tree.Accept(&stale, &other) },
		"zero":           func() { s.tree.Accept(&Approved{}, &other) },
		"refused":        func() { s.tree.Accept(&refused, &other) },
		"another's hold": func() { s.tree.Accept(&amend, &other) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			f()
		}()
	}
	s.tree.Accept(&amend, &h)
}

func TestLimitsCodec(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 500 {
		var ls Limits
		for l := range numLimits {
			if rng.IntN(2) == 0 {
				ls.Set(l, rng.Int64())
			}
		}
		b := ls.Append(nil)
		if back, ok := DecodeLimits(b); !ok || back != ls || len(b) > MaxLimitsBytes {
			t.Fatalf("%v came back as %v", ls, back)
		}
		for _, bad := range [][]byte{b[:len(b)-1], append(b, 0)} {
			if _, ok := DecodeLimits(bad); ok {
				t.Fatalf("%x decoded", bad)
			}
		}
	}
	if _, ok := DecodeLimits([]byte{0, 0, 0, 0x80}); ok {
		t.Fatal("an unknown limit decoded")
	}
}

func TestSpecRoundTrip(t *testing.T) {
	in := scriptInstruments()[0]
	spec := Spec{
		PriceCollarBuyUp: "2.5%", PriceCollarSellDown: "150bp", RollingCollarUp: "10%", RollingCollarWindow: "1m30s",
		MaxQty: "12.5", MinNotional: "5", MaxNotional: "1000000.00000001", MaxOpenOrders: "200", MaxPosition: "0",
		MessageRate: "100/1s", Permitted: "true", Restricted: "false", MaxReferenceAge: "500ms",
	}
	ls, err := spec.Resolve(&in)
	if err != nil {
		t.Fatal(err)
	}
	for l, want := range map[Limit]int64{
		LimitCollarBuyUp: 25_000, LimitCollarSellDown: 15_000, LimitRollingWindow: 90e9, LimitMaxOrderQty: 12_500,
		LimitMaxNotional: 100_000_000_000_001, LimitMaxPosition: 0, LimitMessageRate: 100, LimitMessageRatePer: 1e9,
	} {
		if v, set := ls.Get(l); !set || v != want {
			t.Errorf("%s: %d %v, want %d", l, v, set, want)
		}
	}
	if _, set := ls.Get(LimitRestricted); set {
		t.Error("restricted=false must set nothing")
	}
	back, err := ls.Spec(&in).Resolve(&in)
	if err != nil || back != ls {
		t.Errorf("came back as %+v, %v", ls.Spec(&in), err)
	}
	for _, bad := range []Spec{
		{MaxQty: "0.0001"}, {MaxQty: "-1"}, {MaxNotional: "1e6"}, {PriceCollarBuyUp: "2"}, {PriceCollarBuyUp: "0.00001%"},
		{MessageRate: "100"}, {MessageRate: "100/0s"}, {MessageRate: "x/1s"}, {MaxOpenOrders: "1.5"}, {Permitted: "maybe"}, {MaxReferenceAge: "-1s"},
	} {
		if _, err := bad.Resolve(&in); !errors.Is(err, ErrSpec) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := (Spec{MaxQty: "1"}).Resolve(nil); !errors.Is(err, ErrSpec) {
		t.Error("a quantity without an instrument")
	}
}

// TestEveryLimitHasASpecAndAPlace: no limit can be set that a person cannot
// write, or that has no name and unit.
func TestEveryLimitHasASpecAndAPlace(t *testing.T) {
	var s Spec
	written := map[Limit]bool{LimitMessageRatePer: true, LimitOrderRatePer: true, LimitRepeatedExecutionsPer: true}
	for _, f := range s.fields() {
		written[f.limit] = true
	}
	for l := range numLimits {
		if !written[l] || limitDefs[l].name == "" || limitDefs[l].max == 0 {
			t.Errorf("limit %d (%s) is not complete", l, l)
		}
	}
}

// TestValuation holds values to the last digit, rounding up.
func TestValuation(t *testing.T) {
	for _, x := range []struct {
		in   core.Instrument
		ppm  int64
		p    core.Price
		q    core.Qty
		want int64
		ok   bool
	}{
		{core.Instrument{PriceScale: 2, QtyScale: 3, ContractSize: 1}, core.PPM, 6_000_001, 1, 6_000_001_000, true},
		{core.Instrument{PriceScale: 8, QtyScale: 8, ContractSize: 1}, core.PPM, 1, 1, 1, true},
		{core.Instrument{PriceScale: 8, QtyScale: 8, ContractSize: 1}, core.PPM, 1e8, -1e8, 1e8, true},
		{core.Instrument{PriceScale: 8, QtyScale: 8, ContractSize: 1}, 999_999, 1e8, 1e8, 99_999_900, true},
		{core.Instrument{Kind: core.Inverse, PriceScale: 1, ContractSize: 100}, core.PPM, 1, 3, 300e8, true},
		{core.Instrument{PriceScale: 2, QtyScale: 3, ContractSize: 1}, core.PPM, 1 << 62, 1 << 62, 0, false},
		{core.Instrument{PriceScale: 2, QtyScale: 3, ContractSize: 1}, core.PPM, 0, 1, 0, false},
		{core.Instrument{PriceScale: 2, QtyScale: 3, ContractSize: 1}, 0, 1, 1, 0, false},
		{core.Instrument{PriceScale: 18, QtyScale: 18, ContractSize: 1}, core.PPM, 1, 1, 0, false},
	} {
		if v, ok := valuationOf(&x.in, x.ppm).at(x.q, x.p); ok != x.ok || (ok && v != x.want) {
			t.Errorf("%+v: %d, %v", x, v, ok)
		}
	}
}

// The audit tells limits by their names, with their values as they are configured.
func TestLimitText(t *testing.T) {
	in := &core.Instrument{PriceScale: 2, QtyScale: 3}
	for _, c := range []struct {
		limit Limit
		value int64
		in    *core.Instrument
		want  string
	}{
		{LimitMaxOrderQty, 1500, in, "max_qty 1.500"},
		{LimitCollarBuyUp, 20_000, nil, "price_collar_buy_up 2%"},
		{LimitMessageRate, 2000, nil, "message_rate 2000"},
		{LimitMessageRatePer, 1_000_000_000, nil, "message_rate_per 1s"},
		{LimitMaxExposureGross, 10_000_000e8, nil, "max_exposure_gross 10000000"},
		{LimitRestricted, 1, in, "restricted true"},
		{numLimits, 1, in, ""},
	} {
		if got := LimitText(uint16(c.limit), c.value, c.in); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := LimitText(1<<8, 1, nil); got != "" {
		t.Errorf("a limit of no byte is %q", got)
	}
}
