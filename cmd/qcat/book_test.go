package main

import (
	"slices"
	"sync"
	"testing"

	"qcat/api/client"
	"qcat/core"
)

// rebuilt is a book that a client rebuilds from a depth channel.
type rebuilt struct {
	mu     sync.Mutex
	book   *client.Book
	frames int
	stale  int // frames after which it was not to be trusted, since it first was
	seen   bool
}

// rebuild subscribes to the depth of an instrument.
func rebuild(t *testing.T, c *client.Conn, instrument string) *rebuilt {
	t.Helper()
	b := &rebuilt{book: client.NewBook()}
	if err := c.Subscribe(t.Context(), client.Sub{Channel: "depth:" + instrument, Handle: b.apply}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *rebuilt) apply(m *client.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.book.Apply(m)
	b.frames++
	b.seen = b.seen || b.book.Live()
	if b.seen && !b.book.Live() {
		b.stale++
	}
}

// counts returns how many frames and whole books came, and how often it was stale.
func (b *rebuilt) counts() (frames, snapshots, stale int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.frames, b.book.Snapshots(), b.stale
}

func (b *rebuilt) live() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.book.Live()
}

// equals reports whether the book is live and has exactly these levels, best
// ones first.
func (b *rebuilt) equals(in *core.Instrument, bids, asks []core.Level) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.book.Live() && b.book.PriceScale == in.PriceScale && b.book.QtyScale == in.QtyScale &&
		slices.Equal(b.book.Bids(), bids) && slices.Equal(b.book.Asks(), asks)
}

// check compares level by level and tells the first that differs.
func (b *rebuilt) check(t *testing.T, in *core.Instrument, bids, asks []core.Level) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.book.Err(); err != nil {
		t.Errorf("%s: %v", in.Name(), err)
	}
	if b.book.PriceScale != in.PriceScale || b.book.QtyScale != in.QtyScale {
		t.Fatalf("%s: %d and %d decimals, want %d and %d", in.Name(), b.book.PriceScale, b.book.QtyScale, in.PriceScale, in.QtyScale)
	}
	if len(bids) == 0 || len(asks) == 0 {
		t.Fatalf("%s: the truth has an empty side", in.Name())
	}
	for side, levels := range map[string][2][]core.Level{"bid": {b.book.Bids(), bids}, "ask": {b.book.Asks(), asks}} {
		got, want := levels[0], levels[1]
		if len(got) != len(want) {
			t.Errorf("%s: %d %s levels, want %d", in.Name(), len(got), side, len(want))
		}
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("%s: %s %d is %v, want %v", in.Name(), side, i, got[i], want[i])
			}
		}
	}
}
