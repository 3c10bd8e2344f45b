package book

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"qcat/core"
)

// capture is a recorded session of one instrument, decoded the slow and
// obvious way: these tests are about the book.
type capture struct {
	file     string
	byPrev   bool // continuity by pu (futures), else by U (spot)
	price    uint8
	qty      uint8
	applied  int // known truth: depth messages applied after the snapshot
	bboMatch int // known truth: quotes that name an applied message

	once   sync.Once
	err    error
	frames []frame
}

var (
	spotCapture = &capture{file: "binance/spot-btcusdt-20240808.gz",
		price: 2, qty: 8, applied: 3449, bboMatch: 564}
	usdmCapture = &capture{file: "binance/usdm-btcusdt-20240808.gz",
		byPrev: true, price: 1, qty: 3, applied: 6547, bboMatch: 629}
)

type frameKind uint8

const (
	frameSnapshot frameKind = iota + 1
	frameDepth
	frameQuote
)

// frame is one recorded message: a snapshot, a depth message, or a quote with
// one level a side.
type frame struct {
	kind              frameKind
	first, last, prev uint64
	bids, asks        []core.Level
}

// load returns the capture's frames, or skips the test where there is none.
func (c *capture) load(tb testing.TB) []frame {
	tb.Helper()
	dir := os.Getenv("QCAT_CAPTURES")
	if dir == "" {
		tb.Skip("QCAT_CAPTURES is not set: no recorded market data to test with")
	}
	c.once.Do(func() { c.frames, c.err = c.read(filepath.Join(dir, c.file)) })
	if c.err != nil {
		tb.Fatal(c.err)
	}
	return c.frames
}

func (c *capture) read(name string) ([]frame, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var out []frame
	sc := bufio.NewScanner(zr)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		_, raw, ok := bytes.Cut(sc.Bytes(), []byte(" "))
		if !ok {
			return nil, fmt.Errorf("%s: a line without a frame", name)
		}
		if bytes.Contains(raw[:min(len(raw), 64)], []byte("@trade")) {
			continue
		}
		fr, err := c.frame(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, fr)
	}
	return out, sc.Err()
}

// frame cuts the wanted fields out of a frame. The recordings hold compact JSON
// of a known shape; a general decoder would take most of the test's time.
func (c *capture) frame(raw []byte) (frame, error) {
	f := frame{kind: frameDepth, first: id(raw, `"U":`), last: id(raw, `"u":`), prev: id(raw, `"pu":`)}
	bids, asks := `"b":[`, `"a":[`
	switch {
	case bytes.HasPrefix(raw, []byte(`{"lastUpdateId"`)):
		f.kind, f.last = frameSnapshot, id(raw, `"lastUpdateId":`)
		bids, asks = `"bids":[`, `"asks":[`
	case bytes.Contains(raw[:64], []byte("@bookTicker")):
		f.kind = frameQuote
		bids, asks = `"b":"`, `"a":"`
	}
	if f.last == 0 {
		return f, fmt.Errorf("a frame without an id: %.80s", raw)
	}
	var err error
	if f.bids, err = c.levels(raw, bids, f.kind == frameQuote); err != nil {
		return f, err
	}
	f.asks, err = c.levels(raw, asks, f.kind == frameQuote)
	return f, err
}

