package rest

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/valyala/fasthttp"

	"qcat/api/hub"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/history"
)

// Lists of market data go back through the hub's memory into the store. Each page
// is oldest first; the next one is older. Where the store cannot tell, a page ends
// with what is in memory, and the next one says that the store cannot.

// wholeMemory is more than the hub keeps of one instrument.
const wholeMemory = 1 << 14

// pathInstrument is the instrument that the path names, or an answer that there is
// none.
func (s *Server) pathInstrument(c exchange) (*core.Instrument, bool) {
	in := s.cfg.Directory.InstrumentNamed(c.tail)
	if in == nil {
		problem(c, &wire.Problem{Status: fasthttp.StatusNotFound, Code: wire.CodeNotFound, Title: "Not found", Detail: "no instrument " + c.tail + wire.InstrumentsHint, Field: "instrument"})
	}
	return in, in != nil
}

// marketError answers a question that the market goroutine did not.
func marketError(c exchange, err error) {
	code := wire.CodeUnavailable
	if errors.Is(err, hub.ErrOverloaded) {
		code = wire.CodeOverloaded
	}
	unavailable(c, code, err.Error())
}

// inMemory is how many rows of its memory the hub is asked for.
func (p *page) inMemory() int {
	if p.plain() {
		return p.limit + 1
	}
	return wholeMemory
}

// recent keeps the rows of the hub's memory that belong on the page or after it,
// newest first.
func recent[T any](rows []T, p *page, key func(*T) cursor) []T {
	var out []T
	for i := len(rows) - 1; i >= 0; i-- {
		k := key(&rows[i])
		at := core.Nanos(k.key)
		if at >= p.from && (p.to == 0 || at < p.to) && (!p.cursor.set || newerKey(p.cursor, k) < 0) {
			out = append(out, rows[i])
		}
	}
	slices.SortStableFunc(out, func(x, y T) int { return newerKey(key(&x), key(&y)) })
	return out
}

// newerKey orders keys of market data newest first: times, and ids of one time.
func newerKey(x, y cursor) int {
	return cmp.Or(cmp.Compare(int64(y.key), int64(x.key)), cmp.Compare(y.minor, x.minor))
}

// tickPage is one page put together of memory and store.
type tickPage[T any] struct {
	page   *page
	memory []T // newest first
	// covered says that nothing older can belong on the page.
	covered bool
	key     func(*T) cursor
	better  func(x, y *T) *T
	// store asks for limit rows, newest first; behind says that it has not come to
	// where the memory begins.
	store  func(limit int) ([]T, error)
	behind bool
}

// rows returns the page, oldest first, and where it ends if more may follow.
func (t *tickPage[T]) rows() ([]T, cursor, error) {
	all, short := t.memory, false
	if len(all) <= t.page.limit && !t.covered {
		old, err := []T(nil), errBehind
		if !t.behind {
			old, err = t.store(t.page.limit + 1)
		}
		switch {
		case err == nil:
			all = mergeNewest(all, old, t.page.limit+1, func(x, y *T) int { return newerKey(t.key(x), t.key(y)) }, t.better)
		case len(all) == 0:
			return nil, cursor{}, err
		default:
			short = true
		}
	}
	out, next := cut(all, t.page.limit, t.key)
	if short && len(out) > 0 {
		next = t.key(&out[len(out)-1])
	}
	out = slices.Clone(out)
	slices.Reverse(out)
	return out, next, nil
}

// trades lists trades of an instrument.
func (s *Server) trades(c exchange) {
	q, p := s.paged(c, defaultRecent, maxRecent)
	if !q.ok {
		return
	}
	in, ok := s.pathInstrument(c)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	memory, err := s.cfg.Market.Trades(ctx, in.ID, p.inMemory())
	if err != nil {
		marketError(c, err)
		return
	}
	t := tickPage[wire.Trade]{page: &p, key: tradeKey, better: first[wire.Trade], memory: recent(memory, &p, tradeKey),
		covered: s.cfg.History == nil}
	if len(memory) > 0 {
		oldest := slices.MinFunc(memory, func(x, y wire.Trade) int { return newerKey(tradeKey(&y), tradeKey(&x)) })
		t.covered = t.covered || oldest.ExchangeTime < p.from
		t.behind = s.cfg.HistoryTime != nil && s.cfg.HistoryTime() < oldest.ReceiveTime
	}
	t.store = func(limit int) ([]wire.Trade, error) {
		rows, err := s.cfg.History.Trades(ctx, history.TradeQuery{Instrument: in.ID, From: p.from, To: p.to,
			Before: history.TradeKey{Time: core.Nanos(p.cursor.key), ID: p.cursor.minor}, Limit: limit})
		return strip(rows, func(r *history.Trade) wire.Trade {
			return wire.Trade{ID: r.ID, Price: r.Price, Qty: r.Qty, ExchangeTime: r.ExchangeTime, ReceiveTime: r.ReceiveTime, Side: r.Side}
		}), err
	}
	rows, next, err := t.rows()
	if err != nil {
		s.noHistory(c, err)
		return
	}
	listPage(c, &p, next, len(rows), func(dst []byte, i int) []byte { return wire.AppendTradeRecord(dst, in, &rows[i]) })
}

