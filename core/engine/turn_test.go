package engine

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qcat/core"
	"qcat/ringbuf"
	"qcat/risk"
)

// answers counts what is delivered, and says so to whoever waits for one.
type answers struct {
	n   atomic.Int64
	got chan uint64
}

func (a *answers) Deliver(r *Reply) {
	a.n.Add(1)
	if a.got != nil {
		a.got <- r.Token
	}
}

// running starts the harness' engine for good; it looks at timers once an hour, so
// that a wake-up that is lost is seen.
func (h *harness) running() {
	h.t.Helper()
	h.e.stop()
	h.e.maxIdle = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.e.Run(ctx) }()
	for h.e.Health() != HealthRunning {
		runtime.Gosched()
	}
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
}

// TestExecuteAnswersHere: an order of an idle engine is answered before Execute
// returns, by the goroutine that called it.
func TestExecuteAnswersHere(t *testing.T) {
	h := newHarness(t)
	h.running()
	sink := &answers{}
	to, _ := h.e.RegisterSink(sink)
	here := 0
	for i := range 200 {
		c := h.limit(core.Buy, 9990, 1, "")
		c.Reply = to
		if !h.e.Execute(&c) {
			t.Fatal("shed")
		}
		if sink.n.Load() == int64(i+1) {
			here++
		}
		for sink.n.Load() <= int64(i) { // Run was at it
			runtime.Gosched()
		}
	}
	if here < 100 {
		t.Errorf("%d of 200 orders were answered by their own goroutine", here)
	}
}

// TestNobodyIsLeftBehind: goroutines execute, submit, put and serve, and ask, all at
// once and in turns, and wait for each answer. Nothing but what they do wakes the engine.
func TestNobodyIsLeftBehind(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.Idle = ringbuf.Park; c.MaxOpenOrders = 1 << 16 })
	h.running()
	const goroutines, rounds = 8, 400
	var wg sync.WaitGroup
	late := time.AfterFunc(2*time.Minute, func() { panic("a command was left behind") })
	for g := range goroutines {
		wg.Go(func() {
			sink := &answers{got: make(chan uint64, 4)}
			to, _ := h.e.RegisterSink(sink)
			defer h.e.UnregisterSink(to)
			for i := range rounds {
				c := h.limit(core.Buy, 9990, 1, "")
				c.Reply, c.Token = to, uint64(i+1)
				switch (g + i) % 4 {
				case 0:
					h.e.Execute(&c)
				case 1:
					h.e.Submit(&c)
				case 2:
					h.e.Put(&c)
					h.e.Serve()
				case 3:
					h.e.Query(func(*risk.Tree, uint64) {})
					h.e.Execute(&c)
				}
				if got := <-sink.got; got != c.Token {
					t.Errorf("answer %d for command %d", got, c.Token)
				}
			}
		})
	}
	wg.Wait()
	late.Stop()
}

// TestACommitByAnotherGoroutine: what a journal commits by itself is released by its
// goroutine, or whoever is at it.
func TestACommitByAnotherGoroutine(t *testing.T) {
	h := newHarness(t)
	h.journal.hold = true
	h.running()
	defer h.journal.commit()
	sink := &answers{got: make(chan uint64, 1)}
	to, _ := h.e.RegisterSink(sink)
	for i := range 100 {
		c := h.limit(core.Buy, 9990, 1, "")
		c.Reply, c.Token = to, uint64(i+1)
		h.e.Execute(&c)
		if len(sink.got) != 0 {
			t.Fatal("answered before the commit")
		}
		for h.journal.MemoryJournal.Committed() < h.journal.committed.Load()+1 {
			runtime.Gosched() // Run is at it
		}
		h.journal.commit()
		h.journal.tell()
		<-sink.got
	}
}

// leadJournal commits with Commit and with Flush, and knows which.
type leadJournal struct {
	*heldJournal
	e    *Engine
	led  atomic.Int64
	kept atomic.Int64
}

func (j *leadJournal) Publish() error { return nil }

func (j *leadJournal) Flush() error {
	j.kept.Add(1)
	j.committed.Store(j.MemoryJournal.Committed())
	return nil
}

func (j *leadJournal) Commit() {
	if j.e.turn.state.Load() == turnGuest {
		panic("whoever commits still has the turn")
	}
	j.led.Add(1)
	j.committed.Store(j.MemoryJournal.Committed())
	j.tell()
}

// TestExecuteWaitsForTheDisk: an order that is alone is committed by its own goroutine,
// after it has let go of the turn; Serve leaves the disk to the journal.
func TestExecuteWaitsForTheDisk(t *testing.T) {
	journal := &leadJournal{heldJournal: &heldJournal{MemoryJournal: NewMemoryJournal(0)}}
	h := newHarness(t, func(c *Config) { c.Journal = journal })
	journal.e = h.e
	h.running()
	sink := &answers{got: make(chan uint64, 1)}
	to, _ := h.e.RegisterSink(sink)
	here := 0
	for i := range 200 {
		c := h.limit(core.Buy, 9990, 1, "")
		c.Reply, c.Token = to, uint64(i+1)
		before := journal.led.Load()
		if i%2 == 0 {
			h.e.Execute(&c)
			here += len(sink.got)
		} else {
			h.e.Put(&c)
			h.e.Serve()
			if journal.led.Load() != before {
				t.Fatal("Serve waited for the disk")
			}
		}
		<-sink.got
	}
	if here < 50 {
		t.Errorf("%d of 100 orders were committed by their own goroutine", here)
	}
}

