package hub

import (
	"context"
	"errors"

	"qcat/api/wire"
	"qcat/core"
)

// Errors of queries.
var (
	ErrClosed            = errors.New("hub: not running")
	ErrOverloaded        = errors.New("hub: too many requests are waiting")
	ErrUnknownInstrument = errors.New("hub: unknown instrument")
)

// query runs f on the market goroutine and waits for it. When ctx ends first f
// may still run: it must write only to what the caller then leaves alone.
func (m *feedHandler) query(ctx context.Context, id core.InstrumentID, f func(*instrument)) error {
	if m.cfg.Directory.Instrument(id) == nil {
		return ErrUnknownInstrument
	}
	done := make(chan struct{})
	ok := m.inbox.post(command{op: opRun, run: func() {
		if it := m.instrument(id); it != nil {
			f(it)
		}
		close(done)
	}})
	if !ok {
		if m.stop.Load() {
			return ErrClosed
		}
		return ErrOverloaded
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Book returns the best n levels of each side of an instrument's book. The first
// look at an instrument that nothing has been heard of returns a stale, empty
// one, and asks the lane for it.
func (h *Hub) Book(ctx context.Context, id core.InstrumentID, n int) (wire.BookSnapshot, error) {
	m := &h.market
	out := new(wire.BookSnapshot)
	err := m.query(ctx, id, func(*instrument) {
		b := m.replica(id)
		*out = wire.BookSnapshot{
			Bids: b.Book().Levels(core.Buy, nil, n), Asks: b.Book().Levels(core.Sell, nil, n),
			Seq: b.Seq(), ExchangeTime: b.ExchangeTime(), ReceiveTime: b.ReceiveTime(),
			Stale: b.Stale(), Crossed: b.Book().Crossed(),
		}
	})
	if err != nil {
		return wire.BookSnapshot{}, err
	}
	return *out, nil
}

// Trades returns the last n trades of an instrument, oldest first; at most
// Config.TradeHistory are kept.
func (h *Hub) Trades(ctx context.Context, id core.InstrumentID, n int) ([]wire.Trade, error) {
	out := new([]wire.Trade)
	err := h.market.query(ctx, id, func(it *instrument) {
		*out = it.trades.appendLast(make([]wire.Trade, 0, max(0, min(n, len(it.trades.buf)))), n)
	})
	if err != nil {
		return nil, err
	}
	return *out, nil
}

// Candles returns the last n candles of an instrument, oldest first, the open
// one included; at most Config.CandleHistory closed ones are kept.
func (h *Hub) Candles(ctx context.Context, id core.InstrumentID, n int) ([]core.Candle, error) {
	out := new([]core.Candle)
	err := h.market.query(ctx, id, func(it *instrument) {
		cur, open := it.builder.Current()
		if open && n > 0 {
			n--
		}
		*out = it.candles.appendLast(make([]core.Candle, 0, n+1), n)
		if open {
			*out = append(*out, cur)
		}
	})
	if err != nil {
		return nil, err
	}
	return *out, nil
}
