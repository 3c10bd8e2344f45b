//go:build !race

package metrics

import (
	"testing"
	"time"
)

func TestObserveAllocatesNothing(t *testing.T) {
	route := New().Route("POST", "/x")
	route.Observe(201, time.Millisecond)
	if n := testing.AllocsPerRun(1000, func() { route.Observe(201, time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}
