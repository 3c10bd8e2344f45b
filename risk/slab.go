package risk

import "qcat/core/mem"

// slab is a table that grows without moving what is in it. Slot 0 is nobody's: it is
// zero and never written.
type slab[T any] struct {
	chunks []*[slabChunk]T
	n      uint32 // slots in use, slot 0 included
}

const (
	slabChunk = 256
	// slabGrowth bounds the chunks that are added at once, while an order waits: some
	// MiB.
	slabGrowth = 32
)

func newSlab[T any]() slab[T] {
	return slab[T]{chunks: []*[slabChunk]T{new([slabChunk]T)}, n: 1}
}

func (s *slab[T]) at(slot uint32) *T { return &s.chunks[slot/slabChunk][slot%slabChunk] }

// add returns the next slot.
func (s *slab[T]) add() uint32 {
	slot := s.n
	s.n++
	if int(slot) >= len(s.chunks)*slabChunk {
		more := mem.Huge[[slabChunk]T](min(1+len(s.chunks)/4, slabGrowth))
		for i := range more {
			s.chunks = append(s.chunks, &more[i])
		}
	}
	return slot
}
