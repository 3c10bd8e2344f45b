package risk

// slab is a table that grows without moving what is in it. Slot 0 is nobody's: it is
// zero and never written.
type slab[T any] struct {
	chunks []*[slabChunk]T
	n      uint32 // slots in use, slot 0 included
}

const slabChunk = 256

func newSlab[T any]() slab[T] {
	return slab[T]{chunks: []*[slabChunk]T{new([slabChunk]T)}, n: 1}
}

func (s *slab[T]) at(slot uint32) *T { return &s.chunks[slot/slabChunk][slot%slabChunk] }

// add returns the next slot.
func (s *slab[T]) add() uint32 {
	slot := s.n
	s.n++
	if int(slot) >= len(s.chunks)*slabChunk {
		s.chunks = append(s.chunks, new([slabChunk]T))
	}
	return slot
}
