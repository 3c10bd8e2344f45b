// Package hist measures latencies: a histogram that one goroutine records into
// for a few nanoseconds a sample and any goroutine reads at any time.
//
// # Buckets
//
// Values below 64 ns have a bucket each. Above, every octave [2^k, 2^(k+1)) is
// divided into 32 buckets of equal width, so a bucket is never wider than 1/32
// (3.1 %) of the values in it. The range ends at MaxValue, about 73 minutes.
//
//	bucket of v:  e = max(bits.Len(v)-6, 0);  index = 32·e + v>>e
//
// # Ownership
//
// A Histogram has one recording goroutine at a time: what says whose turn it is must
// order memory, as a mutex does. A stage that runs on several goroutines at once has one
// each, and their Snapshots are merged when somebody looks.
// That is what keeps a sample free of locks and of locked instructions.
//
//	var decode hist.Histogram          // owned by the feed goroutine
//	decode.Record(int64(end - start))  // there
//	s := decode.Snapshot()             // elsewhere
//	p99 := s.Quantile(0.99)
//
// # Imports
//
// hist imports nothing else of this module.
package hist
