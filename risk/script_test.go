package risk

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qcat/core"
)

var rewrite = flag.Bool("rewrite", false, "write what the tree answers into testdata/*.txt")

// TestScripts runs testdata/*.txt: cases a risk officer can read. A case starts
// with "case", prepares with "given", acts with "when" and states the answer in
// "then". Every case begins with a fresh tree, at one o'clock, and:
//
//	instruments  BTC  linear, tick 0.10, lot 0.001, at most 1000 an order
//	             ETH  linear, tick 0.01, lot 0.01
//	             INV  inverse, contract of 100 USD, tick 0.5, settles in BTC
//	             XBT  spot quoted in BTC, a currency without a rate, lot 0.010
//	             SOL  linear, tick 0.10, lot 0.001, at least 0.010, worth 5 to 1000; market
//	                  lots of 0.100 up to 1; bids within -20% +5%, offers within -5% +20%
//	             ACME spot in USDT, tick 0.01, lot 0.001
//	accounts     demo with strategies mm and arb, other with strategy mm
//	references   BTC mark 60000, ETH mark 3000, INV mark 60000, XBT mark 0.05,
//	             SOL mark 100, ACME mark 10
//
// Scopes are written firm, demo, demo/mm, firm:BTC, demo:BTC, demo/mm:BTC. After
// every refusal the runner checks that the tree's state has not changed by a byte.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := newScript()
	for n, line := range strings.Split(strings.TrimSuffix(string(src), "\n"), "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		if word == "then" {
			continue
		}
		fmt.Fprintln(&out, strings.TrimRight(line, " "))
		switch word {
		case "", "#":
		case "case":
			s = newScript()
		case "given", "when":
			answer := s.do(t, fmt.Sprintf("%s:%d", file, n+1), strings.Fields(rest))
			if word == "given" && answer != "" {
				t.Errorf("%s:%d: given failed: %s", file, n+1, answer)
			}
			if word == "when" && answer != "" {
				for _, a := range strings.Split(answer, "\n") {
					fmt.Fprintf(&out, "  then  %s\n", a)
				}
			}
		default:
			t.Fatalf("%s:%d: unknown line %q", file, n+1, line)
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := out.String(); got != string(src) {
		t.Errorf("%s: the tree answers otherwise (go test -rewrite shows it as a diff):\n%s", file, firstDifference(string(src), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			have := "end of file"
			if i < len(g) {
				have = g[i]
			}
			return fmt.Sprintf("line %d\n  want %s\n  got  %s", i+1, w[i], have)
		}
	}
	return fmt.Sprintf("line %d\n  got  %s", len(w)+1, g[len(w)])
}

// script is the world of one case.
type script struct {
	tree  *Tree
	now   core.Nanos
	names []string // of instruments, by id
	refs  map[string]Reference
	holds map[string]*Hold

	positions map[scriptPosition]core.Position // of the strategies, as an engine keeps them
}

var (
	scriptAccounts   = []string{"", "demo", "other"}
	scriptStrategies = []string{"", "demo/mm", "demo/arb", "other/mm"}
)

func scriptInstruments() []core.Instrument {
	base := core.Instrument{Venue: "sim", Quote: "USDT", Settle: "USDT", Kind: core.Linear, ContractSize: 1,
		PriceScale: 2, QtyScale: 3, SettleScale: 8, TickSize: 10, StepSize: 1}
	btc, eth, inv, xbt := base, base, base, base
	btc.ID, btc.Symbol, btc.MaxQty, btc.MinPrice, btc.MaxPrice = 1, "BTC", 1_000_000, 100, 100_000_000
	eth.ID, eth.Symbol, eth.QtyScale, eth.TickSize = 2, "ETH", 2, 1
	inv.ID, inv.Symbol, inv.Kind, inv.Quote, inv.Settle = 3, "INV", core.Inverse, "USD", "BTC"
	inv.ContractSize, inv.PriceScale, inv.QtyScale, inv.TickSize = 100, 1, 0, 5
	xbt.ID, xbt.Symbol, xbt.Kind, xbt.Quote, xbt.Settle, xbt.PriceScale, xbt.TickSize = 4, "XBT", core.Spot, "BTC", "BTC", 5, 1
	xbt.StepSize = 10
	sol := base
	sol.ID, sol.Symbol, sol.MinNotional, sol.MaxNotional, sol.MinQty = 5, "SOL", 5e8, 1000e8, 10
	sol.MarketMinQty, sol.MarketMaxQty, sol.MarketStepSize = 100, 1000, 100
	sol.BidCollarUp, sol.BidCollarDown, sol.AskCollarUp, sol.AskCollarDown = 50_000, 200_000, 200_000, 50_000
	acme := base
	acme.ID, acme.Symbol, acme.Base, acme.Kind, acme.TickSize = 6, "ACME", "ACME", core.Spot, 1
	return []core.Instrument{btc, eth, inv, xbt, sol, acme}
}

func newScript() *script {
	s := &script{tree: NewTree(Config{}), now: core.Nanos(13 * time.Hour), names: []string{""},
		refs: map[string]Reference{}, holds: map[string]*Hold{}, positions: map[scriptPosition]core.Position{}}
	ins := scriptInstruments()
	for i := range ins {
		s.tree.DefineInstrument(&ins[i])
		s.names = append(s.names, ins[i].Symbol)
	}
	for a := 1; a < len(scriptAccounts); a++ {
		s.tree.DefineAccount(core.AccountID(a))
	}
	s.tree.DefineStrategy(1, 1)
	s.tree.DefineStrategy(2, 1)
	s.tree.DefineStrategy(3, 2)
	for name, mark := range map[string]core.Price{"BTC": 6_000_000, "ETH": 300_000, "INV": 600_000, "XBT": 5_000, "SOL": 10_000, "ACME": 1_000} {
		s.refs[name] = Reference{Mark: mark, MarkTime: s.now}
	}
	return s
}

func (s *script) do(t *testing.T, where string, w []string) string {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s: %v: %v", where, w, p)
		}
	}()
	switch w[0] {
	case "limits":
		return s.limits(w[1], w[2:])
	case "state":
		st, ok := ParseTradingState(w[2])
		if !ok {
			return "no such state"
		}
		return s.answer(nil, s.tree.SetState(s.scope(w[1]), st), "")
	case "rate":
		ppm, err := core.ParseDecimal([]byte(w[2]), 6)
		must(err)
		return s.answer(nil, s.tree.SetRate(w[1], ppm), "")
	case "time":
		d, err := time.ParseDuration(w[1])
		must(err)
		s.now += core.Nanos(d)
		if len(w) == 2 { // "stale" lets the references age
			s.refresh()
		}
		return ""
	case "reference":
		s.refs[w[1]] = s.reference(w[1], w[2:])
		return ""
	case "order":
		return s.order(t, where, w)
	case "check":
		return s.checkAll(w)
	case "amend":
		return s.amend(t, where, w)
	case "usage":
		return s.usage(w[1])
	case "effective":
		return s.effective(w[1])
	case "change":
		return s.change(w)
	case "uses":
		return s.uses(w[1])
	}
	if answer, ok := s.money(w); ok {
		return answer
	}
	if answer, ok := s.trip(w); ok {
		return answer
	}
	return s.event(w)
}

