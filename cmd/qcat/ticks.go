package main

import (
	"context"
	"errors"
	"os"

	"go.uber.org/zap"

	"qcat/persist/journal"
	"qcat/persist/store"
	"qcat/persist/ticklog"
)

// tickSegments is into how many files the tick log's size is parted: what is
// dropped at once is one of them.
const tickSegments = 16

// openTicks opens the tick log and its writer.
func (s *server) openTicks(ctx context.Context) error {
	if !s.cfg.TickLog {
		return nil
	}
	stored := uint64(0)
	if st := s.archive.store(); st != nil {
		pos, err := st.Position(ctx, store.Ticks)
		if err != nil {
			return err
		}
		stored = pos.Seq
	}
	log, err := s.tickLogBehind(stored)
	if err != nil {
		return err
	}
	s.archive.ticks = log
	log.Hold(holdName)
	sources := make([]ticklog.Source, len(s.lanes))
	for i := range s.lanes {
		sources[i] = ticklog.Source{Ring: s.lanes[i].source.Ring}
	}
	s.ticks, err = ticklog.NewWriter(ticklog.Config{Log: log, Sources: sources, Clock: s.clock, Logger: s.log.Named("ticks")})
	return err
}

// tickLogBehind opens the tick log so that it goes on behind record stored. It is
// not synced: a power cut may leave it behind the store, or damaged. It then begins
// anew, and the rows have a gap that says so.
func (s *server) tickLogBehind(stored uint64) (*journal.Log, error) {
	dir := ticksDir(s.cfg.DataDir)
	segment := min(int64(s.cfg.TickLogSize)/tickSegments, journal.DefaultSegmentBytes)
	options := journal.Options{
		Dir: dir, Name: ticksName, Sync: journal.SyncOS, Lossy: true, Start: stored + 1, SegmentBytes: segment,
		MaxBytes: int64(s.cfg.TickLogSize), MaxAge: s.cfg.TickLogAge, Clock: s.clock, Log: s.log.Named("ticks"),
	}
	log, err := journal.Open(options)
	if err == nil && log.Opened().Last < stored {
		err = errors.Join(errBehind, log.Close())
	}
	if !errors.Is(err, journal.ErrDamaged) && !errors.Is(err, errBehind) {
		return log, err
	}
	s.log.Warn("the tick log begins anew", zap.Error(err), zap.Uint64("from", stored+1))
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	return journal.Open(options)
}

var errBehind = errors.New("the tick log is behind the store: it lost its end")
