package market

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qcat/core"
	"qcat/ringbuf"
)

// whole reports whether tap has read everything and has all five books.
func whole(tap *Tap) bool {
	for id := core.InstrumentID(1); id <= 5; id++ {
		if !tap.Book(id).Consistent() {
			return false
		}
	}
	return tap.Lag() == 0
}

// TestTapStress runs two lanes and three consumers at once over rings that are
// too small on purpose, some consumers dawdling. Whatever was lost: when the
// lanes have become quiet and answered what was asked, every replica equals its
// producer's book, and no event is unaccounted for.
func TestTapStress(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	lanes := []*lane{newLane(seed, 128, 1, 2, 3), newLane(seed+1, 256, 4, 5)}
	var busy, consumers sync.WaitGroup
	var quiet, finished atomic.Bool
	taps := make([]*Tap, 3)
	results := make([]seen, len(taps))
	for i := range taps {
		w := ringbuf.NewWaiter(ringbuf.Park)
		taps[i] = NewTap([]Source{lanes[0].source(), lanes[1].source()}, w)
		for id := core.InstrumentID(1); id <= 5; id++ {
			taps[i].Request(id)
		}
		consumers.Go(func() {
			tap, s := taps[i], &results[i]
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			for !quiet.Load() || !whole(tap) {
				if tap.Poll(s.take) == 0 {
					w.Wait(tap.Ready, time.Millisecond)
				}
				if i > 0 && !quiet.Load() && r.IntN(20) == 0 {
					time.Sleep(time.Duration(r.IntN(200)) * time.Microsecond) // dawdles: is to be lapped
				}
			}
		})
	}
	for _, l := range lanes {
		busy.Go(func() {
			ids := make([]core.InstrumentID, 0, len(l.books))
			for id := range l.books {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			for range 20_000 {
				switch id := ids[l.rand.IntN(len(ids))]; l.rand.IntN(100) {
				case 0:
					l.status(id)
					l.snapshot(id)
				case 1, 2, 3:
					l.trade(id)
				default:
					l.delta(id)
				}
				l.duty()
				if l.rand.IntN(8) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	busy.Wait()
	quiet.Store(true)
	var answering sync.WaitGroup
	for _, l := range lanes {
		answering.Go(func() {
			for !finished.Load() {
				l.duty()
				time.Sleep(time.Millisecond) // the lane's idle duty cycle
			}
		})
	}
	consumers.Wait()
	finished.Store(true)
	answering.Wait()
	// What a consumer asked for last may have lapped another that had ended.
	for again := true; again; {
		again = false
		for _, l := range lanes {
			l.duty()
		}
		for i, tap := range taps {
			drain(tap, results[i].take)
			again = again || !whole(tap)
		}
	}
	for i, tap := range taps {
		var total uint64
		for _, l := range lanes {
			expectEqual(t, tap, l)
			total += l.ring.Published()
		}
		read := uint64(results[i].events)
		t.Logf("tap %d: %d of %d events read in %d overruns", i, read, total, tap.Overruns())
		if read+tap.Lost() != total {
			t.Errorf("tap %d: %d read and %d lost of %d", i, read, tap.Lost(), total)
		}
		tap.Close()
	}
	if taps[1].Overruns()+taps[2].Overruns() == 0 {
		t.Error("no consumer was lapped: the test shows nothing")
	}
}
