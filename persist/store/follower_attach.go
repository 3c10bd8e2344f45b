package store

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// attach opens a reader behind the stored position, where the log must be the one
// that was followed.
//
// A log may have lost its end to a power cut, or been put back to an older copy: it
// then ends before the position, or has another record there, as the record's time
// tells. A journal must not: its follower stops. The tick log, which is never
// synced, may: the follower goes on behind its position, and passes over one more
// record to mark what was between as a gap.
func (f *Follower) attach() error {
	at := f.project.Position()
	log, from := f.cfg.Log, at.Seq
	if from == 0 || f.broken {
		from++
	}
	if at.Seq > log.Last() {
		if f.ticks == nil {
			return fmt.Errorf("%w: %s holds records up to %d, the %s ends at %d: it lost its end, or is an older copy",
				ErrPosition, f.cfg.Name, at.Seq, f.cfg.Stream, log.Last())
		}
		return f.awaitLog(at.Seq)
	}
	if first := log.First(); from < first {
		if at.Seq+1 < first && f.ticks == nil {
			return fmt.Errorf("%w: %s needs record %d of the %s, which begins at %d: fill it from a backup first", ErrGone,
				f.cfg.Name, at.Seq+1, f.cfg.Stream, first)
		}
		from = first
	}
	r, err := log.NewReader(from)
	switch {
	case errors.Is(err, ErrGone) && f.ticks != nil:
		return nil // deleted since: again
	case err != nil:
		return fmt.Errorf("reading the %s: %w", f.cfg.Stream, err)
	}
	f.reader = r
	if from == at.Seq {
		return f.recognise(at)
	}
	return nil
}

// recognise reads the record at the stored position, which must be the one that
// was stored.
func (f *Follower) recognise(at Position) error {
	rec, ok, err := f.reader.Next()
	switch {
	case errors.Is(err, ErrGone) && f.ticks != nil:
		return f.detach()
	case err != nil:
		return fmt.Errorf("reading the %s: %w", f.cfg.Stream, err)
	case !ok:
		return fmt.Errorf("%w: the %s has no record %d", ErrPosition, f.cfg.Stream, at.Seq)
	case recordTime(rec) == at.Time:
		return nil
	case f.ticks == nil:
		return fmt.Errorf("%w: record %d of the %s is of time %d, %s stored one of time %d", ErrPosition, at.Seq, f.cfg.Stream,
			recordTime(rec), f.cfg.Name, at.Time)
	}
	f.breakOff("the tick log was written anew behind what is stored")
	return nil
}

// awaitLog waits until the tick log has passed the stored position again.
func (f *Follower) awaitLog(seq uint64) error {
	if !f.broken {
		f.breakOff("the tick log ends before what is stored")
	}
	f.wake.Wait(f.readable, time.Second)
	if f.cfg.Log.Last() <= seq {
		return nil // not yet: again
	}
	r, err := f.cfg.Log.NewReader(seq + 1)
	switch {
	case errors.Is(err, ErrGone):
		return nil // attach knows what to do
	case err != nil:
		return fmt.Errorf("reading the %s: %w", f.cfg.Stream, err)
	}
	f.reader = r
	return nil
}

func (f *Follower) breakOff(why string) {
	f.broken = true
	f.cfg.Logger.Warn(why, zap.Uint64("stored", f.project.Position().Seq), zap.Uint64("log", f.cfg.Log.Last()))
}

// pass marks the ticks before rec as a gap when it does not follow.
func (f *Follower) pass(rec []byte) {
	at, seq := f.project.Position(), recordSeq(rec)
	switch {
	case f.broken:
		f.broken = false
		f.ticks.Skip(seq, recordTime(rec))
	case seq > at.Seq+1:
		f.cfg.Logger.Warn("ticks were deleted before they were stored", zap.Uint64("from", at.Seq+1), zap.Uint64("to", seq-1))
		f.ticks.Skip(seq-1, recordTime(rec))
	}
}

// detach closes the reader, so that the next round opens another.
func (f *Follower) detach() error {
	err := f.reader.Close()
	f.reader = nil
	return err
}
