package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"qcat/core/engine"
	"qcat/persist/journal"
	"qcat/persist/snapshot"
	"qcat/persist/vfs"
)

// openJournal opens the order journal: every record is checked, a torn end is cut
// off, and damage before it stops the start.
func (s *server) openJournal() error {
	mode, err := journal.ParseSyncMode(s.cfg.JournalSync)
	if err != nil {
		return badSetting("journal-sync", "%v", err)
	}
	if err := notWithoutJournal(s.disk, s.cfg.DataDir); err != nil {
		return err
	}
	s.progress.begin("checking the journal", "bytes", 0)
	s.journal, err = journal.Open(journal.Options{
		FS: s.disk, Dir: journalDir(s.cfg.DataDir), Name: journalName, Sync: mode,
		BatchInterval: s.cfg.JournalBatchInterval, SegmentBytes: int64(s.cfg.JournalSegment), BufferBytes: int(s.cfg.JournalBuffer),
		MaxAge: s.cfg.JournalRetention, Clock: s.clock, Log: s.log.Named("journal"),
		Progress: func(p journal.Progress) { s.progress.stepOf(uint64(p.Bytes), uint64(p.Total)) },
	})
	return err
}

// notWithoutJournal refuses a data directory that has snapshots and no file of the
// journal they are of: a start would begin anew, and know nothing of what is held.
func notWithoutJournal(disk vfs.FS, dataDir string) error {
	snapshots, err := snapshot.List(disk, snapshotDir(dataDir))
	if err != nil || len(snapshots) == 0 {
		return err
	}
	names, err := disk.List(journalDir(dataDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, ".seg") }) {
		return nil
	}
	return fmt.Errorf("%w: %s has no file of it, and %s is a snapshot of it at record %d: bring the journal back, or restore a backup (qcat backup restore)",
		errNoJournal, journalDir(dataDir), snapshots[0].Path, snapshots[0].Seq)
}

// Reasons not to start.
var (
	errNoJournal = errors.New("the journal is missing")
	errLostEnd   = errors.New("the journal lost its end")
	errOther     = errors.New("the snapshots are of another journal")
)

// passedOver logs the snapshots that cannot be used. One that is ahead of the
// journal proves that records were lost that had been synced.
func (s *server) passedOver(snapshots []error) error {
	for _, why := range snapshots {
		if errors.Is(why, snapshot.ErrAhead) {
			return fmt.Errorf("%w: %w: restore a backup (qcat backup restore)", errLostEnd, why)
		}
		s.log.Warn("snapshot passed over", zap.Error(why))
	}
	return nil
}

// recover brings the engine to the state that the newest sound snapshot and the
// journal behind it stand for. The view sees it as it would have seen it happen.
func (s *server) recover(ctx context.Context) error {
	began := s.clock.Now()
	opened := s.journal.Opened()
	if err := s.readable(opened.Last); err != nil {
		return err
	}
	s.progress.begin("reading the newest snapshot", "", 0)
	meta, payload, skipped, err := snapshot.Newest(s.disk, snapshotDir(s.cfg.DataDir), s.journal.ID(), opened.Last)
	if err := s.passedOver(skipped); err != nil {
		return err
	}
	switch {
	case err == nil:
		if err := s.engine.Restore(payload, s.view.Observe); err != nil {
			return fmt.Errorf("snapshot of record %d: %w", meta.Seq, err)
		}
		s.snapshotAt = meta
	case !errors.Is(err, snapshot.ErrNone):
		return err
	case slices.ContainsFunc(skipped, func(why error) bool { return errors.Is(why, snapshot.ErrOtherLog) }):
		return fmt.Errorf("%w: %s and %s do not belong together: bring back the one that is missing, or restore a backup (qcat backup restore)",
			errOther, journalDir(s.cfg.DataDir), snapshotDir(s.cfg.DataDir))
	case opened.First > 1 && opened.Last >= opened.First:
		return fmt.Errorf("the journal begins at record %d and there is no sound snapshot of the state before it: restore a backup (qcat backup restore)", opened.First)
	}
	s.progress.begin("replaying the journal", "records", opened.Last-meta.Seq)
	err = s.engine.RecoverLog(s.recordsAfter(ctx, meta.Seq), engine.Recovery{
		Observe: s.view.Observe, Progress: func(seq uint64) { s.progress.step(seq - meta.Seq) },
	})
	if err != nil {
		return fmt.Errorf("recovery: %w", err)
	}
	if seq := s.engine.Seq(); seq != opened.Last {
		return fmt.Errorf("recovery: the journal ends at record %d and the state is that of %d", opened.Last, seq)
	}
	s.logRecovery(meta.Seq, time.Duration(s.clock.Now()-began))
	return nil
}

