package main

import (
	"fmt"
	"time"
)

// criterion says when a rate is too much.
type criterion struct {
	share float64       // of the schedule that must be achieved
	p99   time.Duration // bound of the 99th percentile
}

// leastShare is what a row must achieve of its schedule.
const leastShare = 0.95

// String is the criterion as the report states it.
func (c criterion) String() string {
	return fmt.Sprintf("not everything delivered %v after the end of the row, less than %.0f%% of the schedule achieved, a client cut off, or a p99 above %v", grace, 100*c.share, c.p99)
}

// broken says why o is too much, "" if it is not.
func (c criterion) broken(o *outcome) string {
	switch p99 := o.lat.quantile(99); {
	case o.cut != nil:
		return o.cut.Error()
	case o.refused > 0:
		return fmt.Sprintf("%d refused: %s", o.refused, o.reason)
	case o.missed > 0:
		return fmt.Sprintf("%d left out", o.missed)
	case o.got < o.expected:
		return fmt.Sprintf("%d of %d came", o.got, o.expected)
	case o.achieved() < c.share*o.offered:
		return fmt.Sprintf("%.0f%% of the schedule", 100*o.achieved()/o.offered)
	case p99 > c.p99:
		return "p99 " + short(p99)
	}
	return ""
}
