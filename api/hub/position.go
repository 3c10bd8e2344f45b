package hub

import "qcat/core/engine"

// position is where in the engine's events something stands: Seq and Index of an
// event together are unique and ascending.
type position struct {
	seq uint64
	idx uint32
}

// wholeRecord is the index after all events of a record.
const wholeRecord = ^uint32(0)

func positionOf(ev *engine.Event) position { return position{ev.Seq, ev.Index} }

func (p position) before(q position) bool {
	return p.seq < q.seq || p.seq == q.seq && p.idx < q.idx
}

// before is the position that everything up to, and excluding, q has passed.
func before(q position) position {
	if q.idx > 0 {
		return position{q.seq, q.idx - 1}
	}
	return position{q.seq - 1, wholeRecord}
}
