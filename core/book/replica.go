package book

import "qcat/core"

// Replica is a Book that follows the events of one instrument and knows whether
// it may be trusted. It starts stale, is made live by a snapshot run, follows
// the runs of level events, and turns stale again when told so or when a run is
// torn (I7): levels that arrive while it is stale are dropped, unless they
// belong to a snapshot run. Quotes, trades and marks pass without effect.
//
// It belongs to one goroutine and does not allocate beyond what Book does.
type Replica struct {
	book Book

	stale    bool
	inRun    bool // between FlagFirst and FlagLast of a run that is being applied
	snapshot bool // the run is a snapshot

	seq          uint64
	exchangeTime core.Nanos
	receiveTime  core.Nanos
}

// NewReplica returns a stale, empty replica with room for capacityHint levels a
// side.
func NewReplica(capacityHint int) *Replica {
	r := &Replica{stale: true}
	r.book.Init(capacityHint)
	return r
}

// Apply takes the next event of the instrument into account.
func (r *Replica) Apply(ev *core.Event) {
	switch ev.Kind {
	case core.EventLevel:
		r.level(ev)
	case core.EventStatus:
		if ev.Flags.Has(core.FlagStale) {
			r.MarkStale()
		}
	}
}

func (r *Replica) level(ev *core.Event) {
	if ev.Flags.Has(core.FlagStale) || !r.enter(ev.Flags) {
		r.MarkStale()
		return
	}
	r.book.Set(ev.Side, ev.Price, ev.Qty)
	r.seq = ev.Seq
	r.exchangeTime = ev.ExchangeTime
	r.receiveTime = ev.ReceiveTime
	if ev.Flags.Has(core.FlagLast) {
		r.inRun = false
		r.stale = r.stale && !r.snapshot
		r.snapshot = false
	}
}

// enter reports whether a level event with these flags continues what was
// applied so far. A snapshot may begin at any time. Anything else must be the
// first event of a run when none is open and the next of the open run when one
// is; what is neither means that an event is missing.
func (r *Replica) enter(f core.EventFlags) bool {
	first, snapshot := f.Has(core.FlagFirst), f.Has(core.FlagSnapshot)
	switch {
	case first && snapshot:
		r.book.Clear()
		r.inRun, r.snapshot = true, true
		return true
	case first:
		if r.inRun || r.stale {
			return false
		}
		r.inRun = true
		return true
	default:
		return r.inRun && r.snapshot == snapshot
	}
}

// MarkStale says that an event was lost: the replica is stale until the next
// snapshot run is complete. The levels stay as they were.
func (r *Replica) MarkStale() {
	r.stale = true
	r.inRun = false
	r.snapshot = false
}

// Stale reports whether the book waits for a snapshot. A stale book is no
// reference for anything.
func (r *Replica) Stale() bool { return r.stale }

// InRun reports whether a run is open: the book is between two states of the
// venue's, and may even look crossed.
func (r *Replica) InRun() bool { return r.inRun }

// Consistent reports whether the book is one that the venue had: live and not
// in the middle of a run.
func (r *Replica) Consistent() bool { return !r.stale && !r.inRun }

// Book returns the book, for reading only.
func (r *Replica) Book() *Book { return &r.book }

// Seq returns the venue's update id of the last level applied, 0 for none.
func (r *Replica) Seq() uint64 { return r.seq }

// ExchangeTime returns the venue's time of the last level applied.
func (r *Replica) ExchangeTime() core.Nanos { return r.exchangeTime }

// ReceiveTime returns our time of the last level applied.
func (r *Replica) ReceiveTime() core.Nanos { return r.receiveTime }
