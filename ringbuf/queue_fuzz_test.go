package ringbuf

import "testing"

// FuzzQueue interprets bytes as operations on an SPSC, an MPSC and the naive
// queue: the first is the capacity; then an even byte pushes one value and an odd
// one pops byte/2 values as a batch. All three must agree at every step.
func FuzzQueue(f *testing.F) {
	f.Add([]byte{1, 0, 0, 3, 3})
	f.Add([]byte{2, 0, 0, 0, 3, 0, 5, 0, 9})
	f.Add([]byte{5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 255})
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) == 0 {
			return
		}
		capacity := roundCapacity(int(ops[0]%32) + 1)
		naive := &naiveQueue{capacity: capacity}
		under := []queue{NewSPSC[uint64](capacity), NewMPSC[uint64](capacity)}
		dst := make([]uint64, 128)
		for i, op := range ops[1:] {
			v := uint64(i)
			if op%2 == 0 {
				want := naive.push(v)
				for k, q := range under {
					if got := q.Push(&v); got != want {
						t.Fatalf("step %d: %s Push = %v, want %v", i, queues[k].name, got, want)
					}
				}
				continue
			}
			want := naive.pop(int(op / 2))
			for k, q := range under {
				got := dst[:q.PopBatch(dst[:op/2])]
				if len(got) != len(want) {
					t.Fatalf("step %d: %s PopBatch(%d) = %d, want %d", i, queues[k].name, op/2, len(got), len(want))
				}
				for at := range want {
					if got[at] != want[at] {
						t.Fatalf("step %d: %s value %d, want %d", i, queues[k].name, got[at], want[at])
					}
				}
			}
		}
	})
}

// FuzzBroadcast interprets bytes as operations on a broadcast ring with one
// overrun-detecting reader: even bytes publish byte/2 values as a batch, odd ones
// read up to byte/2. Order, whole count and the number lost are checked.
func FuzzBroadcast(f *testing.F) {
	f.Add([]byte{4, 20, 3, 3, 8, 9})
	f.Add([]byte{1, 2, 2, 3, 1, 254, 255})
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) == 0 {
			return
		}
		b := NewBroadcast[uint64](int(ops[0]%32) + 1)
		r := b.NewReader()
		buf := make([]uint64, 128)
		var published, at uint64
		for i, op := range ops[1:] {
			n := int(op / 2)
			if op%2 == 0 {
				for k := range n {
					buf[k] = published + uint64(k)
				}
				b.PublishBatch(buf[:n])
				published += uint64(n)
				continue
			}
			gone := wantLost(published-at, b.Cap())
			wantN := int(min(published-at-gone, uint64(n)))
			got, lost := r.Read(buf[:n])
			if got != wantN || lost != gone {
				t.Fatalf("step %d: Read(%d) = %d, %d, want %d, %d", i, n, got, lost, wantN, gone)
			}
			at += lost
			for k := range got {
				if buf[k] != at {
					t.Fatalf("step %d: value %d, want %d", i, buf[k], at)
				}
				at++
			}
		}
	})
}
