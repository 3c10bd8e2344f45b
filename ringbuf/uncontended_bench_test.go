package ringbuf

import "testing"

// BenchmarkUncontended moves 64-byte events into a ring of 4096 and out of it on one
// goroutine: the instructions of both sides, without the cache lines that travel between
// cores. SPSC and MPSC push and pop eight at a time, one by one; SPSC-64 pushes and pops
// batches of 64; Broadcast publishes eight one by one and reads them at once. One
// operation is one event; all must come out in order.
func BenchmarkUncontended(b *testing.B) {
	const burst = 8
	var next, want uint64
	check := func(b *testing.B, got []event) {
		for i := range got {
			if got[i].Seq != want {
				b.Fatalf("got %d, want %d", got[i].Seq, want)
			}
			want++
		}
	}
	run := func(name string, size int, step func(b *testing.B, buf []event)) {
		b.Run(name, func(b *testing.B) {
			buf := make([]event, size)
			b.ReportAllocs()
			for done := 0; done < b.N; done += size {
				step(b, buf)
			}
			if next != want || next < uint64(b.N) {
				b.Fatalf("%d went in, %d came out", next, want)
			}
		})
	}
	number := func(buf []event) {
		for i := range buf {
			buf[i].Seq = next
			next++
		}
	}
	var spsc *SPSC[event]
	var mpsc *MPSC[event]
	spsc, next, want = NewSPSC[event](benchCapacity), 0, 0
	run("SPSC", burst, func(b *testing.B, buf []event) {
		number(buf)
		for i := range buf {
			spsc.Push(&buf[i])
		}
		for i := range buf {
			spsc.Pop(&buf[i])
		}
		check(b, buf)
	})
	spsc, next, want = NewSPSC[event](benchCapacity), 0, 0
	run("SPSC-64", 64, func(b *testing.B, buf []event) {
		number(buf)
		spsc.PushBatch(buf)
		check(b, buf[:spsc.PopBatch(buf)])
	})
	mpsc, next, want = NewMPSC[event](benchCapacity), 0, 0
	run("MPSC", burst, func(b *testing.B, buf []event) {
		number(buf)
		for i := range buf {
			mpsc.Push(&buf[i])
		}
		for i := range buf {
			mpsc.Pop(&buf[i])
		}
		check(b, buf)
	})
	ring := NewBroadcast[event](benchCapacity)
	reader := ring.NewReader()
	next, want = 0, 0
	run("Broadcast", burst, func(b *testing.B, buf []event) {
		number(buf)
		for i := range buf {
			ring.Publish(&buf[i])
		}
		n, _ := reader.Read(buf)
		check(b, buf[:n])
	})
}
