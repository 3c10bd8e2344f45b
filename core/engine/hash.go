package engine

import (
	"crypto/sha256"
	"slices"
)

// StateHash is the SHA-256 of the whole state in its canonical form, which is that
// of a snapshot: counters, definitions, the limit tree's own form, trading states
// and who set them, orders open and closed in their order, positions in the order
// of their first fill. It is what I3 compares. While the engine runs it stops the
// lane for as long as it takes: for tests and for the end of a run.
//
// A running checksum of the records stands among the counters: a record that was
// changed where it left no other trace changes the hash all the same.
func (e *Engine) StateHash() (hash [32]byte) {
	e.onEngine(func() {
		sum := sha256.New()
		e.m.writeState(func(b []byte) { sum.Write(b) })
		sum.Sum(hash[:0])
	})
	return hash
}

// Seq is the sequence of the last record applied.
func (e *Engine) Seq() (seq uint64) {
	e.onEngine(func() { seq = e.m.seq })
	return seq
}

// Positions returns a copy of all positions, in the order of their first fill.
func (e *Engine) Positions() (all []PositionState) {
	e.onEngine(func() { all = slices.Clone(e.m.positions.all) })
	return all
}
