package faultfs

import (
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
)

// Sector is how much is written as a whole or not at all.
const Sector = 512

// inode is the content of a file.
type inode struct {
	data    []byte             // as it reads
	durable []byte             // as the last Datasync left it
	pending map[int64][][]byte // versions of the sectors written since, oldest first
	sized   bool               // the size was set since
	blocks  map[int64]bool     // the sectors that take room on the disk: those ever written or allocated
	id      int                // from 1
}

func newInode(id int, data []byte) *inode {
	n := &inode{data: slices.Clone(data), durable: slices.Clone(data), pending: map[int64][][]byte{},
		blocks: map[int64]bool{}, id: id}
	for s := range sectors(0, int64(len(data))) {
		n.blocks[s] = true
	}
	return n
}

// sectors yields those that size bytes at off touch.
func sectors(off, size int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for s := off / Sector; s*Sector < off+size && yield(s); s++ {
		}
	}
}

// room is how many bytes the file takes on the disk.
func (n *inode) room() int64 { return int64(len(n.blocks)) * Sector }

// needs is how many more it takes when size bytes at off are written.
func (n *inode) needs(off, size int64) int64 {
	need := int64(0)
	for s := range sectors(off, size) {
		if !n.blocks[s] {
			need += Sector
		}
	}
	return need
}

// readAt reads as io.ReaderAt does.
func (n *inode) readAt(b []byte, off int64) (int, error) {
	if off >= int64(len(n.data)) {
		return 0, io.EOF
	}
	got := copy(b, n.data[off:])
	if got < len(b) {
		return got, io.EOF
	}
	return got, nil
}

// writeAt changes data and notes a version of each sector it touches.
func (n *inode) writeAt(b []byte, off int64) {
	if end := off + int64(len(b)); end > int64(len(n.data)) {
		n.resize(end)
	}
	copy(n.data[off:], b)
	for s := range sectors(off, int64(len(b))) {
		n.blocks[s] = true
		n.pending[s] = append(n.pending[s], sector(n.data, s))
	}
}

// resize sets the size; what is added is zero.
func (n *inode) resize(size int64) {
	n.sized = true
	if size <= int64(len(n.data)) {
		clear(n.data[size:])
		n.data = n.data[:size]
		maps.DeleteFunc(n.blocks, func(s int64, _ bool) bool { return s*Sector >= size })
		return
	}
	n.data = slices.Grow(n.data, int(size)-len(n.data))[:size]
}

// allocate takes room for the first size bytes.
func (n *inode) allocate(size int64) {
	if size > int64(len(n.data)) {
		n.resize(size)
	}
	for s := range sectors(0, size) {
		n.blocks[s] = true
	}
}

// datasync makes the size and what was written since the last sync durable: not
// what that one failed to write.
func (n *inode) datasync() {
	size := len(n.data)
	if size > len(n.durable) {
		n.durable = append(n.durable, make([]byte, size-len(n.durable))...)
	}
	n.durable = n.durable[:size]
	for s := range n.pending {
		if s*Sector < int64(size) {
			copy(n.durable[s*Sector:], sector(n.data, s))
		}
	}
	n.forget()
}

// forget is a sync that failed: what was to be written counts as written.
func (n *inode) forget() {
	clear(n.pending)
	n.sized = false
}

// crash returns what is left of the file.
func (n *inode) crash(r *rand.Rand) *inode {
	size := len(n.durable)
	if n.sized || len(n.pending) > 0 {
		low, high := min(size, len(n.data)), max(size, len(n.data))
		size = []int{low, high, low + r.IntN(high-low+1)}[r.IntN(3)]
	}
	left := newInode(n.id, make([]byte, size))
	maps.DeleteFunc(left.blocks, func(s int64, _ bool) bool { return !n.blocks[s] })
	copy(left.data, n.durable)
	for _, s := range slices.Sorted(maps.Keys(n.pending)) {
		versions := n.pending[s]
		if k := r.IntN(len(versions) + 1); k < len(versions) && s*Sector < int64(size) {
			copy(left.data[s*Sector:], versions[k])
		}
	}
	left.durable = slices.Clone(left.data)
	return left
}

// sector copies sector s of data, which may end within it.
func sector(data []byte, s int64) []byte {
	return slices.Clone(data[s*Sector : min((s+1)*Sector, int64(len(data)))])
}
