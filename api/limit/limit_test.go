package limit

import (
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qcat/core"
)

const second = core.Nanos(1e9)

func TestBucket(t *testing.T) {
	t.Parallel()
	l, k, now := NewLimiter(Rate{PerSecond: 10, Burst: 5}), Text('k', "a"), 1000*second
	for i := range 5 {
		if _, ok := l.Take(k, now); !ok {
			t.Fatalf("%d of the burst is refused", i)
		}
	}
	wait, ok := l.Take(k, now)
	if ok || wait != 100*time.Millisecond {
		t.Fatalf("the sixth: %v, wait %v", ok, wait)
	}
	if wait, ok = l.Take(k, now+core.Nanos(wait)-1); ok || wait != 1 {
		t.Errorf("1 ns too early: %v, wait %v", ok, wait)
	}
	if _, ok = l.Take(k, now+100*second/1000); !ok {
		t.Error("what was waited for is not there")
	}
	if _, ok = l.Take(Text('u', "a"), now); !ok {
		t.Error("a user shares the bucket of a key")
	}
	if wait, ok = l.TakeN(k, 6, now+100*second); ok || wait <= 0 {
		t.Errorf("more than the burst: %v, %v", ok, wait)
	}
	if _, ok = NewLimiter(Rate{}).Take(k, now); ok {
		t.Error("no rate allows something")
	}
}

func TestBucketRace(t *testing.T) {
	t.Parallel()
	l, k := NewLimiter(Rate{PerSecond: 1, Burst: 100}), Text('k', "a")
	var taken atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if _, ok := l.Take(k, second); ok {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if taken.Load() != 100 {
		t.Errorf("%d taken of 100", taken.Load())
	}
}

// TestNoFreshBucketByCrowding: however many others come, an empty bucket stays empty,
// and those without a place of their own get no more than one bucket a set together.
func TestNoFreshBucketByCrowding(t *testing.T) {
	t.Parallel()
	l, mine := NewLimiter(Rate{PerSecond: 0.001, Burst: 1}), Text('k', "mine")
	if _, ok := l.Take(mine, second); !ok {
		t.Fatal("the first is refused")
	}
	const crowd = 4 * sets * ways
	taken := 0
	for i := range crowd {
		if _, ok := l.Take(Text('a', strconv.Itoa(i)), second); ok {
			taken++
		}
	}
	if _, ok := l.Take(mine, second); ok {
		t.Error("a crowd refilled my bucket")
	}
	if most := sets * (ways + 1); taken > most {
		t.Errorf("%d of the crowd were served, more than %d", taken, most)
	}
	if _, ok := l.Take(Text('a', "later"), second+2000*second); !ok {
		t.Error("full buckets are not given to others")
	}
}

func TestAddressKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	} {
		if got := Address(netip.MustParseAddr(tt.a)) == Address(netip.MustParseAddr(tt.b)); got != tt.same {
			t.Errorf("%s and %s are one client: %v", tt.a, tt.b, got)
		}
	}
}

var policy = Policy{Free: 5, First: time.Second, Most: 15 * time.Minute, Forget: time.Hour}

func TestBackoffGrows(t *testing.T) {
	t.Parallel()
	b, k, now := NewBackoff(policy), Text('u', "a"), 1000*second
	for i := range 4 {
		if a, wait := b.Begin(k, Attempts{}, now); wait != 0 || a.LockedTo != 0 {
			t.Fatalf("attempt %d: %+v, wait %v", i, a, wait)
		}
	}
	for want := time.Second; ; want = min(2*want, policy.Most) {
		a, wait := b.Begin(k, Attempts{}, now)
		if wait != 0 || a.LockedTo != now+core.Nanos(want) {
			t.Fatalf("%+v, wait %v: want a lock of %v", a, wait, want)
		}
		if _, wait = b.Begin(k, Attempts{}, now); wait != want || b.Wait(k, now) != want {
			t.Fatalf("while locked: %v, want %v", wait, want)
		}
		now = a.LockedTo
		if a.Failures > 20 {
			break
		}
	}
	if a, _ := b.Begin(k, Attempts{}, now+core.Nanos(policy.Most+policy.Forget)); a.Failures != 1 {
		t.Errorf("nothing is forgotten: %+v", a)
	}
}

func TestBackoffRemembersWhatWasStored(t *testing.T) {
	t.Parallel()
	b, k, now := NewBackoff(policy), Text('u', "a"), 1000*second
	if _, wait := b.Begin(k, Attempts{Failures: 7, LockedTo: now + 4*second}, now); wait != 4*time.Second {
		t.Errorf("a stored lock: wait %v", wait)
	}
	if a, _ := b.Begin(k, Attempts{}, now+4*second); a.Failures != 8 {
		t.Errorf("stored failures: %+v", a)
	}
	b.Succeed(k, now)
	if a, wait := b.Begin(k, Attempts{}, now); a.Failures != 1 || wait != 0 {
		t.Errorf("after a success: %+v, %v", a, wait)
	}
}

func TestBackoffUndo(t *testing.T) {
	t.Parallel()
	b, k, now := NewBackoff(policy), Text('a', "a"), 1000*second
	for range 4 {
		b.Begin(k, Attempts{}, now)
	}
	for range 10 { // who knows one password does not get failures back
		a, _ := b.Begin(k, Attempts{}, now)
		b.Undo(k, a, now)
	}
	if a, wait := b.Begin(k, Attempts{}, now); a.Failures != 5 || wait != 0 {
		t.Errorf("%+v, wait %v", a, wait)
	}
	if _, wait := b.Begin(k, Attempts{}, now); wait == 0 {
		t.Error("five failures lock nothing")
	}
}

// TestBackoffAtOnce: guesses that come together are no more than those that come one by one.
func TestBackoffAtOnce(t *testing.T) {
	t.Parallel()
	b, k := NewBackoff(policy), Text('u', "a")
	var begun atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, wait := b.Begin(k, Attempts{}, second); wait == 0 {
				begun.Add(1)
			}
		})
	}
	wg.Wait()
	if begun.Load() != 5 {
		t.Errorf("%d guesses at once", begun.Load())
	}
}

func TestAllocations(t *testing.T) {
	l, b := NewLimiter(Rate{PerSecond: 1e6, Burst: 1e6}), NewBackoff(policy)
	id, from := []byte("key"), netip.MustParseAddr("2001:db8::1")
	if n := testing.AllocsPerRun(100, func() {
		l.Take(Text('k', id), second)
		l.Take(Address(from), second)
		b.Wait(Text('u', "name"), second)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkTake(b *testing.B) {
	l, k := NewLimiter(Rate{PerSecond: 1e6, Burst: 1e6}), Text('k', "a")
	b.ReportAllocs()
	for b.Loop() {
		l.Take(k, second)
	}
}
