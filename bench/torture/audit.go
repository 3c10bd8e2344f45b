package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"path/filepath"

	"qcat/bench/rows"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/record"
	"qcat/persist/journal"
	"qcat/persist/snapshot"
	"qcat/persist/sqlite"
	"qcat/persist/vfs"
)

// audit follows the journal from outside, from its first record on.
type audit struct {
	engine *engine.Engine
	last   uint64 // record folded
	sum    uint32 // of all records
	orders map[core.OrderID]struct{}
	rec    record.Record
}

// entry is what a record says of an acknowledged answer.
type entry struct {
	order   core.OrderID
	clOrdID string // of a new order
}

// check reads what a life has added, and looks for every answer of it.
func (a *audit) check(dir string, acked []ack) error {
	if a.engine == nil {
		a.engine, a.orders = engine.New(engine.Config{}), map[core.OrderID]struct{}{}
	}
	log, err := journal.OpenReadOnly(filepath.Join(dir, "journal"), "journal", vfs.OS{})
	if err != nil {
		return err
	}
	if log.Last() < a.last {
		return fmt.Errorf("the journal ends at record %d and had %d before", log.Last(), a.last)
	}
	found := map[uint64]entry{}
	var failed error
	if err := errors.Join(a.engine.Recover(a.read(log, found, &failed), nil), failed); err != nil {
		return err
	}
	for _, want := range acked {
		got, ok := found[want.seq]
		if !ok || got.order != core.OrderID(want.order) || got.clOrdID != want.clOrdID {
			return fmt.Errorf("answer %+v was acknowledged, and the journal has %+v", want, got)
		}
	}
	return a.sameState(dir, log)
}

// read yields the records that are new and notes what they say.
func (a *audit) read(log *journal.ReadOnly, found map[uint64]entry, failed *error) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if a.last == log.Last() {
			return
		}
		for rec, err := range log.Records(a.last+1, log.Last()) {
			if err == nil {
				err = a.note(rec, found)
			}
			if err != nil {
				*failed = err
				return
			}
			if !yield(rec) {
				return
			}
		}
	}
}

func (a *audit) note(rec []byte, found map[uint64]entry) error {
	r := &a.rec
	if err := record.Decode(rec, r); err != nil {
		return err
	}
	if r.Seq != a.last+1 {
		return fmt.Errorf("record %d comes after %d", r.Seq, a.last)
	}
	a.last = r.Seq
	a.sum = crc32.Update(a.sum, rows.Castagnoli, rec)
	switch r.Type {
	case record.TypeNew:
		found[r.Seq] = entry{r.New.Order, r.New.ClOrdID.String()}
		if r.New.Reason.Code != 0 || r.New.Duplicate {
			break
		}
		if _, twice := a.orders[r.New.Order]; twice {
			return fmt.Errorf("order %d is accepted twice, again by record %d", r.New.Order, r.Seq)
		}
		a.orders[r.New.Order] = struct{}{}
	case record.TypeCancel:
		found[r.Seq] = entry{order: r.Cancel.Found}
	case record.TypeAmend:
		found[r.Seq] = entry{order: r.Amend.Found}
	}
	return nil
}

// sameState wants what a start would come to, snapshot and tail, to be what all
// records together come to.
func (a *audit) sameState(dir string, log *journal.ReadOnly) error {
	meta, payload, skipped, err := snapshot.Newest(vfs.OS{}, filepath.Join(dir, "snapshots"), log.ID(), log.Last())
	if errors.Is(err, snapshot.ErrNone) && len(skipped) == 0 {
		return nil
	}
	if err := errors.Join(append(skipped, err)...); err != nil {
		return err
	}
	tail := func(func([]byte, error) bool) {}
	if meta.Seq < log.Last() {
		tail = log.Records(meta.Seq+1, log.Last())
	}
	_, hash, seq, err := engine.Shadow(engine.Config{}, payload, tail)
	if err != nil {
		return fmt.Errorf("snapshot of record %d: %w", meta.Seq, err)
	}
	if want := a.engine.StateHash(); hash != want || seq != a.last {
		return fmt.Errorf("at record %d the state is %x; from the snapshot of %d it is %x at %d", a.last, want, meta.Seq, hash, seq)
	}
	return nil
}

// settle lets the store catch up, stops the server in order, and holds the store
// against both logs.
func (r *run) settle(ctx context.Context) error {
	s, err := r.start(ctx, "--shutdown-timeout", "60s")
	if err != nil {
		return err
	}
	if err := s.Stop(); err != nil {
		return fmt.Errorf("the server's end: %w", err)
	}
	if err := r.audit.check(r.dir, nil); err != nil {
		return err
	}
	have, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(r.dir, "qcat.db"), KeepTicks: -1})
	if err != nil {
		return err
	}
	defer func() { _ = have.Close() }() // only read
	got, err := rows.Compare(ctx, r.dir, 0, have)
	if err != nil {
		return err
	}
	if got.Sum != r.audit.sum || got.Records != r.audit.last {
		return errors.New("records have changed since they were first read")
	}
	r.total.rows, r.total.ticks = got.Rows, got.Ticks
	return nil
}
