package engine

import (
	"qcat/core"
	"qcat/core/record"
)

// countdownRetry is how long after a countdown fired without a record the venues are
// asked again to cancel what is open of its scope.
const countdownRetry = core.Nanos(1_000_000_000)

// takeCountdowns fires the dead man's switches that were not renewed in time. Like a
// kill it is taken while the engine is backlogged, and carried out while the journal
// takes no record. A cycle fires no more than Batch.
func (e *Engine) takeCountdowns(now core.Nanos) (n int) {
	now = max(now, e.m.now)
	for n < e.cfg.Batch {
		scope, due := e.m.switches.next(now)
		if !due || (e.backlogged() && e.killsLeft <= 0) {
			break
		}
		c := Command{Kind: CmdCancelAll, Scope: scope, Cause: record.CauseCountdown}
		if e.sequence(&c, now) != nil {
			return n + e.passCountdowns(now)
		}
		if e.backlogged() {
			e.killsLeft--
		}
		n++
	}
	return n
}

// passCountdowns does without a record what every switch that is due does, each when
// it falls due and every countdownRetry from then on. They stay armed until one is
// recorded.
func (e *Engine) passCountdowns(now core.Nanos) (n int) {
	for i := range e.m.switches.all {
		if s := &e.m.switches.all[i]; s.ends <= now && s.again <= now {
			s.again = now + countdownRetry
			e.stats.Unrecorded.bump()
			e.passCancelScope(s.scope)
			n++
		}
	}
	return n
}
