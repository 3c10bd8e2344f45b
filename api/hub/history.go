package hub

import (
	"iter"

	"qcat/core/engine"
)

// history keeps the last engine events, as they came. It grows to its limit as
// they come. Everything after floor is in it.
type history struct {
	buf   []engine.Event
	first int // index of the oldest, once buf is full
	limit int
	floor position
}

func (h *history) init(limit int, floor position) { h.limit, h.floor = limit, floor }

// reset forgets everything: what comes next comes after floor.
func (h *history) reset(floor position) {
	h.buf, h.first, h.floor = h.buf[:0], 0, floor
}

func (h *history) add(ev *engine.Event) {
	if len(h.buf) < h.limit {
		h.buf = append(h.buf, *ev)
		return
	}
	h.floor = positionOf(&h.buf[h.first])
	h.buf[h.first] = *ev
	if h.first++; h.first == h.limit {
		h.first = 0
	}
}

// after yields the events after from, oldest first. The position must not be
// before floor.
func (h *history) after(from position) iter.Seq[*engine.Event] {
	return func(yield func(*engine.Event) bool) {
		n := len(h.buf)
		lo, hi := 0, n // binary search for the first event after from
		for lo < hi {
			mid := (lo + hi) / 2
			if from.before(positionOf(h.at(mid))) {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		for ; lo < n; lo++ {
			if !yield(h.at(lo)) {
				return
			}
		}
	}
}

func (h *history) at(i int) *engine.Event { return &h.buf[(h.first+i)%len(h.buf)] }
