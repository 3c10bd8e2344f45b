package calls

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"qcat/core"
)

// observed returns a log and what it has written.
func observed(cfg Config) (*Log, *observer.ObservedLogs) {
	lines, seen := observer.New(zapcore.InfoLevel)
	cfg.Log = zap.New(lines)
	return New(cfg), seen
}

// counted is the number of calls that lines stand for, by route.
func counted(seen *observer.ObservedLogs) map[string]int64 {
	n := map[string]int64{}
	for _, e := range seen.FilterMessage("API call").All() {
		f := e.ContextMap()
		calls, merged := f["calls"].(int64)
		if !merged {
			calls = 1
		}
		n[f["route"].(string)] += calls
	}
	return n
}

const second = core.Nanos(time.Second)

func TestLineOfACall(t *testing.T) {
	l, seen := observed(Config{Lines: 10})
	l.Add(&Call{Method: "POST", Route: "/api/v1/orders", Status: 201, Took: 42 * time.Microsecond, At: second,
		User: "anna", Key: "k1", Address: netip.MustParseAddr("192.0.2.7")})
	l.Add(&Call{Method: "GET", Route: "other", Status: 404, At: second})
	l.drain(0)
	want := []map[string]any{
		{"method": "POST", "route": "/api/v1/orders", "status": int64(201), "took": 42 * time.Microsecond, "user": "anna", "key": "k1", "address": "192.0.2.7"},
		{"method": "GET", "route": "other", "status": int64(404), "took": time.Duration(0)},
	}
	all := seen.All()
	if len(all) != len(want) {
		t.Fatalf("%d lines", len(all))
	}
	for i, e := range all {
		got := e.ContextMap()
		if e.Message != "API call" || e.Level != zap.InfoLevel || len(got) != len(want[i]) {
			t.Errorf("line %d: %s %s %v", i, e.Level, e.Message, got)
		}
		for k, v := range want[i] {
			if got[k] != v {
				t.Errorf("line %d: %s is %v, want %v", i, k, got[k], v)
			}
		}
	}
}

// Beyond its lines of a second, a log merges by method, route and status; a new second has
// lines again. All calls are in some line.
func TestCallsBeyondTheRateAreMerged(t *testing.T) {
	l, seen := observed(Config{Lines: 3})
	add := func(n int, at core.Nanos, route string, status int, took time.Duration) {
		for range n {
			l.Add(&Call{Method: "GET", Route: route, Status: status, At: at, Took: took})
		}
	}
	add(5, second, "/a", 200, time.Millisecond)
	add(4, second+1, "/b", 200, time.Millisecond)
	add(1, second+2, "/b", 200, time.Second)
	add(2, second+3, "/b", 500, time.Millisecond)
	l.drain(0)
	if n := seen.Len(); n != 3 {
		t.Fatalf("%d lines before the second has ended", n)
	}
	l.drain(2*second + 1) // a call of the second may still be on its way
	if n := seen.Len(); n != 3 {
		t.Fatalf("%d lines as the second ends", n)
	}
	add(1, 2*second, "/a", 200, 0)
	l.drain(0)
	if n := seen.Len(); n != 3+3+1 {
		t.Fatalf("%d lines after the second has ended", n)
	}
	all := seen.All()
	merged := all[4].ContextMap()
	if merged["route"] != "/b" || merged["status"] != int64(200) || merged["calls"] != int64(5) || merged["slowest"] != time.Second {
		t.Errorf("merged: %v", merged)
	}
	if n := counted(seen); n["/a"] != 6 || n["/b"] != 7 {
		t.Errorf("%v", n)
	}
}

// bubble is the clock of a test in a bubble.
type bubble struct{}

func (bubble) Now() core.Nanos { return core.Nanos(time.Now().UnixNano()) }

// The last merged calls are told when nothing comes behind them.
func TestQuietAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, seen := observed(Config{Lines: 1, Clock: bubble{}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); l.Run(ctx) }()
		for range 10 {
			l.Add(&Call{Route: "/a", Status: 200, At: core.Nanos(time.Now().UnixNano())})
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if n := counted(seen); n["/a"] != 10 {
			t.Errorf("%v", n)
		}
		l.Add(&Call{Route: "/b", Status: 200, At: core.Nanos(time.Now().UnixNano())})
		cancel()
		<-done
		if n := counted(seen); n["/b"] != 1 {
			t.Errorf("at the end: %v", n)
		}
	})
}

// Many handlers add more than there is room for: what is not logged is counted.
func TestNothingIsHidden(t *testing.T) {
	l, seen := observed(Config{Lines: 7, Ring: 64, Every: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	const handlers, each = 8, 5000
	var wg sync.WaitGroup
	for h := range handlers {
		wg.Go(func() {
			for i := range each {
				l.Add(&Call{Method: "GET", Route: "/a", Status: 200 + h, At: core.Nanos(i) * second / 1000})
			}
		})
	}
	wg.Wait()
	cancel()
	<-done
	if logged, lost := counted(seen)["/a"], l.Lost(); uint64(logged)+lost != handlers*each || lost == 0 {
		t.Errorf("%d logged, %d lost, %d made", logged, lost, handlers*each)
	}
}

func TestNilLog(t *testing.T) {
	var l *Log
	l.Add(&Call{})
	if l.Lost() != 0 {
		t.Error("a log that is none lost something")
	}
}
