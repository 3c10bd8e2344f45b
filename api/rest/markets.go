package rest

import (
	"context"

	"github.com/valyala/fasthttp"

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

// book answers with the best levels of a book.
func (s *Server) book(c exchange) {
	q := s.query(c, "depth")
	n := q.count("depth", defaultLevels, maxLevels)
	if !q.ok {
		return
	}
	in, ok := s.pathInstrument(c)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	b, err := s.cfg.Market.Book(ctx, in.ID, n)
	if err != nil {
		marketError(c, err)
		return
	}
	answer(c, fasthttp.StatusOK, wire.AppendBook(nil, in, &b))
}
