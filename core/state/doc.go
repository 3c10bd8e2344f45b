// Package state reads the form that states are kept in: a snapshot's, which the sequencer
// and the limit tree each write a part of (docs/format/snapshot.md).
//
// Numbers are little-endian and of a fixed width, every list is preceded by its length in
// 64 bits, and nothing is read that is not counted first: a length that is longer than what
// follows it is refused before anything is made of it. There is one form of a value and no
// other, so that what was read and is written again is the same bytes.
//
// # Ownership
//
// A Reader belongs to one goroutine. What Take returns is the caller's bytes, not a copy.
//
// # Imports
//
// core only.
package state
