package engine

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
)

// Errors of a restore.
var (
	// ErrSnapshot is wrapped, and wraps ErrDiverged, when a snapshot is not one that
	// this program wrote, or was changed since.
	ErrSnapshot = fmt.Errorf("%w: not a snapshot of a state", ErrDiverged)
	// ErrNotNew is returned when an engine that is to be restored, or its Directory,
	// has something in it.
	ErrNotNew = errors.New("engine is not new")
)

// AppendSnapshot appends the whole state and its SHA-256, which is StateHash: what
// Restore reads. Like StateHash it stops a running lane for as long as it takes,
// some hundred milliseconds when everything is full: a running engine is left
// alone, and a Shadow of it taken.
func (e *Engine) AppendSnapshot(b []byte) []byte {
	e.onEngine(func() {
		sum := sha256.New()
		e.m.writeState(func(part []byte) {
			sum.Write(part)
			b = append(b, part...)
		})
		b = sum.Sum(b)
	})
	return b
}

// SnapshotHash is the state hash that a snapshot carries, and false when it is too
// short to be one. It is not checked here.
func SnapshotHash(snapshot []byte) (hash [32]byte, ok bool) {
	if len(snapshot) < len(hash) {
		return hash, false
	}
	copy(hash[:], snapshot[len(snapshot)-len(hash):])
	return hash, true
}

// Shadow folds records into the state of a snapshot, or into none when snapshot is
// empty, and returns the snapshot of the result, its state hash and the sequence it
// is of. The records must begin where the snapshot ends. It makes an engine of its
// own, without venues, and shares nothing with another that can change, so that it
// may run beside one; the sizes of cfg that bound the state must be those the
// records were written with.
//
// Errors: those of Restore and RecoverLog.
func Shadow(cfg Config, snapshot []byte, records iter.Seq2[[]byte, error]) (payload []byte, hash [32]byte, seq uint64, err error) {
	e := New(cfg.shadow())
	if len(snapshot) > 0 {
		if err := e.Restore(snapshot, nil); err != nil {
			return nil, hash, 0, err
		}
	}
	if err := e.RecoverLog(records, Recovery{}); err != nil {
		return nil, hash, e.m.seq, err
	}
	payload = e.AppendSnapshot(make([]byte, 0, len(snapshot)+len(snapshot)/8))
	hash, _ = SnapshotHash(payload)
	return payload, hash, e.m.seq, nil
}

// shadow is a configuration for an engine that never runs: only what bounds the
// state is kept, and nothing that another engine uses.
func (c Config) shadow() Config {
	const small = 2
	return Config{
		Risk: c.Risk, MaxOpenOrders: c.MaxOpenOrders, KeepClosedOrders: c.KeepClosedOrders,
		CommandRing: small, ReportRing: small, PriorityRing: small, KillRing: small, EventRing: small,
		MaxSinks: small, Batch: small,
	}
}