// event is what happens to an order that is open.
func (s *script) event(w []string) string {
	h := s.holds[w[1]]
	in := s.instrument(s.names[h.order.Instrument])
	switch w[0] {
	case "fill":
		if !s.tree.Fill(h, s.fill(h, in, w), s.now) {
			return "not possible"
		}
	case "release":
		s.tree.Release(h)
	case "cancel":
		s.tree.CountCancel(h, s.now)
	case "confirm":
		o := h.Order()
		if len(w) > 2 {
			o.Qty, o.Price = core.Qty(s.amount(w[2], in.QtyScale)), core.Price(s.amount(w[4], in.PriceScale))
		} else {
			o.Qty, o.Price = h.newQty, h.newPrice
		}
		if !s.tree.ConfirmAmend(h, o.Price, o.Qty) {
			return "not possible"
		}
	case "reject":
		s.tree.RejectAmend(h)
	default:
		panic("unknown verb")
	}
	return ""
}

func (s *script) limits(scope string, settings []string) string {
	var spec Spec
	fields := spec.fields()
	for _, kv := range settings {
		k, v, _ := strings.Cut(kv, "=")
		found := false
		for _, f := range fields {
			if f.limit.String() == k {
				*f.text, found = v, true
			}
		}
		if !found {
			return "no such limit: " + k
		}
	}
	sc := s.scope(scope)
	var in *core.Instrument
	if sc.Level == LevelInstrument {
		in = s.tree.instruments[sc.Instrument].in
	}
	ls, err := spec.Resolve(in)
	if err != nil {
		return err.Error()
	}
	return s.answer(in, s.tree.SetLimits(sc, ls), "")
}

