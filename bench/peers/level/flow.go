package level

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"qcat/bench/peers/tape"
	"qcat/core"
	"qcat/core/book"
	"qcat/feed"
)

type update struct {
	side  core.Side
	price core.Price
	qty   core.Qty
}

// flow is the level updates of a tape: its snapshot, and the messages behind it.
type flow struct {
	snapshot []update
	messages [][]update
	// bests[i] is the sum over the bests after the first i messages of a round that
	// is not the first: from the second on every round is like the one before.
	bests []uint64
}

func newFlow(t *tape.Tape) (*flow, error) {
	f := &flow{}
	last := uint64(0)
	err := t.Messages(func(_ []byte, m *feed.Message) {
		switch {
		case m.Kind == feed.MessageSnapshot:
			f.snapshot, f.messages, last = updates(m), nil, m.LastID
		case m.Kind == feed.MessageDepth && last != 0 && m.LastID > last:
			f.messages = append(f.messages, updates(m))
		}
	})
	if err != nil {
		return nil, err
	}
	if len(f.snapshot) == 0 || len(f.messages) == 0 {
		return nil, errors.New("a tape without a snapshot or without depth behind it")
	}
	b := f.warm(book.NewNaive())
	f.bests = make([]uint64, 1, len(f.messages)+1)
	for i, m := range f.messages {
		apply(b, m)
		f.bests = append(f.bests, f.bests[i]+best(b))
	}
	return f, nil
}

func updates(m *feed.Message) []update {
	us := make([]update, 0, len(m.Bids)+len(m.Asks))
	for _, l := range m.Bids {
		us = append(us, update{core.Buy, l.Price, l.Qty})
	}
	for _, l := range m.Asks {
		us = append(us, update{core.Sell, l.Price, l.Qty})
	}
	return us
}

// warm applies the snapshot and all messages once.
func (f *flow) warm(b levels) levels {
	apply(b, f.snapshot)
	for _, m := range f.messages {
		apply(b, m)
	}
	return b
}

func apply(b levels, us []update) {
	for _, u := range us {
		b.Set(u.side, u.price, u.qty)
	}
}

// best is the best of both sides in one number.
func best(b levels) uint64 {
	bid, _ := b.BestBid()
	ask, _ := b.BestAsk()
	return uint64(bid.Price)*3 + uint64(bid.Qty)*5 + uint64(ask.Price)*7 + uint64(ask.Qty)*11
}

// measure returns the nanoseconds of one level update.
func (f *flow) measure(b levels, d time.Duration) (float64, error) {
	f.warm(b)
	n, at, rounds, sum := 0, 0, uint64(0), uint64(0)
	began := time.Now()
	took := time.Duration(0)
	for took < d {
		for range 16 { // messages between two looks at the clock
			m := f.messages[at]
			apply(b, m)
			sum += best(b)
			n += len(m)
			if at++; at == len(f.messages) {
				at, rounds = 0, rounds+1
			}
		}
		took = time.Since(began)
	}
	if want := rounds*f.bests[len(f.messages)] + f.bests[at]; sum != want {
		return 0, fmt.Errorf("the bests add up to %d, want %d", sum, want)
	}
	return float64(took.Nanoseconds()) / float64(n), f.compare(b, at)
}

// compare holds b, which has gone through the tape at least once and at messages more,
// against the sorted slices.
func (f *flow) compare(b levels, at int) error {
	want := f.warm(book.NewNaive())
	for _, m := range f.messages[:at] {
		apply(want, m)
	}
	for _, side := range []core.Side{core.Buy, core.Sell} {
		if !slices.Equal(b.Levels(side, nil, -1), want.Levels(side, nil, -1)) {
			return fmt.Errorf("the levels of side %v differ from those of the sorted slice", side)
		}
	}
	if h, ok := b.(interface{ Hash() uint64 }); ok && h.Hash() != want.(*book.Naive).Hash() {
		return errors.New("equal levels, and the hashes differ")
	}
	return nil
}

// sideBySide goes through the tape once and compares the best after every update.
func (f *flow) sideBySide(b levels) error {
	want := book.NewNaive()
	for i, m := range append([][]update{f.snapshot}, f.messages...) {
		for _, u := range m {
			b.Set(u.side, u.price, u.qty)
			want.Set(u.side, u.price, u.qty)
			bid, bids := b.BestBid()
			ask, asks := b.BestAsk()
			wantBid, wantBids := want.BestBid()
			wantAsk, wantAsks := want.BestAsk()
			if bid != wantBid || ask != wantAsk || bids != wantBids || asks != wantAsks {
				return fmt.Errorf("message %d: best %v %v, want %v %v", i, bid, ask, wantBid, wantAsk)
			}
		}
	}
	return f.compare(b, 0)
}