// id returns the number after key, 0 when there is none.
func id(raw []byte, key string) uint64 {
	_, rest, _ := bytes.Cut(raw, []byte(key))
	var n uint64
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// levels returns the levels of the list after key: the quoted strings up to its
// end, in pairs of price and quantity. A quote's side is one such pair with the
// quantity under a name of its own.
func (c *capture) levels(raw []byte, key string, quote bool) ([]core.Level, error) {
	_, list, ok := bytes.Cut(raw, []byte(key))
	if !ok {
		return nil, fmt.Errorf("no %s in %.80s", key, raw)
	}
	var words [][]byte
	if quote {
		words = bytes.SplitN(list, []byte(`"`), 6) // price , B : quantity and the rest
		words = [][]byte{nil, words[0], nil, words[4]}
	} else if list[0] == '[' {
		list, _, _ = bytes.Cut(list, []byte("]]"))
		words = bytes.Split(list, []byte(`"`))
	}
	out := make([]core.Level, 0, len(words)/4)
	for i := 1; i+2 < len(words); i += 4 {
		p, errPrice := core.ParseDecimal(words[i], c.price)
		q, errQty := core.ParseDecimal(words[i+2], c.qty)
		if err := errors.Join(errPrice, errQty); err != nil {
			return nil, err
		}
		out = append(out, core.Level{Price: core.Price(p), Qty: core.Qty(q)})
	}
	return out, nil
}

// updater is what Book and Naive have in common.
type updater interface {
	Set(side core.Side, price core.Price, qty core.Qty) bool
	Clear()
	BestBid() (core.Level, bool)
	BestAsk() (core.Level, bool)
	Crossed() bool
	Hash() uint64
}

// session applies a capture to a book by the venue's rules and checks each
// quote that names an applied depth message.
//
// A quote and a depth message belong together when the quote's update id is the
// message's last one. Either may arrive first, and newer quotes may come between
// the two: quotes newer than the book are remembered, and when a depth message
// is applied, the one of its id is compared with the book and those up to it are
// forgotten. A quote that arrives with the id of the message applied last is
// compared at once; one older than the book is too late to be compared.
type session struct {
	c    *capture
	book updater

	waiting           []frame // depth messages before the snapshot
	live              bool
	last              uint64 // last id of the latest depth message applied, 0 for none
	snapshot          uint64
	quotes            []frame // newer than the book, ids ascending
	applied, gaps     int
	checked, matched  int
	crossed, messages int
}

func (s *session) take(f frame) {
	s.messages++
	switch f.kind {
	case frameQuote:
		if s.last == 0 || f.last > s.last {
			s.quotes = append(s.quotes, f)
		} else if f.last == s.last {
			s.compare(f)
		}
	case frameSnapshot:
		s.book.Clear()
		s.levels(f)
		s.live, s.snapshot, s.last = true, f.last, 0
		for _, d := range s.waiting {
			s.depth(d)
		}
		s.waiting = nil
	case frameDepth:
		if s.live {
			s.depth(f)
		} else {
			s.waiting = append(s.waiting, f)
		}
	}
}

func (s *session) depth(f frame) {
	switch {
	case s.last == 0 && s.c.byPrev:
		if f.last < s.snapshot {
			return
		}
		if f.first > s.snapshot {
			s.gaps++
		}
	case s.last == 0:
		if f.last <= s.snapshot {
			return
		}
		if f.first > s.snapshot+1 {
			s.gaps++
		}
	case s.c.byPrev && f.prev != s.last, !s.c.byPrev && f.first != s.last+1:
		s.gaps++
	}
	s.levels(f)
	s.last = f.last
	s.applied++
	if s.book.Crossed() {
		s.crossed++
	}
	for len(s.quotes) > 0 && s.quotes[0].last <= s.last {
		if s.quotes[0].last == s.last {
			s.compare(s.quotes[0])
		}
		s.quotes = s.quotes[1:]
	}
}

func (s *session) levels(f frame) {
	for _, l := range f.bids {
		s.book.Set(core.Buy, l.Price, l.Qty)
	}
	for _, l := range f.asks {
		s.book.Set(core.Sell, l.Price, l.Qty)
	}
}

func (s *session) compare(quote frame) {
	s.checked++
	bid, _ := s.book.BestBid()
	ask, _ := s.book.BestAsk()
	if bid == quote.bids[0] && ask == quote.asks[0] {
		s.matched++
	}
}

func (c *capture) run(tb testing.TB, b updater) *session {
	s := &session{c: c, book: b}
	for _, f := range c.load(tb) {
		s.take(f)
	}
	return s
}

// TestCaptures holds both books against what the venue itself said was best.
func TestCaptures(t *testing.T) {
	captures := []*capture{spotCapture}
	if !raceDetector {
		captures = append(captures, usdmCapture)
	}
	for _, c := range captures {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			t.Parallel()
			fast, naive := New(64), NewNaive()
			for name, s := range map[string]*session{"Book": c.run(t, fast), "Naive": c.run(t, naive)} {
				if s.applied != c.applied || s.gaps != 0 || s.crossed != 0 {
					t.Errorf("%s: applied %d, gaps %d, crossed %d, want %d, 0, 0",
						name, s.applied, s.gaps, s.crossed, c.applied)
				}
				if s.checked != c.bboMatch || s.matched != c.bboMatch {
					t.Errorf("%s: %d of %d quotes match, want %d of %d",
						name, s.matched, s.checked, c.bboMatch, c.bboMatch)
				}
			}
			if fast.Hash() != naive.Hash() {
				t.Errorf("hashes differ: Book %x, Naive %x", fast.Hash(), naive.Hash())
			}
			t.Logf("%d bids, %d asks, hash %016x", fast.Len(core.Buy), fast.Len(core.Sell), fast.Hash())
		})
	}
}