func (s *script) reference(name string, parts []string) Reference {
	r := Reference{Time: s.now, MarkTime: s.now, LastTime: s.now}
	for _, p := range parts {
		k, v, _ := strings.Cut(p, "=")
		price := func() core.Price { return core.Price(s.amount(v, s.instrument(name).PriceScale)) }
		switch k {
		case "mark":
			r.Mark = price()
		case "bid":
			r.Bid = price()
		case "ask":
			r.Ask = price()
		case "last":
			r.Last = price()
		case "offset": // how far the venue's clock is behind ours
			d, err := time.ParseDuration(v)
			must(err)
			r.VenueTime = r.Time - core.Nanos(d)
		case "mark_age", "mid_age", "last_age":
			d, err := time.ParseDuration(v)
			must(err)
			*map[string]*core.Nanos{"mark_age": &r.MarkTime, "mid_age": &r.Time, "last_age": &r.LastTime}[k] -= core.Nanos(d)
		case "stale":
			r.Flags |= core.FlagStale
		case "crossed":
			r.Flags |= core.FlagCrossed
		case "none":
		default:
			panic("unknown part of a reference")
		}
	}
	return r
}

func (s *script) refresh() {
	for k, r := range s.refs {
		r.Time, r.MarkTime, r.LastTime = s.now, s.now, s.now
		s.refs[k] = r
	}
}

// terms reads "order NAME buy 1 BTC at 60000 demo/mm [reduce_only]".
func (s *script) terms(w []string) Order {
	in := s.instrument(w[4])
	o := Order{Side: core.ParseSide(w[2]), Instrument: core.InstrumentID(indexOf(s.names, w[4])),
		Type: core.Limit, TIF: core.GTC}
	o.Qty = core.Qty(s.amount(w[3], in.QtyScale))
	if w[6] == "market" {
		o.Type, o.TIF = core.Market, core.IOC
	} else {
		o.Price = core.Price(s.amount(w[6], in.PriceScale))
	}
	account, _, _ := strings.Cut(w[7], "/")
	o.Account = core.AccountID(indexOf(scriptAccounts, account))
	o.Strategy = core.StrategyID(indexOf(scriptStrategies, w[7]))
	for _, x := range w[8:] {
		switch {
		case x == "reduce_only":
			o.ReduceOnly = true
		case strings.HasPrefix(x, "crosses_"):
			c, _ := crossing(x)
			o.Crosses |= c
		case x == "long" || x == "short":
			o.Leg, _ = core.ParseLeg(x)
		default:
			o.TIF = core.ParseTimeInForce(x)
		}
	}
	return o
}

func (s *script) order(t *testing.T, where string, w []string) string {
	t.Helper()
	o := s.terms(w)
	ref := s.refs[w[4]]
	before := s.tree.AppendState(nil)
	a, r := s.tree.CheckNew(&o, &ref, s.now)
	all := s.tree.CheckAll(&o, &ref, s.now, nil)
	if r.OK() != (len(all) == 0) || (!r.OK() && all[0] != r) {
		t.Errorf("%s: CheckNew answers %v, CheckAll %v", where, r, all)
	}
	if !bytes.Equal(before, s.tree.AppendState(nil)) {
		t.Errorf("%s: a check changed the state", where)
	}
	if r.OK() {
		h := &Hold{}
		s.tree.Accept(&a, h)
		s.holds[w[1]] = h
	}
	return s.answer(s.tree.instruments[o.Instrument].in, r, accepted(&a))
}

func (s *script) checkAll(w []string) string {
	o := s.terms(w)
	ref := s.refs[w[4]]
	var lines []string
	for _, r := range s.tree.CheckAll(&o, &ref, s.now, nil) {
		lines = append(lines, s.answer(s.instrument(w[4]), r, ""))
	}
	if lines == nil {
		return "would be accepted"
	}
	return strings.Join(lines, "\n")
}

