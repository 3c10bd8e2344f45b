package engine

import (
	"bytes"
	"fmt"

	"qcat/core"
	"qcat/core/record"
)

func (e *Engine) replayOne(rec []byte, observe func(*Event)) error {
	r := &e.rec
	if err := record.Decode(rec, r); err != nil {
		return err
	}
	if r.Seq != e.m.seq+1 || r.Time < e.m.now {
		return fmt.Errorf("%w: found sequence %d at time %d after %d", ErrDiverged, r.Seq, r.Time, e.m.now)
	}
	if err := e.replayDefinition(r); err != nil {
		return err
	}
	e.m.decide(r)
	e.buf = r.Append(e.buf[:0])
	if !bytes.Equal(e.buf, rec) {
		return fmt.Errorf("%w: a %s record comes out differently", ErrDiverged, r.Type)
	}
	e.m.apply(r, e.buf)
	out := &e.m.out
	out.venues.clear()
	for ; out.events.len() > 0; out.events.pop() {
		if observe != nil {
			observe(out.events.front())
		}
	}
	return nil
}

// replayDefinition brings a definition into the directory, where it must get the
// id that was recorded.
func (e *Engine) replayDefinition(r *record.Record) error {
	d, want, got := e.cfg.Directory, uint32(0), uint32(0)
	switch r.Type {
	case record.TypeInstrument:
		if int64(r.Instrument.Definition.ID) < int64(len(e.m.instruments)) {
			return e.replayRedefinition(&r.Instrument.Definition)
		}
		in, err := d.AddInstrument(r.Instrument.Definition)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDiverged, err)
		}
		want, got = uint32(r.Instrument.Definition.ID), uint32(in.ID)
	case record.TypeAccount:
		a, err := d.AddAccount(r.Account.Name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDiverged, err)
		}
		want, got = uint32(r.Account.ID), uint32(a.ID)
	case record.TypeStrategy:
		s, err := d.AddStrategy(r.Strategy.Account, r.Strategy.Name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDiverged, err)
		}
		want, got = uint32(r.Strategy.ID), uint32(s.ID)
	default:
		return nil
	}
	if got != want || int(want) != e.nextID(r.Type) {
		return fmt.Errorf("%w: %s %d would be %d", ErrDiverged, r.Type, want, got)
	}
	return nil
}

// replayRedefinition gives an instrument the filters that were recorded.
func (e *Engine) replayRedefinition(def *core.Instrument) error {
	old := e.m.instrument(def.ID)
	if old == nil || old.Name() != def.Name() {
		return fmt.Errorf("%w: instrument %d is not %s", ErrDiverged, def.ID, def.Name())
	}
	if _, err := e.cfg.Directory.RedefineInstrument(*def); err != nil {
		return fmt.Errorf("%w: %w", ErrDiverged, err)
	}
	return nil
}

// nextID is the id that the next definition of a type gets.
func (e *Engine) nextID(t record.Type) int {
	switch t {
	case record.TypeInstrument:
		return len(e.m.instruments)
	case record.TypeAccount:
		return e.m.accounts + 1
	default:
		return len(e.m.strategies)
	}
}
