package fakevenue

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"qcat/core"
	"qcat/core/book"
	"qcat/feed/binance"
)

// SyntheticConfig describes a generated Source. Zero fields take the defaults.
type SyntheticConfig struct {
	Market   binance.Market // default: binance.USDM
	Symbols  []string       // default: BTCUSDT, ETHUSDT
	Seed     uint64
	Messages int // frames of all symbols together; default 2000
	Levels   int // levels a side at the start; default 50
}

// Bounds of what the generator does in one depth update.
const (
	maxChanges = 12
	tickWidth  = 400 // levels lie within so many ticks of the middle
)

// synthetic is one symbol's market while it is generated.
type synthetic struct {
	in     core.Instrument
	market binance.Market
	rng    *rand.Rand
	book   *book.Naive
	mid    core.Price // in ticks; bids lie below, offers at or above
	last   uint64     // update id
	trade  uint64
	millis int64
}

// Synthetic generates a market that walks at random: depth updates, a
// bookTicker with the update id and best levels of the depth before it, trades
// and, on USD-M, mark prices. The book never crosses. The same configuration
// gives the same frames, byte for byte.
func Synthetic(cfg SyntheticConfig) *Source {
	if cfg.Market == 0 {
		cfg.Market = binance.USDM
	}
	if cfg.Symbols == nil {
		cfg.Symbols = []string{"BTCUSDT", "ETHUSDT"}
	}
	if cfg.Messages == 0 {
		cfg.Messages = 2000
	}
	if cfg.Levels == 0 {
		cfg.Levels = 50
	}
	src := &Source{Market: cfg.Market, Initial: map[string]Book{}}
	var markets []*synthetic
	for i, symbol := range cfg.Symbols {
		m := newSynthetic(cfg, i, symbol)
		src.Instruments = append(src.Instruments, m.in)
		src.Initial[symbol] = Book{LastUpdateID: m.last, Millis: m.millis,
			Bids: m.book.Levels(core.Buy, nil, -1), Asks: m.book.Levels(core.Sell, nil, -1)}
		markets = append(markets, m)
	}
	turn := rand.New(rand.NewPCG(cfg.Seed, 1<<32))
	for len(src.Frames) < cfg.Messages {
		src.Frames = append(src.Frames, markets[turn.IntN(len(markets))].frame())
	}
	return src
}

func newSynthetic(cfg SyntheticConfig, i int, symbol string) *synthetic {
	base := strings.TrimSuffix(symbol, "USDT")
	in := core.Instrument{Venue: cfg.Market.Venue(), Symbol: symbol, Base: base, Quote: "USDT", Settle: "USDT",
		Kind: cfg.Market.ContractKind(), PriceScale: 8, QtyScale: 8, SettleScale: binance.SettleScale, ContractSize: 1,
		TickSize: 1_000_000, StepSize: 1_000, MinQty: 1_000, MaxQty: 9_000_00000000, MinNotional: 5_00000000}
	if cfg.Market == binance.USDM {
		in.PriceScale, in.QtyScale = 2, 3
		in.TickSize, in.StepSize, in.MinQty, in.MaxQty = 10, 1, 1, 1_000_000
		in.BidCollarUp, in.AskCollarDown = 50_000, 50_000
	}
	m := &synthetic{in: in, market: cfg.Market, rng: rand.New(rand.NewPCG(cfg.Seed, uint64(i))), book: book.NewNaive(),
		mid: core.Price(600_000 + 1_000*i), last: 1_000_000 * uint64(i+1), trade: 5_000 * uint64(i+1), millis: 1_700_000_000_000}
	for range cfg.Levels {
		m.book.Set(core.Buy, m.price(core.Buy), m.qty())
		m.book.Set(core.Sell, m.price(core.Sell), m.qty())
	}
	return m
}

// price returns a price on that side of the middle, likelier near it.
func (m *synthetic) price(side core.Side) core.Price {
	ticks := core.Price(m.rng.IntN(1 + m.rng.IntN(tickWidth)))
	if side == core.Buy {
		return (m.mid - 1 - ticks) * m.in.TickSize
	}
	return (m.mid + ticks) * m.in.TickSize
}

func (m *synthetic) qty() core.Qty { return core.Qty(1+m.rng.IntN(5_000)) * m.in.StepSize }

// frame returns what happens next.
func (m *synthetic) frame() Frame {
	m.millis += int64(m.rng.IntN(20))
	switch n := m.rng.IntN(100); {
	case n < 50:
		return m.depth()
	case n < 70:
		return m.quote()
	case n < 98 || m.market == binance.Spot:
		return m.trades()
	default:
		return m.mark()
	}
}

