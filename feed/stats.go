package feed

import (
	"math/bits"
	"sync/atomic"

	"qcat/core"
)

// Stats counts what a lane saw. Counters only grow; Instruments and Stale are
// gauges.
type Stats struct {
	Messages uint64 // frames, or messages given to Apply
	Bad      uint64 // frames that could not be decoded, or contradicted themselves
	Ignored  uint64 // well formed and of no interest
	Unknown  uint64 // of an instrument that is not this lane's

	Trades          uint64
	TradeGaps       uint64 // how often trade ids were not consecutive
	TradesMissed    uint64 // how many trade ids were missing
	TradeDuplicates uint64 // repeated or late, dropped

	Quotes    uint64
	QuotesOld uint64 // repeated or out of order, dropped
	Marks     uint64
	MarksOld  uint64 // repeated or older than one before, dropped

	DepthMessages   uint64
	DepthApplied    uint64
	DepthGaps       uint64 // a message was missing, whether the book was live or not
	DepthDuplicates uint64 // repeated or late, dropped
	DepthOverflows  uint64 // dropped because too many waited for a snapshot
	Crossed         uint64 // messages after which the book or the quote was crossed

	Snapshots        uint64 // received
	SnapshotsApplied uint64
	SnapshotsOld     uint64 // too old to be followed by what had been received
	SnapshotsSent    uint64 // books re-emitted because a consumer asked

	Resyncs     uint64 // snapshots asked of the venue
	Disconnects uint64

	Instruments uint64
	Stale       uint64 // instruments that wait for a snapshot

	LastReceive core.Nanos // receive time of the last message
}

// requestSet is a set of instrument ids that any goroutine may add to and the
// lane's goroutine empties.
type requestSet struct {
	any  *atomic.Bool
	bits []atomic.Uint64
	from int // where the next drain begins; the lane's goroutine only
}

func newRequestSet(ids int) requestSet {
	return requestSet{any: new(atomic.Bool), bits: make([]atomic.Uint64, (ids+63)/64)}
}

// add puts id in; an id out of range is no instrument of this lane.
func (r *requestSet) add(id core.InstrumentID) {
	if w := int(id / 64); w < len(r.bits) {
		r.bits[w].Or(1 << (id % 64))
		r.any.Store(true)
	}
}

// drain hands the ids to take, which are then no longer in the set, until take
// declines one: that one and the rest stay, and the next drain begins with it, so
// that ids asked for over and over do not keep others waiting. An id added
// meanwhile is seen now or next time.
func (r *requestSet) drain(take func(core.InstrumentID) bool) {
	if !r.any.Load() {
		return
	}
	r.any.Store(false)
	from := r.from
	if r.scan(from, len(r.bits)*64, take) {
		r.scan(0, from, take)
	}
}

// scan is drain of the ids between from (included) and to (not). It reports
// whether take took them all.
func (r *requestSet) scan(from, to int, take func(core.InstrumentID) bool) bool {
	for w := from / 64; w*64 < to; w++ {
		mask := ^uint64(0)
		if w == from/64 {
			mask <<= from % 64
		}
		if to < (w+1)*64 {
			mask &= 1<<(to%64) - 1
		}
		for b := r.bits[w].And(^mask) & mask; b != 0; b &= b - 1 {
			id := w*64 + bits.TrailingZeros64(b)
			if !take(core.InstrumentID(id)) {
				r.bits[w].Or(b)
				r.any.Store(true)
				r.from = id
				return false
			}
		}
	}
	return true
}
