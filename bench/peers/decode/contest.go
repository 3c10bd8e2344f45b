// Package decode is the contest of decoders: feed/binance beside JSON libraries and
// the structs of a client library, from the venue's frame to the same feed.Message in
// fixed point.
//
// The others are told what a frame is by a look at its stream's name, so that each of
// them reads a frame once, into the struct made for it. Before anything is measured
// every message of every contestant is compared with QCAT's, field by field and level
// by level.
package decode

import (
	"fmt"
	"reflect"
	"time"

	"qcat/bench/peers/contest"
	"qcat/bench/peers/tape"
	"qcat/feed"
)

// decoder is how all contestants are called. m is reused; what it holds of frame may
// point into it.
type decoder interface {
	decode(frame []byte, m *feed.Message) error
}

var makers = []struct {
	name string
	role contest.Role
	make func(*tape.Tape) (decoder, error)
}{
	{"feed/binance", contest.Own, newOwn},
	{"encoding/json", contest.Peer, newStandard},
	{"sonic", contest.Peer, newSonic},
	{"goccy/go-json", contest.Peer, newGoccy},
	{"fastjson", contest.Peer, newFastJSON},
	{"simdjson-go", contest.Peer, newSIMD},
	{"go-binance", contest.Peer, newGoBinance},
}

// workload is frames of one shape.
type workload struct {
	name   string
	tape   *tape.Tape
	frames [][]byte
	sums   []uint64 // over the first i messages
}

// maxFrames bounds a workload: with more of them the memory would be measured.
const maxFrames = 512

// slices is into how many a turn is divided: a few milliseconds are shorter than what a
// system gives a process at once, so that some of each contestant's meet no disturbance.
const slices = 60

// Names of the cases.
const (
	Trade   = "trade"
	Quote   = "bookTicker"
	Depth10 = "depth, 10 levels"
	Depth   = "depth, as it comes"
)

// Contest returns the contest on a USD-M tape.
func Contest(t *tape.Tape) (*contest.Contest, error) {
	works, err := workloads(t)
	if err != nil {
		return nil, err
	}
	c := &contest.Contest{Name: "decoders", Title: "Decoders", Best: true,
		Workload: fmt.Sprintf("frames of a combined stream (%s), up to %d of each kind in turn, into fixed point; all messages are compared.", t.Name, maxFrames)}
	for _, w := range works {
		k := contest.Case{Name: w.name, Unit: "ns/frame", Split: slices}
		for _, m := range makers {
			k.Entrants = append(k.Entrants, contest.Entrant{Name: m.name, Role: m.role, Run: func(d time.Duration) (float64, error) {
				dec, err := m.make(t)
				if err != nil {
					return 0, err
				}
				return contest.Timed(d, func(n int) (time.Duration, error) { return w.run(dec, n) })
			}})
		}
		c.Cases = append(c.Cases, k)
	}
	c.Check = func() error {
		for _, m := range makers {
			dec, err := m.make(t)
			if err != nil {
				return err
			}
			for _, w := range works {
				if err := w.compare(dec); err != nil {
					return fmt.Errorf("%s, %s: %w", m.name, w.name, err)
				}
			}
		}
		return nil
	}
	return c, nil
}

// workloads sorts the tape's frames by shape.
func workloads(t *tape.Tape) ([]*workload, error) {
	by := map[string]*workload{}
	var works []*workload
	for _, name := range []string{Trade, Quote, Depth10, Depth} {
		w := &workload{name: name, tape: t, sums: []uint64{0}}
		by[name] = w
		works = append(works, w)
	}
	err := t.Messages(func(frame []byte, m *feed.Message) {
		switch {
		case m.Kind == feed.MessageTrade:
			by[Trade].add(frame, m)
		case m.Kind == feed.MessageQuote:
			by[Quote].add(frame, m)
		case m.Kind == feed.MessageDepth:
			by[Depth].add(frame, m)
			if len(m.Bids)+len(m.Asks) == 10 {
				by[Depth10].add(frame, m)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for _, w := range works {
		if len(w.frames) == 0 {
			return nil, fmt.Errorf("%s has no frame for %s", t.Name, w.name)
		}
	}
	return works, nil
}

func (w *workload) add(frame []byte, m *feed.Message) {
	if len(w.frames) < maxFrames {
		w.frames = append(w.frames, frame)
		w.sums = append(w.sums, w.sums[len(w.sums)-1]+fold(m))
	}
}

// fold is a little of everything in a message: enough to see that a decoder did its
// work, and next to nothing beside it.
func fold(m *feed.Message) uint64 {
	return m.LastID + uint64(m.Price)*3 + uint64(m.AskQty)*5 + uint64(len(m.Bids))<<32 + uint64(len(m.Asks))<<40
}

// run decodes n frames in turn.
func (w *workload) run(d decoder, n int) (time.Duration, error) {
	var m feed.Message
	sum, at := uint64(0), 0
	began := time.Now()
	for range n {
		if err := d.decode(w.frames[at], &m); err != nil {
			return 0, err
		}
		sum += fold(&m)
		if at++; at == len(w.frames) {
			at = 0
		}
	}
	took := time.Since(began)
	if want := uint64(n/len(w.frames))*w.sums[len(w.frames)] + w.sums[at]; sum != want {
		return 0, fmt.Errorf("the messages add up to %d, want %d", sum, want)
	}
	return took, nil
}

// compare holds d's messages against QCAT's.
func (w *workload) compare(d decoder) error {
	own, err := newOwn(w.tape)
	if err != nil {
		return err
	}
	var got, want feed.Message
	for _, frame := range w.frames {
		if err := d.decode(frame, &got); err != nil {
			return fmt.Errorf("%w: %s", err, frame)
		}
		if err := own.decode(frame, &want); err != nil {
			return fmt.Errorf("%w: %s", err, frame)
		}
		a, b := got, want
		a.Bids, a.Asks = append(a.Bids[:0:0], a.Bids...), append(a.Asks[:0:0], a.Asks...)
		b.Bids, b.Asks = append(b.Bids[:0:0], b.Bids...), append(b.Asks[:0:0], b.Asks...)
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("message %+v, want %+v: %s", a, b, frame)
		}
	}
	return nil
}
