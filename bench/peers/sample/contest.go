// Package sample is the contest of latency histograms: core/hist beside HdrHistogram
// and Prometheus' own, which record the same latencies.
//
// Whatever a contestant counts must be as many samples as were given to it, and its
// count of samples up to a bound that it resolves must be the true one.
package sample

import (
	"fmt"
	"sync"
	"time"

	"qcat/bench/peers/contest"
)

// recorder is one goroutine's side of a histogram: record notes n latencies of a walk
// that begins with seed.
type recorder interface {
	record(seed int64, n int)
}

// histogram is what recorders write to and what is asked afterwards.
type histogram interface {
	recorder() recorder
	// counted returns how many samples there are, and how many of at most bound ns.
	counted() (all, atMost uint64, err error)
}

const (
	// bound is a latency that every contestant can tell from the next larger one:
	// a power of two less one, the end of a bucket.
	bound = 2047
	// period is the length of the walk.
	period = 4096
)

// step walks over all latencies below period, three octaves of them most of the time,
// as a busy stage's do.
func step(v int64) int64 { return (v*5 + 1) % period }

var makers = []struct {
	name string
	role contest.Role
	make func() histogram
}{
	{"core/hist", contest.Own, newOwn},
	{"HdrHistogram", contest.Peer, newHDR},
	{"Prometheus Observe", contest.Peer, newObserve},
	{"Prometheus WithLabelValues", contest.Peer, newLabelled},
}

// Contest returns the contest.
func Contest() *contest.Contest {
	c := &contest.Contest{Name: "samples", Title: "A latency sample", Best: true,
		Workload: fmt.Sprintf("latencies of 0 to %d ns in an order without runs; with two writers core/hist and HdrHistogram have a histogram each, "+
			"merged at the end, Prometheus' is shared; counts are checked.", period-1)}
	for _, writers := range []int{1, 2} {
		k := contest.Case{Name: Writers(writers), Unit: "ns/sample"}
		for _, m := range makers {
			k.Entrants = append(k.Entrants, contest.Entrant{Name: m.name, Role: m.role, Run: func(d time.Duration) (float64, error) {
				return contest.Timed(d, func(n int) (time.Duration, error) { return run(m.make(), n, writers) })
			}})
		}
		c.Cases = append(c.Cases, k)
	}
	return c
}

// Writers is the name of a case.
func Writers(n int) string {
	if n == 1 {
		return "one writer"
	}
	return fmt.Sprintf("%d writers", n)
}

// run has each of the writers record about n samples: whole walks.
func run(h histogram, n, writers int) (time.Duration, error) {
	walks := (n + period - 1) / period
	recorders := make([]recorder, writers)
	for i := range recorders {
		recorders[i] = h.recorder()
	}
	var done sync.WaitGroup
	began := time.Now()
	for i, r := range recorders {
		done.Go(func() { r.record(int64(400+i), walks*period) })
	}
	done.Wait()
	took := time.Since(began)
	all, atMost, err := h.counted()
	switch want := uint64(walks * writers); {
	case err != nil:
		return 0, err
	case all != want*period || atMost != want*(bound+1):
		return 0, fmt.Errorf("%d samples, %d of at most %d ns; want %d and %d", all, atMost, bound, want*period, want*(bound+1))
	}
	return time.Duration(float64(took) * float64(n) / float64(walks*period)), nil
}