// depth moves the middle, removes what it ran over, and changes some levels.
func (m *synthetic) depth() Frame {
	m.mid += core.Price(m.rng.IntN(5) - 2)
	d := &Depth{Millis: m.millis}
	set := func(side core.Side, p core.Price, q core.Qty) {
		m.book.Set(side, p, q)
		list := &d.Bids
		if side == core.Sell {
			list = &d.Asks
		}
		*list = append(*list, core.Level{Price: p, Qty: q})
	}
	for best, ok := m.book.BestBid(); ok && best.Price >= m.mid*m.in.TickSize; best, ok = m.book.BestBid() {
		set(core.Buy, best.Price, 0)
	}
	for best, ok := m.book.BestAsk(); ok && best.Price < m.mid*m.in.TickSize; best, ok = m.book.BestAsk() {
		set(core.Sell, best.Price, 0)
	}
	for range 1 + m.rng.IntN(maxChanges) {
		side := core.Side(1 + m.rng.IntN(2))
		if q := m.qty(); m.rng.IntN(5) > 0 || m.book.Len(side) < 3 {
			set(side, m.price(side), q)
		} else {
			levels := m.book.Levels(side, nil, -1)
			set(side, levels[m.rng.IntN(len(levels))].Price, 0)
		}
	}
	prev := m.last
	first := prev + 1
	if m.market == binance.USDM {
		first += uint64(m.rng.IntN(50)) // USD-M leaves holes: only pu tells the order
	}
	m.last = first + uint64(m.rng.IntN(30))
	d.Last = m.last
	return m.depthFrame(d, first, prev)
}

func (m *synthetic) depthFrame(d *Depth, first, prev uint64) Frame {
	b := fmt.Appendf(nil, `{"e":"depthUpdate","E":%d,`, m.millis)
	stream := "depth@100ms"
	if m.market == binance.USDM {
		stream = "depth@0ms"
		b = fmt.Appendf(b, `"T":%d,`, m.millis-1)
	}
	b = fmt.Appendf(b, `"s":%q,"U":%d,"u":%d,`, m.in.Symbol, first, d.Last)
	if m.market == binance.USDM {
		b = fmt.Appendf(b, `"pu":%d,`, prev)
	}
	b = appendLevels(append(b, `"b":`...), &m.in, d.Bids)
	b = appendLevels(append(b, `,"a":`...), &m.in, d.Asks)
	f := m.made(stream, append(b, '}'))
	f.Depth = d
	return f
}

func (m *synthetic) made(stream string, payload []byte) Frame {
	stream = strings.ToLower(m.in.Symbol) + "@" + stream
	return Frame{Stream: stream, Symbol: m.in.Symbol, Payload: payload, Wrapped: wrap(stream, payload)}
}

func (m *synthetic) quote() Frame {
	bid, _ := m.book.BestBid()
	ask, _ := m.book.BestAsk()
	b := []byte(`{`)
	if m.market == binance.USDM {
		b = append(b, `"e":"bookTicker",`...)
	}
	b = fmt.Appendf(b, `"u":%d,"s":%q,"b":%q,"B":%q,"a":%q,"A":%q`, m.last, m.in.Symbol,
		m.showPrice(bid.Price), m.showQty(bid.Qty), m.showPrice(ask.Price), m.showQty(ask.Qty))
	if m.market == binance.USDM {
		b = fmt.Appendf(b, `,"T":%d,"E":%d`, m.millis-1, m.millis)
	}
	return m.made("bookTicker", append(b, '}'))
}

func (m *synthetic) showPrice(p core.Price) string {
	return core.FormatDecimal(int64(p), m.in.PriceScale)
}
func (m *synthetic) showQty(q core.Qty) string { return core.FormatDecimal(int64(q), m.in.QtyScale) }

func (m *synthetic) trades() Frame {
	m.trade++
	best, buyerMade := core.Level{}, m.rng.IntN(2) == 0
	if buyerMade {
		best, _ = m.book.BestBid()
	} else {
		best, _ = m.book.BestAsk()
	}
	b := fmt.Appendf(nil, `{"e":"trade","E":%d,`, m.millis)
	if m.market == binance.USDM {
		b = fmt.Appendf(b, `"T":%d,`, m.millis-1)
	}
	b = fmt.Appendf(b, `"s":%q,"t":%d,"p":%q,"q":%q,`, m.in.Symbol, m.trade, m.showPrice(best.Price), m.showQty(m.qty()))
	if m.market == binance.USDM {
		b = fmt.Appendf(b, `"X":"MARKET","m":%t}`, buyerMade)
	} else {
		b = fmt.Appendf(b, `"T":%d,"m":%t,"M":true}`, m.millis-1, buyerMade)
	}
	return m.made("trade", b)
}

func (m *synthetic) mark() Frame {
	p := core.FormatDecimal(int64(m.mid*m.in.TickSize)*1_000_000+int64(m.rng.IntN(1_000_000)), m.in.PriceScale+6)
	return m.made("markPrice@1s", fmt.Appendf(nil,
		`{"e":"markPriceUpdate","E":%d,"s":%q,"p":%q,"i":%q,"P":%q,"r":"0.00010000","T":%d}`, m.millis, m.in.Symbol, p, p, p, m.millis+1_000_000))
}
