package faultfs

import (
	"io"
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
	id      int
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
	for s := off / Sector; s*Sector < off+int64(len(b)); s++ {
		n.pending[s] = append(n.pending[s], sector(n.data, s))
	}
}

// resize sets the size; what is added is zero.
func (n *inode) resize(size int64) {
	n.sized = true
	if size <= int64(len(n.data)) {
		clear(n.data[size:])
		n.data = n.data[:size]
		return
	}
	n.data = slices.Grow(n.data, int(size)-len(n.data))[:size]
}

// datasync makes everything durable.
func (n *inode) datasync() {
	n.durable = slices.Grow(n.durable[:0], len(n.data))[:len(n.data)]
	copy(n.durable, n.data)
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
	left := &inode{data: make([]byte, size), pending: map[int64][][]byte{}, id: n.id}
	copy(left.data, n.durable)
	for _, s := range sortedKeys(n.pending) {
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

func sortedKeys(m map[int64][][]byte) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