// cyclesJournal counts duty cycles: each asks once whether records can commit.
type cyclesJournal struct {
	leadJournal
	cycles atomic.Int64
}

func (j *cyclesJournal) Err() error { j.cycles.Add(1); return nil }

// TestAnOrderThatIsAloneWakesNobody: its own goroutine carries it out and commits it, and
// releases its answer and its events; a Run that sleeps meanwhile goes on sleeping.
func TestAnOrderThatIsAloneWakesNobody(t *testing.T) {
	journal := &cyclesJournal{leadJournal: leadJournal{heldJournal: &heldJournal{MemoryJournal: NewMemoryJournal(0)}}}
	h := newHarness(t, func(c *Config) { c.Journal, c.Idle = journal, ringbuf.Park })
	journal.e = h.e
	h.running()
	sink := &answers{}
	to, _ := h.e.RegisterSink(sink)
	const orders, warm = 400, 200
	for i := range orders {
		if i == warm {
			journal.cycles.Store(0) // Run has gone to sleep for its hour
		}
		c := h.limit(core.Buy, 9990, 1, "")
		c.Reply = to
		h.e.Execute(&c)
		for sink.n.Load() <= int64(i) {
			runtime.Gosched()
		}
		for range 20 {
			runtime.Gosched() // whoever was woken gets to its cycle
		}
	}
	// Two that carry it out, the second of which finds nothing, and two that release.
	if got := journal.cycles.Load(); got > 4*(orders-warm)+20 {
		t.Errorf("%d duty cycles for %d orders", got, orders-warm)
	}
}

// mine panics in the middle of a duty cycle.
type mine struct{}

func (mine) Deliver(*Reply) { panic("a mistake") }

// minedJournal panics in the middle of a commit.
type minedJournal struct{ leadJournal }

func (*minedJournal) Commit() { panic("a mistake") }

// TestAPanicOfAGuestEndsTheProcess, although the goroutine that was the engine would
// have got over it: in a duty cycle, and in a commit, which may hold what all later ones
// need.
func TestAPanicOfAGuestEndsTheProcess(t *testing.T) {
	if where := os.Getenv("QCAT_TEST_CRASH"); where != "" {
		h := newHarness(t, func(c *Config) {
			if where == "commit" {
				c.Journal = &minedJournal{leadJournal{heldJournal: &heldJournal{MemoryJournal: NewMemoryJournal(0)}}}
			}
		})
		h.running()
		to, _ := h.e.RegisterSink(mine{})
		c := h.limit(core.Buy, 9990, 1, "")
		c.Reply = to
		func() {
			defer func() { _ = recover() }()
			h.e.Execute(&c)
		}()
		time.Sleep(time.Minute)
		return
	}
	for _, where := range []string{"duty", "commit"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "QCAT_TEST_CRASH="+where)
		out, err := cmd.CombinedOutput()
		if err == nil || ctx.Err() != nil || !strings.Contains(string(out), "a mistake") {
			t.Errorf("%s: the process went on: %v\n%s", where, err, out)
		}
	}
}

// TestAGuestFinishes: what one duty cycle leaves to the next, here the rejection of an
// order that a halt has overtaken, is not left to Run, which may sleep.
func TestAGuestFinishes(t *testing.T) {
	h := newHarness(t)
	h.journal.hold = true
	h.submit(h.limit(core.Buy, 9990, 1, ""))
	h.run()
	h.submit(Command{Kind: CmdState, Scope: risk.FirmScope(), State: risk.StateHalted, Note: MakeNote("test")})
	h.run()
	h.journal.hold = false
	h.journal.commit()
	h.e.turn.free()
	h.e.Serve()
	if !h.e.turn.claim() {
		t.Fatal("the guest kept the turn")
	}
	if o := h.stored(h.e.m.lastOrder); o.Status != core.StatusRejected || len(h.gateway.sent) != 0 {
		t.Errorf("the order is %s, and %d commands were sent", o.Status, len(h.gateway.sent))
	}
}

// TestRunSleepsNoLongerThanAGuestSaw: what a guest leaves to be looked at again soon
// keeps Run from the long sleep for which it had gone before.
func TestRunSleepsNoLongerThanAGuestSaw(t *testing.T) {
	h := newHarness(t)
	h.e.turn.free()
	if work, idle := h.e.dutyOfRun(); work != 0 || idle != timersEvery {
		t.Fatalf("%d done, then %v idle", work, idle)
	}
	if h.e.looksForWork() {
		t.Fatal("there is nothing to do")
	}
	h.gateway.room = 0 // the order waits here
	c := h.limit(core.Buy, 9990, 1, "")
	h.e.Execute(&c)
	if !h.e.looksForWork() {
		t.Error("Run goes to sleep for long")
	}
	if _, idle := h.e.dutyOfRun(); idle >= timersEvery || h.e.looksForWork() {
		t.Errorf("%v idle, and not asleep then", idle)
	}
	if !h.e.turn.claim() {
		t.Fatal("the turn was kept")
	}
}

// TestReminderBeforeTheRound: what a guest was reminded of before it looks at the rings
// asks for no look of its own; what it is reminded of afterwards does.
func TestReminderBeforeTheRound(t *testing.T) {
	var at turn
	if !at.enter() || !at.remind() {
		t.Fatal("nobody had the turn")
	}
	at.reread()
	if !at.leave() {
		t.Error("a guest that has looked since it was reminded is to look again")
	}
	if !at.enter() {
		t.Fatal("the turn is not free")
	}
	at.reread()
	if !at.remind() || at.leave() {
		t.Error("a guest leaves that was reminded after it had looked")
	}
}
