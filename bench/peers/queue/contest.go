package queue

import (
	"fmt"
	"sync"
	"time"

	"qcat/bench/peers/contest"
)

const (
	capacity = 4096
	// slices is how many turns one is cut into, of which the best counts: two goroutines
	// meet on one core or on two, as the scheduler has it, and stay there for a while.
	slices = 10
	// block is the number of values that a batch of several hands over at once.
	block = 64
)

// transport is a queue as one contestant uses it at its best: whole loops, so that
// nothing but the queue is called for each value.
type transport interface {
	// produce appends n values numbered from first on, batch at a time. n is a
	// multiple of batch.
	produce(first uint64, n, batch int)
	// consume takes n values, as many as batch at a time, and shows them to c.
	consume(c *checker, n, batch int)
}

// maker makes empty transports of values of one size.
type maker struct {
	name string
	role contest.Role
	make func() transport
}

func makers[P any](producers int) []maker {
	all := []maker{{"MPSC", contest.Own, newMPSC[P]}}
	if producers == 1 {
		all = []maker{{"SPSC", contest.Own, newSPSC[P]}, {"MPSC", contest.Own, newMPSC[P]},
			{"Broadcast", contest.Own, newBroadcast[P]}, {"xsync SPSC", contest.Peer, newXsyncSPSC[P]}}
	}
	return append(all, maker{"xsync MPMC", contest.Peer, newXsyncMPMC[P]}, maker{"mutex", contest.Peer, newLocked[P]})
}

// Contest returns the contest.
func Contest() *contest.Contest {
	c := &contest.Contest{Name: "queues", Title: "Queues", Best: true,
		Workload: fmt.Sprintf("values of 8 and of 64 bytes through a queue of %d, one at a time and %d at a time (xsync has no batches: "+
			"one after another), from 1, 4 and 8 producers to one consumer; who cannot go on yields; every number is checked.", capacity, block)}
	for _, producers := range []int{1, 4, 8} {
		for _, batch := range []int{1, block} {
			c.Cases = append(c.Cases, flow[struct{}](8, producers, batch), flow[words7](64, producers, batch))
		}
	}
	c.Cases = append(c.Cases, roundTrip())
	return c
}

func flow[P any](size, producers, batch int) contest.Case {
	c := contest.Case{Name: Flow(producers, size, batch), Unit: "ns/value", Split: slices}
	all := append(makers[P](producers), maker{"channel", contest.Peer, channelOf[P](batch)})
	for _, m := range all {
		c.Entrants = append(c.Entrants, contest.Entrant{Name: m.name, Role: m.role, Run: func(d time.Duration) (float64, error) {
			return contest.Timed(d, func(n int) (time.Duration, error) { return move(m.make(), n, producers, batch) })
		}})
	}
	return c
}

// Flow is the name of a case.
func Flow(producers, size, batch int) string {
	return fmt.Sprintf("%d → 1, %d B, batches of %d", producers, size, batch)
}

// move sends about n values through q and returns what n would have taken.
func move(q transport, n, producers, batch int) (time.Duration, error) {
	each := (n/producers + batch) / batch * batch
	total := each * producers
	var done sync.WaitGroup
	began := time.Now()
	for p := range producers {
		done.Go(func() { q.produce(uint64(p)<<producerBit, each, batch) })
	}
	var c checker
	q.consume(&c, total, batch)
	took := time.Since(began)
	done.Wait()
	if err := c.verify(producers, each); err != nil {
		return 0, err
	}
	return time.Duration(float64(took) * float64(n) / float64(total)), nil
}
