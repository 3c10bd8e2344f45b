package rest

import (
	"context"
	"errors"

	"github.com/valyala/fasthttp"

	"qcat/api/hub"
	"qcat/api/wire"
	"qcat/core"
)

// Levels and elements that one answer holds.
const (
	defaultLevels = 100
	maxLevels     = 5_000
	defaultRecent = 100
	maxRecent     = 1_500
)

// instruments lists what is traded.
func (s *Server) instruments(c exchange) {
	q := s.query(c, "instrument", "venue")
	venue, id := q.text("venue"), q.instrument()
	if !q.ok {
		return
	}
	all := s.cfg.Directory.Instruments()
	kept := all[:0]
	for _, in := range all {
		if !q.none && (id == 0 || in.ID == id) && (venue == "" || in.Venue == venue) {
			kept = append(kept, in)
		}
	}
	list(c, len(kept), func(dst []byte, i int) []byte { return wire.AppendInstrument(dst, kept[i]) })
}

// quotes lists the quote table's rows, of all instruments that have one.
func (s *Server) quotes(c exchange) {
	q := s.query(c, "instrument")
	id := q.instrument()
	if !q.ok {
		return
	}
	type row struct {
		in *core.Instrument
		q  core.Quote
	}
	var rows []row
	for _, in := range s.cfg.Directory.Instruments() {
		var r row
		if !q.none && (id == 0 || in.ID == id) && s.cfg.Quotes.Load(in.ID, &r.q) {
			r.in = in
			rows = append(rows, r)
		}
	}
	list(c, len(rows), func(dst []byte, i int) []byte { return wire.AppendQuote(dst, rows[i].in, &rows[i].q) })
}

// ask runs a question to the market goroutine about the instrument that the path
// names, for n elements at most.
func (s *Server) ask(c exchange, parameter string, def, most int, f func(ctx context.Context, in *core.Instrument, n int) error) {
	q := s.query(c, parameter)
	n := q.count(parameter, def, most)
	if !q.ok {
		return
	}
	in := s.cfg.Directory.InstrumentNamed(c.tail)
	if in == nil {
		problem(c, &wire.Problem{Status: fasthttp.StatusNotFound, Code: wire.CodeNotFound, Title: "Not found", Detail: "no instrument " + c.tail, Field: "instrument"})
		return
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	err := f(ctx, in, n)
	if err == nil {
		return
	}
	code := wire.CodeUnavailable
	if errors.Is(err, hub.ErrOverloaded) {
		code = wire.CodeOverloaded
	}
	unavailable(c, code, err.Error())
}

// book answers with the best levels of a book.
func (s *Server) book(c exchange) {
	s.ask(c, "depth", defaultLevels, maxLevels, func(ctx context.Context, in *core.Instrument, n int) error {
		b, err := s.cfg.Market.Book(ctx, in.ID, n)
		if err == nil {
			answer(c, fasthttp.StatusOK, wire.AppendBook(nil, in, &b))
		}
		return err
	})
}

// trades lists recent trades, oldest first.
func (s *Server) trades(c exchange) {
	s.ask(c, "limit", defaultRecent, maxRecent, func(ctx context.Context, in *core.Instrument, n int) error {
		trades, err := s.cfg.Market.Trades(ctx, in.ID, n)
		if err == nil {
			list(c, len(trades), func(dst []byte, i int) []byte { return wire.AppendTradeRecord(dst, in, &trades[i]) })
		}
		return err
	})
}

// candles lists one-minute candles, oldest first, the open one last.
func (s *Server) candles(c exchange) {
	s.ask(c, "limit", defaultRecent, maxRecent, func(ctx context.Context, in *core.Instrument, n int) error {
		candles, err := s.cfg.Market.Candles(ctx, in.ID, n)
		if err == nil {
			list(c, len(candles), func(dst []byte, i int) []byte { return wire.AppendCandle(dst, in, &candles[i]) })
		}
		return err
	})
}
