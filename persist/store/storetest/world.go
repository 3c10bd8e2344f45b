package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// world makes random batches about a few instruments, accounts and strategies,
// which it has put into a directory. It makes a State of nothing: rows need not
// follow from any journal, they only have to be kept.
type world struct {
	rng *rand.Rand
	dir *core.Directory
	log store.LogID

	seq    [store.NumStreams]uint64
	now    core.Nanos
	exec   uint64
	order  core.OrderID
	orders []history.Order // made so far
	minute core.Nanos      // of the last equity rows
	quoted map[core.InstrumentID]core.Nanos
	times  []core.Nanos // that rows have

	// extreme makes numbers of the ends of their ranges and texts that look like
	// something else.
	extreme bool
}

const start = core.Nanos(1_700_000_000_000_000_000)

func newWorld(t testing.TB, seed uint64) *world {
	t.Helper()
	w := &world{rng: rand.New(rand.NewPCG(seed, 1)), dir: core.NewDirectory(), now: start, minute: start,
		quoted: map[core.InstrumentID]core.Nanos{}}
	for i := range w.log {
		w.log[i] = byte(w.rng.Uint32())
	}
	for _, in := range []core.Instrument{
		{Symbol: "BTCUSDT", Settle: "USDT", Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1},
		{Symbol: "WHOLE", Settle: "JPY", Kind: core.Spot, ContractSize: 1},
		{Symbol: "BTCUSD_PERP", Settle: "BTC", Kind: core.Inverse, PriceScale: 1, SettleScale: 8, ContractSize: 100},
		{Symbol: "FINE", Settle: "USDT", Kind: core.Linear, PriceScale: 18, QtyScale: 9, SettleScale: 9, ContractSize: 1},
		{Symbol: "测试'; DROP TABLE orders;--", Settle: "USDT", Kind: core.Spot, PriceScale: 8, QtyScale: 8, SettleScale: 8, ContractSize: 1},
	} {
		in.Venue, in.Base, in.Quote, in.TickSize, in.StepSize = "sim", "B", "Q", 1, 1
		in.Symbol = strings.ReplaceAll(in.Symbol, " ", "_")
		in.MaxNotional, in.AskCollarDown = math.MaxInt64, 50_000
		if _, err := w.dir.AddInstrument(in); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"demo", "x'||'y", strings.Repeat("n", core.MaxNameLen)} {
		a, err := w.dir.AddAccount(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.dir.AddStrategy(a.ID, "maker"); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// ends are the numbers at which columns and conversions break.
var ends = [...]int64{0, 1, -1, 9, 10, 99, 100, 1e18, -1e18, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1}

func (w *world) number() int64 {
	if w.extreme && w.rng.IntN(2) == 0 {
		return ends[w.rng.IntN(len(ends))]
	}
	if w.extreme {
		return int64(w.rng.Uint64())
	}
	return w.rng.Int64N(2_000_000) - 1000
}

// count is a number that is neither negative nor above 2^63.
func (w *world) count() uint64 { return uint64(w.number()) &^ (1 << 63) }

func (w *world) wide() core.Int128 {
	if !w.extreme {
		return core.Int128From(w.number())
	}
	switch w.rng.IntN(5) {
	case 0:
		return core.Int128{Hi: math.MaxInt64, Lo: math.MaxUint64}
	case 1:
		return core.Int128{Hi: math.MinInt64}
	case 2:
		return core.Int128{Hi: -1, Lo: w.rng.Uint64()}
	}
	return core.Int128{Hi: w.number(), Lo: w.rng.Uint64()}
}

func (w *world) byte() uint8 {
	if w.extreme {
		return uint8(w.rng.Uint32())
	}
	return uint8(w.rng.IntN(3))
}

func (w *world) flip() bool { return w.rng.IntN(2) == 0 }

// marketTime is what a venue calls its time: anything at all when extreme.
func (w *world) marketTime() core.Nanos {
	if w.extreme {
		return core.Nanos(w.number())
	}
	return w.now + core.Nanos(w.rng.Int64N(2_000_000_000)-1_000_000_000)
}

var texts = [...]string{"", "a", "'", `"`, `\`, `\\x00`, "%s%d", "'); DROP TABLE orders; --", "$1", "?", "NULL", "\t\n\r", "\x01\x7f",
	"Ωμέγα 測試 🚀", "e\u0301", "\u202e", "\ufffd", strings.Repeat("長", 20), "{}", "a,b", "\\N", "\\."}

func (w *world) text() string {
	if w.extreme {
		return texts[w.rng.IntN(len(texts))]
	}
	return fmt.Sprintf("note %d", w.rng.IntN(10))
}

var clOrdIDs = [...]string{"", "c", "';--", "%", "NULL", "$1", "{1,2}", "0123456789abcdefghijklmnopqrstuvwxyz"}

func (w *world) clOrdID() core.ClOrdID {
	id, ok := core.MakeClOrdID(clOrdIDs[w.rng.IntN(len(clOrdIDs))])
	if !ok {
		panic("storetest: not a client order id")
	}
	return id
}

func (w *world) instrument() *core.Instrument {
	all := w.dir.Instruments()
	return all[w.rng.IntN(len(all))]
}

func (w *world) strategy() *core.Strategy {
	all := w.dir.Strategies()
	return all[w.rng.IntN(len(all))]
}

func (w *world) scope() history.Scope {
	s := history.Scope{Level: w.byte()}
	if w.flip() {
		st := w.strategy()
		s.Account, s.Strategy = st.Account, st.ID
	}
	if w.flip() {
		s.Instrument = w.instrument().ID
	}
	return s
}
