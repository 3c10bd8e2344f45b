package engine

import (
	"qcat/core"
	"qcat/ringbuf"
)

// duty is one cycle; it returns how much it did.
func (e *Engine) duty() int {
	now := e.cfg.Clock.Now()
	e.takeRestart(now)
	e.dropSessions(now)
	work := e.control.run()
	work += e.takeUnsaved(now)
	work += e.takeBreaches(now)
	work += e.takeKills(now)
	work += e.takeCountdowns(now)
	if !e.backlogged() {
		work += e.takeInternal(now)
		work += e.takeDoomed(now)
		work += e.take(e.priority, now)
		work += e.takeReports(now)
		work += e.takeTimers(now)
		work += e.takeFlattens(now)
		n := e.take(e.commands, now)
		e.taken += uint64(n)
		work += n + e.takeDeferred(now) + e.takeQuestions(now)
	}
	e.flush()
	return work + e.release()
}

// backlogged reports whether too much waits for its commit to take more than
// kills.
func (e *Engine) backlogged() bool { return e.m.out.len() >= e.cfg.MaxStaged }

// takeKills takes state changes and cancels of whole scopes, also while the
// engine is backlogged: what waits for its commit is looked at again before it is
// sent, so that a halt taken now holds it back. One backlog lets in as many as the
// ring holds, which bounds what is staged beyond MaxStaged.
func (e *Engine) takeKills(now core.Nanos) int {
	n := len(e.batch)
	if e.backlogged() {
		n = min(n, e.killsLeft)
	} else {
		e.killsLeft = e.kills.Cap()
	}
	n = e.kills.PopBatch(e.batch[:n])
	e.killsLeft -= n
	for i := range e.batch[:n] {
		e.run(&e.batch[i], now)
	}
	return n
}

// take runs a batch of commands from one ring.
func (e *Engine) take(ring *ringbuf.MPSC[Command], now core.Nanos) int {
	n := ring.PopBatch(e.batch)
	e.fetchFirst(e.batch[:n])
	for i := range e.batch[:n] {
		e.fetchAfter(e.batch[:n], i)
		e.run(&e.batch[i], now)
	}
	return n
}

// takeInternal runs the commands that the engine gave itself.
func (e *Engine) takeInternal(now core.Nanos) int {
	n := e.internal.len()
	for range n {
		c := *e.internal.front()
		if !e.run(&c, now) {
			return 0
		}
		e.internal.pop()
	}
	return n
}

// heldReport is a venue's report that the journal had no room for. A fill must
// not be lost: it is offered again before any other report is taken.
type heldReport struct {
	command Command
	waiting bool
}

func (e *Engine) takeReports(now core.Nanos) int {
	if e.held.waiting {
		if !e.run(&e.held.command, now) {
			return 0
		}
		e.held.waiting = false
	}
	for n := range e.cfg.Batch {
		if !e.reports.Pop(&e.held.command) {
			return n
		}
		if e.held.waiting = !e.run(&e.held.command, now); e.held.waiting {
			return n
		}
	}
	return e.cfg.Batch
}

// takeUnsaved records the state changes that were carried out while the journal
// had no room, before anything else is recorded.
func (e *Engine) takeUnsaved(now core.Nanos) int {
	n := 0
	for n < len(e.unsaved) {
		if e.sequence(&e.unsaved[n], now) != nil {
			break
		}
		n++
	}
	e.unsaved = e.unsaved[:copy(e.unsaved, e.unsaved[n:])]
	return n
}

// takeTimers records a clock tick when an order, a proposal or an override is due, and values what is held.
func (e *Engine) takeTimers(now core.Nanos) int {
	if e.restart {
		return 0
	}
	n := 0
	if e.m.nextDeadline() <= now {
		c := Command{Kind: CmdClock}
		if e.run(&c, now) {
			n++
		}
	}
	return n + e.mark(now)
}

// deferredCancel is a cancel of a client order id that was not known when it
// came: its order may still wait in the command ring.
type deferredCancel struct {
	command Command
	after   uint64 // look again once this many commands have been taken
}

// maxDeferred bounds the cancels that wait; beyond it they are answered at once.
const maxDeferred = 1024

// defers puts a cancel aside when the order it names may still be waiting.
func (e *Engine) defers(c *Command) bool {
	waiting := e.commands.Len()
	if c.Order != 0 || waiting == 0 || e.deferred.len() >= maxDeferred ||
		e.m.find(c.Account, 0, &c.ClOrdID) != nil {
		return false
	}
	*e.deferred.push() = deferredCancel{*c, e.taken + uint64(waiting)}
	return true
}

func (e *Engine) takeDeferred(now core.Nanos) int {
	n := 0
	for e.deferred.len() > 0 && e.deferred.front().after <= e.taken {
		c := e.deferred.front().command
		e.deferred.pop()
		e.runNow(&c, now)
		n++
	}
	return n
}