// logRecovery says what came of a recovery and what it cost.
func (s *server) logRecovery(snapshotSeq uint64, took time.Duration) {
	last := s.journal.Opened().Last
	if last == 0 {
		s.log.Info("new data directory", zap.String("path", s.cfg.DataDir))
		return
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	hash := s.engine.StateHash()
	s.log.Info("recovered", zap.Uint64("journal_seq", last), zap.Uint64("snapshot_seq", snapshotSeq), zap.Uint64("replayed", last-snapshotSeq),
		zap.Duration("took", took), zap.String("heap", byteSize(mem.HeapInuse).rounded()), zap.String("state_hash", fmt.Sprintf("%x", hash)))
}

// recordsAfter are those of the journal that was opened, until ctx is done.
func (s *server) recordsAfter(ctx context.Context, seq uint64) iter.Seq2[[]byte, error] {
	last := s.journal.Opened().Last
	if seq >= last {
		return func(func([]byte, error) bool) {}
	}
	return untilDone(ctx, s.journal.Records(seq+1, last))
}

// untilDone yields what records does, and ctx's error in its place once ctx is done.
func untilDone(ctx context.Context, records iter.Seq2[[]byte, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for rec, err := range records {
			if !yield(rec, errors.Join(err, ctx.Err())) {
				return
			}
		}
	}
}

// snapshotPoll is how often it is looked whether a snapshot is due.
const snapshotPoll = 200 * time.Millisecond

// buildKeeper makes the keeper of snapshots, and begins the retention of both logs
// now that everybody who needs their records has said so.
func (s *server) buildKeeper() error {
	s.snapshotHold = s.journal.Hold("snapshots")
	s.releaseSnapshotted()
	s.keeper = snapshot.NewKeeper(snapshot.KeeperConfig{
		Committed: s.journal.Durable, Take: s.takeSnapshot, Records: s.cfg.SnapshotRecords, Interval: s.cfg.SnapshotInterval, Poll: snapshotPoll,
		Last: s.snapshotAt.Seq, LastTime: s.snapshotAt.Time, Clock: s.clock, Log: s.log.Named("snapshot"),
	})
	if s.archive.ticks != nil {
		if err := s.archive.ticks.Retain(); err != nil {
			return err
		}
	}
	return s.journal.Retain()
}

// takeSnapshot folds the records since the newest snapshot into a state of its
// own and writes it: the engine goes on meanwhile and shares nothing with it.
// Only records that survive a power cut are folded: a snapshot must not be ahead
// of its journal.
func (s *server) takeSnapshot(ctx context.Context) (seq uint64, size int64, err error) {
	to := s.journal.Durable()
	dir := snapshotDir(s.cfg.DataDir)
	meta, payload, _, err := snapshot.Newest(s.disk, dir, s.journal.ID(), to)
	if err != nil && !errors.Is(err, snapshot.ErrNone) {
		return 0, 0, err
	}
	if to <= meta.Seq {
		return meta.Seq, 0, nil
	}
	payload, hash, seq, err := engine.Shadow(stateConfig(), payload, untilDone(ctx, s.journal.Records(meta.Seq+1, to)))
	if err != nil {
		return 0, 0, fmt.Errorf("shadow: %w", err)
	}
	return s.writeSnapshot(snapshot.Meta{Log: s.journal.ID(), Seq: seq, Time: s.clock.Now(), Hash: hash}, payload)
}

// writeSnapshot writes one, removes the oldest, and lets go of the records that
// none of those kept needs.
func (s *server) writeSnapshot(meta snapshot.Meta, payload []byte) (seq uint64, size int64, err error) {
	dir := snapshotDir(s.cfg.DataDir)
	_, size, err = snapshot.Write(s.disk, dir, meta, payload)
	if err != nil {
		return 0, 0, err
	}
	if _, err := snapshot.Prune(s.disk, dir, meta.Log, s.cfg.SnapshotKeep); err != nil {
		s.log.Warn("old snapshots are not removed", zap.Error(err))
	}
	s.releaseSnapshotted()
	return meta.Seq, size, nil
}

// releaseSnapshotted keeps the records behind the oldest snapshot that is sound:
// should the newer ones turn out damaged, it is what a start falls back to.
func (s *server) releaseSnapshotted() {
	oldest, err := snapshot.Oldest(s.disk, snapshotDir(s.cfg.DataDir), s.journal.ID())
	if err != nil {
		s.log.Warn("snapshots cannot be listed", zap.Error(err))
		return
	}
	s.snapshotHold.Advance(oldest)
}

// finalSnapshot keeps the state of the stopped engine, so that the next start has
// nothing to replay. Everything it stands for must have been synced.
func (s *server) finalSnapshot() {
	seq := s.engine.Seq()
	if seq == 0 || seq != s.journal.Durable() {
		return
	}
	if newest := s.keeper.Stats().LastSeq; newest == seq {
		return
	}
	payload := s.engine.AppendSnapshot(nil)
	if _, size, err := s.writeSnapshot(snapshot.Meta{Log: s.journal.ID(), Seq: seq, Time: s.clock.Now(), Hash: s.engine.StateHash()}, payload); err != nil {
		s.log.Warn("no snapshot of the end; the next start replays the journal", zap.Error(err))
	} else {
		s.log.Info("snapshot of the end", zap.Uint64("seq", seq), zap.String("size", byteSize(size).rounded()))
	}
}
