package signature

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"qcat/core"
)

func name(i int) []byte { return strconv.AppendInt(nil, int64(i), 10) }

func TestNonceOnce(t *testing.T) {
	t.Parallel()
	var n Nonces
	const last = 10 * ms
	if err := n.Take(name(1), ms, last); err != nil {
		t.Fatal(err)
	}
	for _, now := range []core.Nanos{ms, 5 * ms, last} {
		if err := n.Take(name(1), now, last+now); !errors.Is(err, ErrReplayed) {
			t.Errorf("again at %d ms: %v", now/ms, err)
		}
	}
	if err := n.Take(name(2), last, last); err != nil {
		t.Errorf("another: %v", err)
	}
	if err := n.Take(name(1), last+1, 2*last); err != nil {
		t.Errorf("after its time: %v", err)
	}
}

// TestNonceLateReader: who read the clock before a nonce expired and comes after it was
// forgotten brings a replay.
func TestNonceLateReader(t *testing.T) {
	t.Parallel()
	var n Nonces
	if err := n.Take(name(1), ms, 10*ms); err != nil {
		t.Fatal(err)
	}
	for i := range 10 * minNonces { // forgets it
		if err := n.Take(name(100+i), 11*ms, 20*ms); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Take(name(1), 9*ms, 10*ms); !errors.Is(err, ErrTime) {
		t.Errorf("a copy that waited: %v", err)
	}
}

func TestNonceRace(t *testing.T) {
	t.Parallel()
	var n Nonces
	for round := range 200 {
		var taken atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if n.Take(name(round), ms, 10*ms) == nil {
					taken.Add(1)
				}
			})
		}
		wg.Wait()
		if taken.Load() != 1 {
			t.Fatalf("round %d: taken %d times", round, taken.Load())
		}
	}
}

func TestNonceFullRefusesAndForgetsNothing(t *testing.T) {
	t.Parallel()
	var n Nonces
	held, last := 0, core.Nanos(0)
	for i := 0; ; i++ {
		last = 60_000*ms + core.Nanos(i)*ms // they expire one after the other
		err := n.Take(name(i), ms, last)
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || i > maxNonces {
			t.Fatalf("%d: %v", i, err)
		}
		held++
	}
	if held != maxNonces*3/4 {
		t.Errorf("it holds %d", held)
	}
	for i := range held {
		if err := n.Take(name(i), ms, last); !errors.Is(err, ErrReplayed) {
			t.Fatalf("%d is forgotten: %v", i, err)
		}
	}
	if err := n.Take(name(-1), 60_100*ms, 200_000*ms); err != nil {
		t.Errorf("when some have expired: %v", err)
	}
	if err := n.Take(name(held-1), 60_101*ms, last); !errors.Is(err, ErrReplayed) {
		t.Errorf("the youngest was forgotten when room was made: %v", err)
	}
}

// TestNoncesAgainstAMap is the table held against a map that forgets nothing.
func TestNoncesAgainstAMap(t *testing.T) {
	t.Parallel()
	var n Nonces
	seen := map[int]core.Nanos{}
	x := uint64(1)
	for step := range 50_000 {
		x = x*6364136223846793005 + 1442695040888963407
		now := core.Nanos(step) * ms
		id, last := int(x>>33%4000), now+core.Nanos(x>>50%5000)*ms
		err := n.Take(name(id), now, last)
		if old, ok := seen[id]; ok && old >= now {
			if !errors.Is(err, ErrReplayed) {
				t.Fatalf("step %d: nonce %d again: %v", step, id, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("step %d: new nonce %d: %v", step, id, err)
		}
		seen[id] = last
	}
}

func BenchmarkNonces(b *testing.B) {
	var n Nonces
	text, now := make([]byte, 0, 20), ms
	b.ReportAllocs()
	for b.Loop() {
		now += 1e6 // 1000 a second
		text = strconv.AppendInt(text[:0], int64(now), 10)
		if err := n.Take(text, now, now+5000*ms); err != nil {
			b.Fatal(err)
		}
	}
}
