package engine

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// turn is the right to be the engine. The state belongs to whoever has it: the
// goroutine of Run, which waits for work and looks after what is due; a client that
// found the engine idle and carries its own order out (Serve); the journal, whose
// commit released answers. Each of the latter two spares the order a goroutine that
// would have to be woken, which costs more than all of the engine's own work.
//
// A guest that finds another one at it reminds that one, and goes: whoever was
// reminded looks at the rings once more before letting go. The command was in its ring
// before the reminder, which is taken back before the rings are looked at, so nothing
// is left behind. Where Run has the turn, or nobody, Run is woken: it announces
// that it will sleep before it looks for work a last time.
type turn struct{ state atomic.Uint32 }

const (
	turnFree     uint32 = iota
	turnRun             // Run's
	turnGuest           // somebody else's
	turnReminded        // as turnGuest, and there is more to do
)

// claim takes the turn for Run. If a guest has it, who is reminded, it returns false.
func (t *turn) claim() bool {
	for {
		switch {
		case t.state.CompareAndSwap(turnFree, turnRun):
			return true
		case t.remind():
			return false
		}
	}
}

// await takes the turn for Run, after the guest that has it.
func (t *turn) await() {
	for !t.claim() {
		runtime.Gosched()
	}
}

// enter takes the turn for a guest, and returns false when somebody has it.
func (t *turn) enter() bool { return t.state.CompareAndSwap(turnFree, turnGuest) }

// remind has the guest whose turn it is look once more, and returns false when it is
// no guest's.
func (t *turn) remind() bool {
	return t.state.CompareAndSwap(turnGuest, turnReminded) || t.state.Load() == turnReminded
}

// reread takes back a reminder for a guest that is about to look at the rings anyway.
func (t *turn) reread() {
	if t.state.Load() == turnReminded {
		t.state.Store(turnGuest)
	}
}

// leave lets go for a guest, and returns false when it is to look once more first.
func (t *turn) leave() bool {
	if t.state.CompareAndSwap(turnGuest, turnFree) {
		return true
	}
	t.state.Store(turnGuest)
	return false
}

// free lets go: Run, and a guest that wakes Run afterwards.
func (t *turn) free() { t.state.Store(turnFree) }

// guestRounds bounds the duty cycles of one guest, which may carry out others'
// commands as long as they keep coming.
const guestRounds = 8

// Execute hands c over as Submit does, and carries it out as Serve does. It then waits
// for the disk itself if nobody else is at it: an order that is alone wakes nobody, and
// its answer has been delivered when Execute returns.
//
// Any goroutine that would wait for the answer anyway; not one of the market-data
// lane, nor a ReplySink.
func (e *Engine) Execute(c *Command) bool {
	if !e.Put(c) {
		return false
	}
	if e.serve(true) {
		e.commit()
	}
	return true
}

// commit waits for the disk on the goroutine of a guest that has left.
func (e *Engine) commit() {
	defer crash()
	e.journal.Commit()
}

// Serve carries out what was submitted on the calling goroutine if nobody else is the
// engine at the moment, and else sees to it that it is done. In the first case answers
// that wait for no disk have been delivered when it returns.
//
// Any goroutine that can be kept for a few batches of commands: not one of the
// market-data lane, nor a ReplySink.
func (e *Engine) Serve() { e.serve(false) }

// serve is Serve; one that leads leaves what it has published to the Commit that its
// caller calls, if it returns true.
func (e *Engine) serve(leads bool) (served bool) {
	if !e.turn.enter() {
		e.notify()
		return false
	}
	defer crash()
	e.leads = leads
	for range guestRounds {
		e.turn.reread() // often one's own venue's: its report is in its ring
		if e.duty() > 0 {
			continue // as Run does: one cycle may leave work to the next
		}
		due := e.soon() < e.maxIdle // sooner than Run will look
		e.leads = false
		if e.turn.leave() {
			if due {
				e.waiter.Wake()
			}
			return true
		}
		e.leads = leads
	}
	e.leads = false
	e.turn.free()
	e.waiter.Wake()
	return true
}

// crash ends the process when the engine, or the journal's commit, panics on a guest's
// goroutine, which may have its own way with panics: the state is not what the journal
// says any more, or what was being committed is held for good, and nobody could take the
// turn again.
func crash() {
	if r := recover(); r != nil {
		stack := debug.Stack()
		go panic(fmt.Sprintf("engine: %v\n%s", r, stack))
		select {}
	}
}

// notify has the engine look for work once more, whoever it is. Any goroutine.
func (e *Engine) notify() {
	if !e.turn.remind() {
		e.waiter.Wake()
	}
}
