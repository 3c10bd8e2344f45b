package book

import (
	"fmt"
	"path/filepath"
	"testing"

	"qcat/core"
)

// update is one level update of a capture.
type update struct {
	side  core.Side
	price core.Price
	qty   core.Qty
}

// stream returns the capture's snapshot and, message by message, the level
// updates that apply after it.
func (c *capture) stream(tb testing.TB) (snapshot []update, messages [][]update) {
	s := &session{c: c, book: NewNaive()}
	for _, f := range c.load(tb) {
		before := s.applied
		s.take(f)
		switch {
		case f.kind == frameSnapshot:
			snapshot = f.updates()
		case s.applied != before:
			messages = append(messages, f.updates())
		}
	}
	return snapshot, messages
}

func (f frame) updates() []update {
	out := make([]update, 0, len(f.bids)+len(f.asks))
	for _, l := range f.bids {
		out = append(out, update{core.Buy, l.Price, l.Qty})
	}
	for _, l := range f.asks {
		out = append(out, update{core.Sell, l.Price, l.Qty})
	}
	return out
}

// BenchmarkSet replays the level updates of a capture after its snapshot, over
// and over, and reports the time of one level update. The books it ends with
// are compared with the naive one's.
//
// spot: 3 400 messages of 36 levels, 1 200 to 2 200 levels a side; usdm: 6 500
// messages of 68 levels, 5 000 levels a side. The median update is 100 to 200
// levels away from the best.
func BenchmarkSet(b *testing.B) {
	for _, c := range []*capture{spotCapture, usdmCapture} {
		b.Run(filepath.Base(c.file), func(b *testing.B) {
			snapshot, messages := c.stream(b)
			fast, naive := New(32), NewNaive()
			for _, u := range snapshot {
				fast.Set(u.side, u.price, u.qty)
				naive.Set(u.side, u.price, u.qty)
			}
			for _, m := range messages {
				for _, u := range m {
					fast.Set(u.side, u.price, u.qty)
					naive.Set(u.side, u.price, u.qty)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				for _, m := range messages {
					for _, u := range m {
						fast.Set(u.side, u.price, u.qty)
					}
					n += len(m)
					if n >= b.N {
						break
					}
				}
			}
			b.StopTimer()
			for _, m := range messages {
				for _, u := range m {
					fast.Set(u.side, u.price, u.qty)
				}
			}
			for _, m := range messages {
				for _, u := range m {
					naive.Set(u.side, u.price, u.qty)
				}
			}
			if fast.Hash() != naive.Hash() {
				b.Fatal("Book and Naive differ after the replay")
			}
		})
	}
}

// BenchmarkInstruments deals the messages of the USD-M capture out to many books
// in turn, so that a message meets a book that nobody touched since the round
// before, and reports the time of one level update. Of each message the levels
// within bandTicks of the capture's first prices count, so that all books settle
// at some two hundred levels. It shows what the number of instruments costs: the
// cache misses at the first level of each message, not the algorithm.
func BenchmarkInstruments(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			snapshot, messages := usdmCapture.band(b)
			books := make([]*Book, n)
			for i := range books {
				books[i] = New(0)
				books[i].apply(snapshot)
				for j := range 40 {
					books[i].applySides(&messages[(i+j*31)%len(messages)])
				}
			}
			at, done := 0, 0
			b.ReportAllocs()
			b.ResetTimer()
			for done < b.N {
				m := &messages[at%len(messages)]
				bk := books[at%n]
				bk.Ahead() // as the lane does
				bk.AheadOf(m.bids, m.asks)
				bk.applySides(m)
				at++
				done += len(m.bids) + len(m.asks)
			}
			b.StopTimer()
			levels := 0
			for _, bk := range books {
				levels += bk.Len(core.Buy) + bk.Len(core.Sell)
			}
			if levels < 50*n {
				b.Fatalf("%d levels in %d books: the workload is not what it should be", levels, n)
			}
			b.ReportMetric(float64(levels)/float64(n), "levels/book")
		})
	}
}

func (b *Book) apply(m []update) {
	for _, u := range m {
		b.Set(u.side, u.price, u.qty)
	}
}

// sides is a message by side.
type sides struct{ bids, asks []core.Level }

func (b *Book) applySides(m *sides) {
	for _, l := range m.bids {
		b.Set(core.Buy, l.Price, l.Qty)
	}
	for _, l := range m.asks {
		b.Set(core.Sell, l.Price, l.Qty)
	}
}

const bandTicks = 100

// band returns the capture's snapshot and messages, cut to the levels near its
// first prices.
func (c *capture) band(tb testing.TB) (snapshot []update, messages []sides) {
	whole, all := c.stream(tb)
	near := func(updates []update) (kept []update) {
		for _, u := range updates {
			if d := u.price - whole[0].price; -bandTicks <= d && d <= bandTicks {
				kept = append(kept, u)
			}
		}
		return kept
	}
	for _, m := range all {
		var s sides
		for _, u := range near(m) {
			l := core.Level{Price: u.price, Qty: u.qty}
			if u.side == core.Buy {
				s.bids = append(s.bids, l)
			} else {
				s.asks = append(s.asks, l)
			}
		}
		if len(s.bids)+len(s.asks) > 0 {
			messages = append(messages, s)
		}
	}
	return near(whole), messages
}

// BenchmarkHash hashes the book that a capture ends with.
func BenchmarkHash(b *testing.B) {
	fast := New(32)
	usdmCapture.run(b, fast)
	want := fast.Hash()
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if fast.Hash() != want {
			b.Fatal("the hash changed")
		}
	}
}
