package engine

import (
	"qcat/core"
	"qcat/core/record"
)

// countdownRetry is how long after a countdown could not be recorded it is tried
// again: the cancels have gone out by then.
const countdownRetry = core.Nanos(1_000_000_000)

// takeCountdowns fires the dead man's switches that were not renewed in time. Like a
// kill it is taken while the engine is backlogged, and carried out while the journal
// takes no record. A cycle fires no more than Batch.
func (e *Engine) takeCountdowns(now core.Nanos) (n int) {
	if now < e.nextCountdown {
		return 0
	}
	for n < e.cfg.Batch {
		scope, due := e.m.switches.next(max(now, e.m.now))
		if !due || (e.backlogged() && e.killsLeft <= 0) {
			break
		}
		if e.backlogged() {
			e.killsLeft--
		}
		n++
		c := Command{Kind: CmdCancelAll, Scope: scope, Cause: record.CauseCountdown}
		if e.sequence(&c, now) != nil {
			e.nextCountdown = now + countdownRetry
			e.passCountdowns(now)
			break
		}
	}
	return n
}

// passCountdowns does without a record what every switch that is due does.
func (e *Engine) passCountdowns(now core.Nanos) {
	for i := range e.m.switches.all {
		if s := &e.m.switches.all[i]; s.ends <= now {
			e.stats.Unrecorded.bump()
			e.passCancelScope(s.scope)
		}
	}
}
