package main

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/engine"
	"qcat/core/history"
	"qcat/persist/snapshot"
	"qcat/persist/store"
	"qcat/risk"
)

// writeBaseline begins an empty store whose first records the journal no longer
// has: with the state of the newest snapshot, as if one batch had come to it. What
// led there is not in the store; what comes after it will be.
func (s *server) writeBaseline(ctx context.Context, st store.Store) error {
	meta, payload, _, err := snapshot.Newest(s.disk, snapshotDir(s.cfg.DataDir), s.journal.ID(), s.journal.Durable())
	if err != nil {
		return err
	}
	b, err := baseline(s.journal.ID(), meta.Seq, payload)
	if err != nil {
		return fmt.Errorf("snapshot of record %d: %w", meta.Seq, err)
	}
	if err := st.Write(ctx, b); err != nil {
		return errors.Join(errBaseline, err)
	}
	s.log.Warn("the store is new and the journal's first records are gone: it begins with the state of a snapshot; what happened before is not in it",
		zap.Uint64("seq", meta.Seq), zap.Int("orders", len(b.Orders)), zap.Int("positions", len(b.Positions)))
	return nil
}

// errBaseline is of a store that did not take the beginning; it is tried again.
var errBaseline = errors.New("the store did not take the state it is to begin with")

// baseline is the state of a snapshot as the rows of all records up to it.
func baseline(log [16]byte, seq uint64, payload []byte) (*store.Batch, error) {
	b := &store.Batch{Stream: store.Journal, Log: log, From: 1, To: seq}
	e := engine.New(stateConfig())
	err := e.Restore(payload, func(ev *engine.Event) {
		switch ev.Kind {
		case engine.EventOrder:
			b.Orders = append(b.Orders, history.Order{Order: ev.Order, Seq: seq})
		case engine.EventPosition:
			p := &ev.Position
			b.Positions = append(b.Positions, history.Position{Account: p.Account, Strategy: p.Strategy, Instrument: p.Instrument,
				Leg: p.Leg, Position: p.Position, Seq: seq, Time: ev.Time})
		case engine.EventDefinition:
			b.Time = ev.Time
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range b.Orders {
		b.Orders[i].Due = e.Due(b.Orders[i].ID)
	}
	dir := e.Directory()
	for _, in := range dir.Instruments() {
		b.Instruments = append(b.Instruments, *in)
	}
	for _, a := range dir.Accounts() {
		b.Accounts = append(b.Accounts, *a)
		e.Query(func(tree *risk.Tree, _ uint64) { b.Totals = append(b.Totals, totalsOf(tree, a.ID, b.Time)...) })
	}
	for _, s := range dir.Strategies() {
		b.Strategies = append(b.Strategies, *s)
	}
	return b, nil
}

// totalsOf is what was transferred to an account by then.
func totalsOf(tree *risk.Tree, a core.AccountID, at core.Nanos) (totals []store.TransferTotal) {
	for _, w := range tree.Wallets(a) {
		if w.Deposits != 0 {
			totals = append(totals, store.TransferTotal{Account: a, Currency: w.Currency, Amount: w.Deposits, Time: at})
		}
	}
	return totals
}
