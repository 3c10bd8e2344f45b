package ringbuf_test

import (
	"fmt"
	"time"

	"qcat/ringbuf"
)

// A consumer drains in batches and waits when there is nothing. What it is to be
// woken for is asked by a function made once.
func ExampleSPSC() {
	queue := ringbuf.NewSPSC[int](1024)
	waiter := ringbuf.NewWaiter(ringbuf.Adaptive)
	queue.Notify(waiter) // before the producer starts

	go func() {
		for i := 1; i <= 100; i++ {
			for !queue.Push(&i) {
				// Full: the caller decides whether to wait, shed or fail.
				time.Sleep(time.Microsecond)
			}
		}
	}()

	batch := make([]int, 16)
	ready := queue.Ready
	sum := 0
	for count := 0; count < 100; {
		n := queue.PopBatch(batch)
		for _, v := range batch[:n] {
			sum += v
		}
		if count += n; n == 0 {
			waiter.Wait(ready, time.Second)
		}
	}
	fmt.Println(sum)
	// Output: 5050
}

// A full queue refuses, and nothing of the refused value remains.
func ExampleMPSC() {
	queue := ringbuf.NewMPSC[string](2)
	for _, order := range []string{"a", "b", "c"} {
		fmt.Println(order, queue.Push(&order))
	}
	var first string
	queue.Pop(&first)
	fmt.Println(first, queue.Len())
	// Output:
	// a true
	// b true
	// c false
	// a 1
}

// A reader that falls behind is told how many values it missed, and goes on with
// the oldest that is still whole.
func ExampleBroadcast() {
	type tick struct{ Price, Qty int64 }
	ring := ringbuf.NewBroadcast[tick](4)
	reader := ring.NewReader()
	for price := range int64(10) {
		ring.Publish(&tick{Price: price, Qty: 1})
	}
	batch := make([]tick, 16)
	n, lost := reader.Read(batch)
	fmt.Println("lost", lost, "then from", batch[0].Price, "to", batch[n-1].Price)
	// Output: lost 8 then from 8 to 9
}

// A gating reader is never lapped: the producer finds the ring full instead.
func ExampleBroadcast_NewGatingReader() {
	ring := ringbuf.NewBroadcast[uint64](2)
	reader := ring.NewGatingReader()
	for v := range uint64(3) {
		fmt.Println(v, ring.TryPublish(&v))
	}
	reader.Close()
	v := uint64(3)
	fmt.Println(v, ring.TryPublish(&v))
	// Output:
	// 0 true
	// 1 true
	// 2 false
	// 3 true
}

func ExampleCell() {
	type quote struct{ Bid, Ask int64 }
	var cell ringbuf.Cell[quote]
	var q quote
	fmt.Println(cell.Load(&q))
	cell.Store(&quote{Bid: 99, Ask: 101})
	fmt.Println(cell.Load(&q), q.Bid, q.Ask)
	// Output:
	// false
	// true 99 101
}
