package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bytedance/sonic"

	"qcat/core"
)

// ErrGap says that a depth frame did not follow the one before it.
var ErrGap = errors.New("client: depth sequence has a gap")

// Book rebuilds a book from the frames of a depth channel. It is stale until the
// first snapshot, after a gap, and when the server says so. One goroutine: the
// connection's, when Apply is a Sub's handler.
type Book struct {
	// PriceScale and QtyScale are the decimals of the levels, taken from the first
	// frame that has one.
	PriceScale, QtyScale uint8

	levels    Levels
	seq       uint64
	live      bool
	known     bool
	snapshots int
	err       error
}

// NewBook returns an empty, stale book.
func NewBook() *Book { return &Book{} }

// Book returns the levels, for reading until the next Apply.
func (b *Book) Book() *Levels { return &b.levels }

// Bids returns the bids from best to worst, for reading until the next Apply.
func (b *Book) Bids() []core.Level { return b.levels.bids }

// Asks returns the offers from best to worst, for reading until the next Apply.
func (b *Book) Asks() []core.Level { return b.levels.asks }

// Live reports whether the book may be trusted.
func (b *Book) Live() bool { return b.live }

// Seq is that of the last frame applied.
func (b *Book) Seq() uint64 { return b.seq }

// Snapshots is how many whole books were received.
func (b *Book) Snapshots() int { return b.snapshots }

// Err returns the first thing that was wrong with a frame, nil if nothing was.
func (b *Book) Err() error { return b.err }

// Apply takes one frame into account. It is a Sub's handler.
func (b *Book) Apply(m *Message) {
	var d Depth
	if err := sonic.Unmarshal(m.Data, &d); err != nil {
		b.fail(err)
		return
	}
	switch {
	case d.Snapshot:
		b.levels.clear()
		b.live = true
		b.snapshots++
	case !b.live && b.seq == 0:
		return // nothing to apply changes to yet
	case m.Seq != b.seq+1:
		b.fail(fmt.Errorf("%w: %d after %d", ErrGap, m.Seq, b.seq))
		return
	}
	b.seq = m.Seq
	if d.Stale {
		b.live = false
	}
	if err := b.apply(core.Buy, d.Bids); err != nil {
		b.fail(err)
		return
	}
	if err := b.apply(core.Sell, d.Asks); err != nil {
		b.fail(err)
	}
}

func (b *Book) fail(err error) {
	b.live = false
	if b.err == nil {
		b.err = err
	}
}

func (b *Book) apply(side core.Side, levels [][2]string) error {
	for _, l := range levels {
		if !b.known {
			b.PriceScale, b.QtyScale, b.known = decimals(l[0]), decimals(l[1]), true
		}
		p, err := core.ParseDecimal([]byte(l[0]), b.PriceScale)
		if err != nil {
			return fmt.Errorf("client: price %q: %w", l[0], err)
		}
		q, err := core.ParseDecimal([]byte(l[1]), b.QtyScale)
		if err != nil {
			return fmt.Errorf("client: quantity %q: %w", l[1], err)
		}
		b.levels.set(side, core.Price(p), core.Qty(q))
	}
	return nil
}

// decimals is the number of digits after the point.
func decimals(s string) uint8 {
	if i := strings.IndexByte(s, '.'); i >= 0 {
		return uint8(min(len(s)-i-1, core.MaxScale))
	}
	return 0
}
