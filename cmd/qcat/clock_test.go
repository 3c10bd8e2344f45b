package main

import (
	"context"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/core"
	"qcat/core/engine"
	"qcat/persist/journal"
)

// ranAhead is a data directory whose last record is of a time that is ahead of the
// clock: the clock was set back since.
func ranAhead(t *testing.T, by time.Duration) (dir string, last core.Nanos) {
	t.Helper()
	dir = t.TempDir()
	last = core.SystemClock().Now() + core.Nanos(by)
	log, err := journal.Open(journal.Options{Dir: journalDir(dir), Name: journalName, SegmentBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	cfg := stateConfig()
	cfg.Clock, cfg.Journal = core.NewManualClock(last), log
	e := engine.New(cfg)
	if _, err := e.DefineAccount("earlier"); err != nil {
		t.Fatal(err)
	}
	if err := e.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, last
}

// TestClockSetBackBetweenRuns is the clock that is an hour behind the last record: times
// of records never descend, and orders are taken all the same: quotes are as old as they
// are, buckets fill, and what expires does so in time.
func TestClockSetBackBetweenRuns(t *testing.T) {
	t.Parallel()
	dir, last := ranAhead(t, time.Hour)
	p := serveIn(t, dir, append([]string{"--demo"}, small...)...)
	p.live(btc)
	for range 3 {
		id := p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"}).OrderID
		p.until(id, "filled")
	}
	p.stopped()
	before := last
	for _, r := range dumped(t, dir, 1) {
		at := core.Nanos(r["time"].(float64)) &^ 0xff // as near as a float64 has it
		if at < before&^0xff {
			t.Errorf("record %v of %v after %v", r["seq"], at.Time(), before.Time())
		}
		before = at
	}
	if before <= last {
		t.Error("time stands still")
	}
	if len(p.logged("the clock is behind the last record: time goes on from that, and slower until the two agree").Msg) == 0 {
		t.Error("nothing is said of it")
	}
}

// TestRunClock is the clock by itself: never before the last record, never going back,
// and the machine's again in the end.
func TestRunClock(t *testing.T) {
	const start, hour = core.Nanos(1_700_000_000e9), core.Nanos(time.Hour)
	machine := core.NewManualClock(start)
	c := &runClock{machine: machine}
	if ahead := c.goOnFrom(start - hour); ahead != 0 || c.Now() != start {
		t.Errorf("after a record of an hour ago: %v ahead, at %v", ahead, c.Now().Time())
	}
	if ahead := c.goOnFrom(start + hour); ahead != time.Hour || c.Now() != start+hour {
		t.Errorf("after a record of in an hour: %v ahead, at %v", ahead, c.Now().Time())
	}
	machine.Set(start + 8*hour)
	if got, want := c.Now(), start+8*hour+hour/2; got != want {
		t.Errorf("half way: at %v, want %v", got.Time(), want.Time())
	}
	before := core.Nanos(0)
	for at := start; at < start+20*hour; at += hour / 7 {
		machine.Set(at)
		now := c.Now()
		if now <= before || now < at || at > start+16*hour && now != at {
			t.Fatalf("at %v the clock shows %v, after %v", at.Time(), now.Time(), before.Time())
		}
		before = now
	}
}
