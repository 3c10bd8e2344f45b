package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"qcat/api/client"
	"qcat/persist/vfs/faultfs"
	"qcat/risk"
)

// TestSignalFileLooks: a file is acted on once it has been the same twice, or at the
// third look, once; and again when it changes or comes back.
func TestSignalFileLooks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "KILL")
	k := &killSwitch{path: path, log: zap.NewNop()}
	written := time.Unix(1_700_000_000, 0)
	write := func(text string) {
		t.Helper()
		written = written.Add(time.Millisecond)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, written, written)); err != nil {
			t.Fatal(err)
		}
	}
	look := func(want bool, when string) {
		t.Helper()
		if got := k.look(); got != want {
			t.Fatalf("%s: acted on: %v, want %v", when, got, want)
		}
		if want {
			k.done, k.looks = k.last, 0
		}
	}
	look(false, "no file")
	write("")
	look(false, "just made")
	write("account demo")
	look(false, "just written")
	look(true, "the same twice")
	look(false, "acted on")
	write("firm")
	look(false, "changed")
	write("firm\naccount a")
	look(false, "changed again")
	write("firm\naccount a\naccount b")
	look(true, "changes all the time")
	write("firm\naccount a\naccount b")
	look(false, "written again")
	look(true, "written again, the same twice")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	look(false, "gone")
	write("firm\naccount a\naccount b")
	look(false, "back")
	look(true, "back, the same twice")
	if killEvery*(killLooks+1) >= 100*time.Millisecond {
		t.Errorf("%d looks each %v leave no time within 100 ms", killLooks, killEvery)
	}
}

// halts writes a signal file and waits until its answer has every wanted text.
func (p *process) halts(text string, want ...string) (answer string) {
	p.t.Helper()
	path := filepath.Join(p.dataDir, "KILL")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	eventuallyOr(p.t, func() string { return "the signal file is answered: " + answer }, func() bool {
		raw, err := os.ReadFile(path + ".done")
		answer = string(raw)
		for _, w := range want {
			if !strings.Contains(answer, w) {
				return false
			}
		}
		return err == nil
	})
	return answer
}

// open lists the orders that are open.
func (p *process) open() []client.OrderState {
	p.t.Helper()
	return append(p.orders("status=new&limit=500"), p.orders("status=partially_filled&limit=500")...)
}

// TestSignalFileStopsAFlood: clients flood the server with orders, hold connections
// they do not read from, and a signal file appears. After it nothing is open, nothing
// is taken, and it stays so when the file is removed, until a person resumes.
func TestSignalFileStopsAFlood(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	p.live(btc)
	for range 16 { // clients that were stopped in the middle of a request
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")); err != nil {
			t.Fatal(err)
		}
	}
	var (
		done              = make(chan struct{})
		taken, later, bad atomic.Int64
		killed            atomic.Bool
		wg                sync.WaitGroup
	)
	o := p.resting("")
	for range 6 {
		c := dial(t, p.addr)
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				after := killed.Load()
				_, err := c.Order(t.Context(), o)
				var r *client.Refusal
				switch {
				case err == nil && after:
					later.Add(1)
				case err == nil:
					taken.Add(1)
				case errors.As(err, &r) && r.Code != "risk.halted" && after:
					bad.Add(1)
				}
			}
		})
	}
	eventually(t, "orders are open", func() bool { return taken.Load() > 100 })
	p.halts("", "halt firm: done")
	killed.Store(true)
	eventually(t, "nothing is open", func() bool { return len(p.open()) == 0 })
	if err := os.Remove(filepath.Join(p.dataDir, "KILL")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its end is seen", func() bool {
		return p.logged("the signal file is gone; what it stopped stays stopped until it is resumed").Msg != ""
	})
	if r := p.refused(o); r.Code != "risk.halted" {
		t.Errorf("after the file is gone: %+v", r)
	}
	close(done)
	wg.Wait()
	if later.Load() > 0 || bad.Load() > 0 {
		t.Errorf("after the kill %d orders were taken and %d refused for another reason", later.Load(), bad.Load())
	}
	if open := p.open(); len(open) > 0 {
		t.Errorf("open after the kill: %+v", open)
	}
	if code, _, errs := qcat(t, "resume", "--addr", p.addr, "--reason", "over"); code != 0 {
		t.Fatalf("resume: %s", errs)
	}
	p.accepted(p.resting(""))
}

