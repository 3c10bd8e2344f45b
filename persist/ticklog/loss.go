package ticklog

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/record"
)

const numReasons = GapRestart + 1

// gap is what was lost for one reason and is not in the log yet.
type gap struct {
	open     bool
	lost     uint64
	from, to core.Nanos // to is 0 until an event follows the loss
}

// lose notes a loss; losses for one reason that the log does not show yet are one.
func (w *Writer) lose(why GapReason, n uint64, from, to core.Nanos) {
	g := &w.gaps[why]
	if !g.open {
		*g = gap{open: true, from: from, to: to}
	}
	g.lost += n
	g.from = min(g.from, from)
	g.to = max(g.to, to)
	w.missing = true
}

// put records w.rec, of an event received at rx, behind the gaps there are, and
// reports whether it could. Otherwise the event is counted as dropped.
func (w *Writer) put(rx core.Nanos) bool {
	err := ErrNoLog
	if w.retryAt == 0 {
		if err = w.putGaps(rx); err == nil {
			err = w.append(&w.rec)
		}
	}
	if err == nil {
		w.seen = rx
		w.recovered()
		return true
	}
	w.drop(err, rx)
	return false
}

// putGaps records what is missing before the event received at rx.
func (w *Writer) putGaps(rx core.Nanos) error {
	if !w.missing {
		return nil
	}
	for why := GapOverrun; why < numReasons; why++ {
		g := &w.gaps[why]
		if !g.open {
			continue
		}
		to := g.to
		if why != GapOverrun {
			to = rx
		}
		r := Record{Header: Header{Type: TypeGap}, Gap: Gap{Reason: why, Lost: g.lost, From: g.from, To: max(to, g.from)}}
		if err := w.append(&r); err != nil {
			return err
		}
		*g = gap{}
		w.stats.Gaps++
	}
	w.missing = false
	return nil
}

// append gives r its sequence and time, and the log a copy.
func (w *Writer) append(r *Record) error {
	r.Seq, r.Time = w.next, max(w.now, w.time)
	w.buf = r.Append(w.buf[:0])
	if _, err := w.log.Append(w.buf); err != nil {
		return err
	}
	w.next++
	w.time = r.Time
	return nil
}

// drop counts an event that was not recorded.
func (w *Writer) drop(err error, rx core.Nanos) {
	w.stats.Dropped++
	why := GapFailed
	if errors.Is(err, record.ErrFull) {
		why = GapFull
	}
	w.lose(why, 1, min(w.seen, rx), rx)
	if why == GapFailed {
		w.fail(err)
	} else if !w.trouble {
		w.trouble = true
		w.because(err)
		w.cfg.Logger.Warn("the tick log is full: market data is not recorded", zap.Error(err))
	}
}

// because makes err what Err returns.
func (w *Writer) because(err error) { w.failure.Store(&err) }

// recovered ends the trouble of a full log.
func (w *Writer) recovered() {
	if w.trouble {
		w.trouble = false
		w.failure.Store(nil)
		w.cfg.Logger.Info("the tick log takes records again", zap.Uint64("dropped", w.stats.Dropped))
	}
}

// fail notes that the log takes no more records.
func (w *Writer) fail(err error) {
	if w.retryAt != 0 {
		return
	}
	w.trouble = true
	w.retryAt = w.now + core.Nanos(w.cfg.RetryEvery)
	w.because(fmt.Errorf("%w: %w", ErrNoLog, err))
	w.cfg.Logger.Error("the tick log failed: market data is not recorded", zap.Error(err))
}

// reopen tries to get another log when the last one has failed and the time has
// come. What the old one had taken and not kept is lost too.
func (w *Writer) reopen() {
	if w.retryAt == 0 || w.now < w.retryAt || w.cfg.Reopen == nil {
		return
	}
	w.retryAt = w.now + core.Nanos(w.cfg.RetryEvery)
	taken, at := w.next, w.time
	log, err := w.cfg.Reopen()
	if err == nil {
		err = w.use(log)
	}
	if err != nil {
		w.because(fmt.Errorf("%w: %w", ErrNoLog, err))
		return
	}
	if w.next < taken {
		w.stats.Dropped += taken - w.next
		w.lose(GapFailed, taken-w.next, at, at)
	}
	w.retryAt = 0
}
