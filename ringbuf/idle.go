package ringbuf

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// IdleStrategy says how a consumer passes the time while it has nothing to do.
type IdleStrategy uint8

const (
	// Adaptive spins for a microsecond or so (not at all with one processor), yields
	// a few times, then parks. It is the zero value and the right choice unless a
	// core is set aside.
	Adaptive IdleStrategy = iota
	// Spin never leaves the processor: lowest latency, one core per consumer.
	Spin
	// Yield lets other goroutines run between looks and never sleeps.
	Yield
	// Park sleeps at once: lowest load, a wake-up of microseconds.
	Park
)

// ErrIdleStrategy is wrapped by the errors of ParseIdleStrategy.
var ErrIdleStrategy = errors.New("unknown idle strategy")

var idleNames = [...]string{Adaptive: "adaptive", Spin: "spin", Yield: "yield", Park: "park"}

// String returns the name that ParseIdleStrategy reads.
func (s IdleStrategy) String() string {
	if int(s) < len(idleNames) {
		return idleNames[s]
	}
	return fmt.Sprintf("IdleStrategy(%d)", uint8(s))
}

// ParseIdleStrategy reads "adaptive", "spin", "yield" or "park".
func ParseIdleStrategy(name string) (IdleStrategy, error) {
	for i, n := range idleNames {
		if n == name {
			return IdleStrategy(i), nil
		}
	}
	return 0, fmt.Errorf("%w %q: want one of %s", ErrIdleStrategy, name, strings.Join(idleNames[:], ", "))
}

// MarshalText writes the name, so that the strategy can stand in a configuration.
func (s IdleStrategy) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *IdleStrategy) UnmarshalText(b []byte) (err error) {
	*s, err = ParseIdleStrategy(string(b))
	return err
}

// backoff passes the time of a producer that waits for a gating reader: it spins
// while the reader may be about to move, yields, and then sleeps for longer and
// longer, at most a millisecond.
type backoff struct{ step int }

const (
	backoffSpins  = 32
	backoffYields = 32
	backoffSleep  = 10 * time.Microsecond
	backoffMax    = time.Millisecond
)

func (b *backoff) pause() {
	b.step++
	switch {
	case b.step <= backoffSpins && runtime.GOMAXPROCS(0) > 1:
		pause(4)
	case b.step <= backoffSpins+backoffYields:
		runtime.Gosched()
	default:
		time.Sleep(min(backoffSleep*time.Duration(b.step-backoffSpins-backoffYields), backoffMax))
	}
}