// TestSignalFileScopes: what a file stops is that scope alone; a file with a line that
// nobody understands stops everything.
func TestSignalFileScopes(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	p.live(btc)
	p.live("sim:ETHUSDT")
	eth := client.Order{Account: "demo", Instrument: "sim:ETHUSDT", Side: "buy", Type: "market", Qty: "1"}
	alpha := p.resting("")
	alpha.Strategy = "alpha"

	p.halts("strategy demo/alpha", "halt strategy demo/alpha: done")
	if r := p.refused(alpha); r.Code != "risk.halted" || r.Scope == nil || r.Scope.Level != "strategy" {
		t.Errorf("the strategy: %+v", r)
	}
	p.accepted(p.resting(""))
	p.halts("reduce account demo instrument sim:BTCUSDT\n", "reduce account demo instrument sim:BTCUSDT: done, orders being cancelled: 1")
	if r := p.refused(p.resting("")); r.Code != "risk.reducing" {
		t.Errorf("the account's instrument: %+v", r)
	}
	p.accepted(eth)
	p.halts("halt instrument sim:BTCUSDT\nreduce instrument sim:BTCUSDT\n", "reduce instrument sim:BTCUSDT: is halted already")
	if r := p.refused(p.resting("")); r.Code != "risk.halted" || r.Scope == nil || r.Scope.Account != "" {
		t.Errorf("what is halted was loosened: %+v", r)
	}
	p.accepted(eth)
	p.halts("account demo\nstop it\n", "halt firm: done", "halt account demo: done", "stop is none of")
	if r := p.refused(eth); r.Code != "risk.halted" || r.Scope == nil || r.Scope.Level != "firm" {
		t.Errorf("a line that is not understood: %+v", r)
	}
}

// TestSignalFileBeforeTheStart: what a file says that was there before is done before
// the first order is taken.
func TestSignalFileBeforeTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "KILL"), []byte("account demo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serveIn(t, dir, "--demo")
	// Without waiting for a price: a halt is asked before it.
	r := p.refused(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"})
	if r.Code != "risk.halted" || r.Scope == nil || r.Scope.Level != "account" {
		t.Errorf("the first order: %+v", r)
	}
}

// TestSignalFileElsewhere: the file may be anywhere, be a thing that cannot be read,
// and have no room for its answer.
func TestSignalFileElsewhere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stop")
	p := serve(t, "--demo", "--kill-file", path)
	p.live(btc)
	open := p.accepted(p.resting(""))
	if err := errors.Join(os.Mkdir(path+".done.new", 0o700), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the order is cancelled", func() bool { return p.order(open.OrderID).Status == "cancelled" })
	if r := p.refused(p.resting("")); r.Code != "risk.halted" {
		t.Errorf("%+v", r)
	}
	eventually(t, "the answer's failure is logged", func() bool {
		return p.logged("the signal file's answer could not be written").Msg != ""
	})
}

// TestSignalFileOnAFullDisk: the journal has no room left, and the firm is halted.
func TestSignalFileOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk, dir := faultfs.New(), t.TempDir()
	srv, p, stop := onDisk(t, disk, "--data-dir", dir)
	open := p.accepted(p.resting("open"))
	disk.SetCapacity(1) // what is there stays
	o := p.resting("")
	o.TimeInForce = "ioc"
	var full atomic.Bool
	var wg sync.WaitGroup
	for range 8 {
		c := dial(t, p.addr)
		wg.Go(func() {
			for !full.Load() {
				var r *client.Refusal
				_, err := c.Order(t.Context(), o)
				if err != nil && !errors.As(err, &r) {
					t.Errorf("order: %v", err)
					return
				}
				if err != nil && r.Code == "risk.capacity" {
					full.Store(true)
				}
			}
		})
	}
	wg.Wait()
	if err := os.WriteFile(filepath.Join(dir, "KILL"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// One that is not recorded is answered at once, one that waits for the disk is in
	// the tree.
	eventually(t, "the firm is halted", func() bool {
		if raw, _ := os.ReadFile(filepath.Join(dir, "KILL.done")); strings.Contains(string(raw), "halt firm: done") {
			return true
		}
		var state risk.TradingState
		srv.engine.Query(func(tree *risk.Tree, _ uint64) { state = tree.State(risk.FirmScope()) })
		return state == risk.StateHalted
	})
	if r := p.refused(p.resting("")); r.Code != "risk.capacity" && r.Code != "risk.halted" {
		t.Errorf("%+v", r)
	}
	disk.SetCapacity(0)
	p.until(open.OrderID, "cancelled")
	eventually(t, "there is room, and the halt is not forgotten", func() bool {
		return p.refused(p.resting("")).Code == "risk.halted"
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}