func tradeKey(t *wire.Trade) cursor {
	return cursor{set: true, key: uint64(t.ExchangeTime), minor: t.ID}
}

// intervals are the widths that candles are asked for by.
var intervals = map[string]core.Nanos{"": core.CandleInterval, "1s": history.CandleIntervals[0], "1m": history.CandleIntervals[1], "1h": history.CandleIntervals[2]}

// candles lists candles of an instrument, an open one last. Of the one-minute ones
// the latest are in memory, the others in the store alone.
func (s *Server) candles(c exchange) {
	q, p := s.paged(c, defaultRecent, maxRecent, "interval")
	interval, ok := intervals[q.text("interval")]
	if !ok {
		q.bad("interval", "wanted 1s, 1m or 1h")
	}
	if !q.ok {
		return
	}
	in, ok := s.pathInstrument(c)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	t := tickPage[history.Candle]{page: &p, key: candleKey, better: betterCandle}
	if interval == core.CandleInterval {
		memory, err := s.cfg.Market.Candles(ctx, in.ID, p.inMemory())
		if err != nil {
			marketError(c, err)
			return
		}
		rows := strip(memory, func(m *core.Candle) history.Candle {
			return history.Candle{Instrument: in.ID, Interval: interval, Candle: *m}
		})
		t.memory = recent(rows, &p, candleKey)
		// The oldest one may lack what traded before the process started.
		t.covered = s.cfg.History == nil || len(rows) > 0 && rows[0].OpenTime < p.from
	}
	t.store = func(limit int) ([]history.Candle, error) {
		return fromStore(s, func(ctx context.Context, r history.Reader) ([]history.Candle, error) {
			return r.Candles(ctx, history.CandleQuery{Instrument: in.ID, Interval: interval, From: p.from, To: p.to,
				Before: core.Nanos(p.cursor.key), Limit: limit})
		})
	}
	rows, next, err := t.rows()
	if err != nil {
		s.noHistory(c, err)
		return
	}
	listPage(c, &p, next, len(rows), func(dst []byte, i int) []byte { return wire.AppendCandleRecord(dst, in, &rows[i]) })
}

func candleKey(k *history.Candle) cursor { return cursor{set: true, key: uint64(k.OpenTime)} }

// betterCandle is the one that has seen more trades: memory begins with the
// process, and the store lags behind.
func betterCandle(x, y *history.Candle) *history.Candle {
	if y.Trades > x.Trades || y.Trades == x.Trades && y.Closed {
		return y
	}
	return x
}

// pastQuotes lists the sampled quotes of an instrument, oldest first.
func (s *Server) pastQuotes(c exchange) {
	q, p := s.paged(c, defaultRecent, maxRecent)
	if !q.ok {
		return
	}
	in, ok := s.pathInstrument(c)
	if !ok {
		return
	}
	rows, err := fromStore(s, func(ctx context.Context, r history.Reader) ([]history.Quote, error) {
		return r.Quotes(ctx, history.QuoteQuery{Instrument: in.ID, From: p.from, To: p.to, Before: core.Nanos(p.cursor.key), Limit: p.limit + 1})
	})
	if err != nil {
		s.noHistory(c, err)
		return
	}
	rows, next := cut(rows, p.limit, func(k *history.Quote) cursor { return cursor{set: true, key: uint64(k.ReceiveTime)} })
	slices.Reverse(rows)
	listPage(c, &p, next, len(rows), func(dst []byte, i int) []byte { return wire.AppendQuoteRecord(dst, in, &rows[i]) })
}
