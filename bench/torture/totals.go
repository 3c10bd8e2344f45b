package main

import (
	"fmt"
	"time"
)

// totals are what the summary of the kills counts.
type totals struct {
	kills     int
	acks      int    // answers acknowledged, each found again
	records   uint64 // of the journal at the end
	orders    int    // accepted, once each
	torn      int    // starts that cut a torn end off
	snapshots int    // starts that began from a snapshot
	rows      uint64 // held against the logs at the end
	ticks     uint64

	longest    time.Duration // start
	startTotal time.Duration
}

// add is for those of another mode.
func (t *totals) add(o totals) {
	t.kills += o.kills
	t.acks += o.acks
	t.records += o.records
	t.orders += o.orders
	t.torn += o.torn
	t.snapshots += o.snapshots
	t.rows += o.rows
	t.ticks += o.ticks
	t.longest = max(t.longest, o.longest)
	t.startTotal += o.startTotal
}

// started counts a start.
func (t *totals) started(s server) {
	t.startTotal += s.took
	t.longest = max(t.longest, s.took)
	if s.Cut {
		t.torn++
	}
	if s.Recovered.SnapshotSeq > 0 {
		t.snapshots++
	}
}

// String is the counts in words.
func (t totals) String() string {
	mean := time.Duration(0)
	if t.kills > 0 {
		mean = t.startTotal / time.Duration(t.kills)
	}
	return fmt.Sprintf("%d kills -9, %d acknowledged answers and %d records, none lost, doubled or changed, state hash equal after each, "+
		"%d orders accepted once each, %d starts from a snapshot, %d cut a torn end, longest start %v, mean %v, %d rows of %d records and %d ticks stored exactly once",
		t.kills, t.acks, t.records, t.orders, t.snapshots, t.torn, t.longest.Round(time.Millisecond), mean.Round(time.Millisecond), t.rows, t.records, t.ticks)
}
