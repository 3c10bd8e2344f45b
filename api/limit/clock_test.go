package limit

import (
	"testing"
	"time"

	"qcat/core"
)

// TestBucketClockBack: a clock that is set back makes nobody wait longer than an empty
// bucket does.
func TestBucketClockBack(t *testing.T) {
	t.Parallel()
	l, k, now := NewLimiter(Rate{PerSecond: 10, Burst: 5}), Text('k', "a"), 10_000*second
	if _, ok := l.TakeN(k, 3, now); !ok {
		t.Fatal("a full bucket refuses")
	}
	now -= 3600 * second
	wait, ok := l.Take(k, now)
	if ok || wait != 100*time.Millisecond {
		t.Fatalf("%v, wait %v: want an empty bucket", ok, wait)
	}
	if _, ok = l.Take(k, now+core.Nanos(wait)); !ok {
		t.Error("what was waited for is not there")
	}
}

// TestLockClockBack: nor does it lengthen a lock, be it known here or from a store.
func TestLockClockBack(t *testing.T) {
	t.Parallel()
	most := core.Nanos(policy.Most)
	now := 10_000 * second
	b, k := NewBackoff(policy), Text('n', "a")
	for range 20 {
		b.Begin(k, Attempts{}, now)
	}
	now -= 3600 * second
	if wait := b.Wait(k, now); wait != policy.Most {
		t.Errorf("a lock of %v is left, want %v", wait, policy.Most)
	}
	if _, wait := b.Begin(k, Attempts{}, now+most); wait != 0 {
		t.Errorf("after it, one of %v", wait)
	}
	stored := Attempts{Failures: 20, LockedTo: now + 1_000_000*second}
	other := Text('n', "b")
	if _, wait := b.Begin(other, stored, now); wait != policy.Most {
		t.Errorf("a stored lock of %v is left, want %v", wait, policy.Most)
	}
	if _, wait := b.Begin(other, stored, now+most); wait != 0 {
		t.Errorf("after it, one of %v", wait)
	}
}

// TestUndoLocksNobody: an attempt that succeeded leaves no lock behind, however many failed
// before it: else whoever logs in locks the others of its address.
func TestUndoLocksNobody(t *testing.T) {
	t.Parallel()
	b, k, now := NewBackoff(policy), Text('a', "a"), 1000*second
	for range 7 {
		a, _ := b.Begin(k, Attempts{}, now)
		now = max(now, a.LockedTo)
	}
	a, _ := b.Begin(k, Attempts{}, now)
	b.Undo(k, a, now)
	if wait := b.Wait(k, now); wait != 0 {
		t.Errorf("a lock of %v", wait)
	}
	if a, _ := b.Begin(k, Attempts{}, now); a.Failures != 8 {
		t.Errorf("%+v: failures were forgotten", a)
	}
}
