package limit

import (
	"time"

	"qcat/core"
)

// Policy is when failures lock, and for how long.
type Policy struct {
	Free   int           // failures that cost nothing yet; the one that reaches this number locks
	First  time.Duration // the first lock
	Most   time.Duration // each further failure doubles the lock, up to this
	Forget time.Duration // after the last failure and its lock, until it is forgotten
}

// Attempts is what is known of somebody who failed. The zero value is nothing.
type Attempts struct {
	Failures int
	LockedTo core.Nanos // no attempt before it; 0: none
	forget   core.Nanos
}

// Backoff counts failures by key. Any goroutine.
//
// An attempt is counted as failed when it begins, and taken back when it was not: however
// many come at once, no more than the policy allows are under way.
type Backoff struct {
	policy Policy
	table  table[Attempts]
}

// NewBackoff returns a Backoff to which nobody is known.
func NewBackoff(p Policy) *Backoff {
	return &Backoff{policy: p, table: newTable(func(a *Attempts, now int64) bool { return int64(a.forget) <= now })}
}

// Wait is how long the lock of a key lasts, 0 if there is none.
func (b *Backoff) Wait(k Key, now core.Nanos) time.Duration {
	s, a := b.table.of(k, int64(now))
	defer s.mu.Unlock()
	b.bound(a, now)
	return time.Duration(max(0, a.LockedTo-now))
}

// bound shortens a lock to the longest there is: the clock may have been set back since.
func (b *Backoff) bound(v *Attempts, now core.Nanos) {
	v.LockedTo = min(v.LockedTo, now+core.Nanos(b.policy.Most))
	v.forget = min(v.forget, now+core.Nanos(b.policy.Most+b.policy.Forget))
}

// Begin counts an attempt, of which more is known than is known here, perhaps: what was
// stored before a restart. It returns what is then to be stored. While the key is locked
// nothing is counted, and wait is how long it will be.
func (b *Backoff) Begin(k Key, known Attempts, now core.Nanos) (a Attempts, wait time.Duration) {
	s, v := b.table.of(k, int64(now))
	defer s.mu.Unlock()
	if v.forget <= now {
		*v = Attempts{}
	}
	if known.Failures > v.Failures {
		v.Failures, v.LockedTo = known.Failures, max(v.LockedTo, known.LockedTo)
		v.forget = max(v.LockedTo, now) + core.Nanos(b.policy.Forget)
	}
	b.bound(v, now)
	if v.LockedTo > now {
		return *v, time.Duration(v.LockedTo - now)
	}
	b.count(v, now)
	return *v, 0
}

// count adds a failure and locks as the policy says.
func (b *Backoff) count(v *Attempts, now core.Nanos) {
	v.Failures++
	end := now
	if over := v.Failures - b.policy.Free; over >= 0 {
		lock := b.policy.Most
		if over < 62 && b.policy.First <= b.policy.Most>>over {
			lock = b.policy.First << over
		}
		end = now + core.Nanos(lock)
		v.LockedTo = end
	}
	v.forget = end + core.Nanos(b.policy.Forget)
}

// Undo takes an attempt back that was not refused for what it brought: it succeeded, or
// was never tried. a is what Begin returned; a lock that began with it ends.
func (b *Backoff) Undo(k Key, a Attempts, now core.Nanos) {
	s, v := b.table.of(k, int64(now))
	defer s.mu.Unlock()
	if v.Failures > 0 {
		v.Failures--
	}
	if v.Failures < b.policy.Free || v.LockedTo == a.LockedTo {
		v.LockedTo = 0
	}
	if v.Failures == 0 {
		v.forget = 0
	}
}

// Succeed forgets what is known of a key.
func (b *Backoff) Succeed(k Key, now core.Nanos) {
	s, v := b.table.of(k, int64(now))
	defer s.mu.Unlock()
	if v != &s.shared {
		*v = Attempts{}
	}
}