// amend reads "amend NAME to 2 at 60000".
func (s *script) amend(t *testing.T, where string, w []string) string {
	t.Helper()
	h := s.holds[w[1]]
	name := s.names[h.order.Instrument]
	in := s.instrument(name)
	am := Amend{Qty: core.Qty(s.amount(w[3], in.QtyScale)), Price: core.Price(s.amount(w[5], in.PriceScale))}
	for _, x := range w[6:] {
		c, _ := crossing(x)
		am.Crosses |= c
	}
	ref := s.refs[name]
	before := append(s.tree.AppendState(nil), h.AppendState(nil)...)
	a, r := s.tree.CheckAmend(h, am, &ref, s.now)
	if !bytes.Equal(before, append(s.tree.AppendState(nil), h.AppendState(nil)...)) {
		t.Errorf("%s: a check changed the state", where)
	}
	if r.OK() {
		s.tree.Accept(&a, h)
	}
	return s.answer(in, r, accepted(&a))
}

// answer words a reason.
func (s *script) answer(in *core.Instrument, r Reason, ok string) string {
	if r.OK() {
		return ok
	}
	out := "refused " + r.Code.String()
	if r.Scope.Level != LevelNone {
		out += " at " + s.scopeName(r.Scope)
	}
	if r.Unit != UnitNone {
		out += fmt.Sprintf(": limit %s, would be %s", r.Unit.Append(nil, r.Limit, in), r.Unit.Append(nil, r.Value, in))
	}
	return out
}

func (s *script) usage(scope string) string {
	v, ok := s.tree.View(s.scope(scope))
	if !ok {
		return "no such node"
	}
	val := func(x int64) string { return string(UnitValue.Append(nil, x, nil)) }
	out := fmt.Sprintf("%s, open %d, gross %s, long %s, short %s, unfilled %s", v.State, v.OpenOrders,
		val(v.Gross), val(v.Long), val(v.Short), val(v.Unfilled))
	if v.Scope.Level == LevelInstrument {
		in := s.tree.instruments[v.Scope.Instrument].in
		q := func(x core.Qty) string { return core.FormatDecimal(int64(x), in.QtyScale) }
		out += fmt.Sprintf(", position %s, buys %s, sells %s", q(v.Position), q(v.OpenBuy), q(v.OpenSell))
	}
	return out
}

func (s *script) effective(scope string) string {
	sc := s.scope(scope)
	var lines []string
	for _, e := range s.tree.Effective(sc) {
		lines = append(lines, fmt.Sprintf("%s %s from %s", e.Limit,
			e.Limit.Unit().Append(nil, e.Value, s.tree.instruments[sc.Instrument].in), s.scopeName(e.From)))
	}
	return strings.Join(lines, "\n")
}

func (s *script) scope(name string) Scope {
	path, inst, at := strings.Cut(name, ":")
	sc := FirmScope()
	switch {
	case path == "firm":
	case strings.Contains(path, "/"):
		sc = StrategyScope(core.StrategyID(indexOf(scriptStrategies, path)))
	default:
		sc = AccountScope(core.AccountID(indexOf(scriptAccounts, path)))
	}
	if at {
		sc.Level, sc.Instrument = LevelInstrument, core.InstrumentID(indexOf(s.names, inst))
	}
	return sc
}

func (s *script) scopeName(sc Scope) string {
	name := "firm"
	if sc.Account != 0 {
		name = "account"
		if int(sc.Account) < len(scriptAccounts) {
			name = scriptAccounts[sc.Account]
		}
	}
	if sc.Strategy != 0 && int(sc.Strategy) < len(scriptStrategies) {
		name = scriptStrategies[sc.Strategy]
	}
	if sc.Level == LevelInstrument && int(sc.Instrument) < len(s.names) {
		name += ":" + s.names[sc.Instrument]
	}
	return name
}

// instrument returns the named instrument; an unknown one is read as BTC.
func (s *script) instrument(name string) *core.Instrument {
	if i := indexOf(s.names, name); i < len(s.names) {
		return s.tree.instruments[i].in
	}
	return s.tree.instruments[1].in
}

func (s *script) amount(text string, scale uint8) int64 {
	v, err := core.ParseDecimal([]byte(text), scale)
	must(err)
	return v
}

// indexOf returns where name stands, one past the end when it does not.
func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return len(names)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
