package rest

import (
	"sync/atomic"
	"time"

	"qcat/core"
)

// toldEvery is the least time between two log lines of a kind that clients can cause.
const toldEvery = core.Nanos(10 * time.Second)

// seldom lets one log line through in a while. Any goroutine.
type seldom struct{ last atomic.Int64 }

// now reports whether it is time for a line.
func (s *seldom) now(t core.Nanos) bool {
	last := s.last.Load()
	return (last == 0 || t-core.Nanos(last) >= toldEvery) && s.last.CompareAndSwap(last, int64(t))
}
