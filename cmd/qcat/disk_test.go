package main

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/core"
	"qcat/core/engine"
	"qcat/persist/journal"
	"qcat/persist/vfs/faultfs"
)

// onDisk is a server of this process, asked like one of its own.
func onDisk(t *testing.T, disk *faultfs.FS, args ...string) (s *server, p *process, stop func() error) {
	t.Helper()
	s, addr, stop := inProcessOn(t, disk, append([]string{"--demo", "--journal-segment=128KiB", "--journal-buffer=64KiB", "--tick-log-size=16MiB"}, args...)...)
	t.Cleanup(func() { _ = stop() })
	p = &process{t: t, addr: addr}
	p.live(btc)
	return s, p, stop
}

// stillAnswered wants cancel and halt to be carried out: they only take risk away.
func stillAnswered(p *process, open uint64) {
	p.t.Helper()
	if a := p.ask("DELETE", "/api/v1/orders/"+strconv.FormatUint(open, 10), nil); a.status != http.StatusOK {
		p.t.Errorf("cancel: status %d, %s", a.status, a.body)
	}
	if code, _, errs := inProcess(p.t, "halt", "--addr", p.addr, "--instrument", "sim:SOLUSDT", "--reason", "the disk"); code != 0 {
		p.t.Errorf("halt: exit code %d, %s", code, errs)
	}
	if a := p.ask("GET", "/api/v1/positions", nil); a.status != http.StatusOK {
		p.t.Errorf("positions: status %d, %s", a.status, a.body)
	}
}

// TestSyncFails is fsync that returns EIO: nothing is acknowledged from then on,
// trading has stopped, the same descriptor is never synced again, and the next start
// has all that was acknowledged.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	disk, dir := faultfs.New(), t.TempDir()
	_, p, stop := onDisk(t, disk, "--data-dir", dir)
	first := p.accepted(p.resting("first"))
	var failing atomic.Bool
	var tries atomic.Int32
	disk.Inject(func(op faultfs.Op) error {
		if op.Kind == faultfs.Sync && failing.Load() {
			tries.Add(1)
			return syscall.EIO
		}
		return nil
	})
	failing.Store(true)
	o := p.resting("second")
	for i := range 3 {
		o.ClientOrderID = strconv.Itoa(i)
		if r := p.refused(o); r.Code != "risk.halted" {
			t.Errorf("order %d: %+v", i, r)
		}
	}
	stillAnswered(p, first.OrderID)
	status, h := p.health()
	if c := h.Components["journal"]; status != http.StatusServiceUnavailable || c.Status != "down" || !strings.Contains(c.Detail, "input/output error") {
		t.Errorf("health: %d, %+v", status, h)
	}
	if n := tries.Load(); n != 1 {
		t.Errorf("%d syncs after the one that failed", n-1)
	}
	if err := stop(); !errors.Is(err, journal.ErrFailed) {
		t.Errorf("the server ended with %v", err)
	}

	disk.Inject(nil)
	s, p, stop := onDisk(t, disk.Crash(3), "--data-dir", dir)
	if st := p.order(first.OrderID); st.ClientOrderID != "first" {
		t.Errorf("the order that was acknowledged: %+v", st)
	}
	if open := s.view.Orders(engine.OrderFilter{OpenOnly: true}); len(open) > 1 {
		t.Errorf("open: %+v", open)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestDiskIsFull gives the journal no room for another file: new orders are refused
// with a reason, cancels and halts are answered, and once there is room again orders
// are taken without a restart.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	disk, dir := faultfs.New(), t.TempDir()
	s, p, stop := onDisk(t, disk, "--data-dir", dir)
	open := p.accepted(p.resting("open"))
	disk.SetCapacity(1) // what is there stays
	var accepted, refused atomic.Int64
	var ids []uint64 // acknowledged
	var mu sync.Mutex
	var wg sync.WaitGroup
	price := p.resting("").Price
	for range 8 {
		c := dial(t, p.addr)
		wg.Go(func() {
			for n := 0; n < 3; {
				o := client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "limit", TimeInForce: "ioc", Price: price, Qty: "0.010"}
				st, err := c.Order(t.Context(), o)
				if err == nil {
					accepted.Add(1)
					mu.Lock()
					ids = append(ids, st.OrderID)
					mu.Unlock()
					continue
				}
				var r *client.Refusal
				if !errors.As(err, &r) {
					t.Errorf("order: %v", err)
					return
				}
				switch r.Code {
				case "risk.capacity":
					n++
					refused.Add(1)
				case "risk.message_rate", "risk.order_rate":
					time.Sleep(time.Millisecond) // that is recorded, too
				default:
					t.Errorf("refused with %+v", r)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d orders accepted, %d refused", accepted.Load(), refused.Load())
	if r := p.refused(p.resting("late")); r.Code != "risk.capacity" {
		t.Errorf("order: %+v", r)
	}
	if _, h := p.health(); h.Components["journal"].Status != "degraded" || !strings.Contains(h.Components["journal"].Detail, "no room") {
		t.Errorf("health: %+v", h)
	}
	stillAnswered(p, open.OrderID)

	disk.SetCapacity(0)
	eventually(t, "orders are taken again", func() bool {
		return p.ask("POST", "/api/v1/orders", p.resting("again")).status == http.StatusCreated
	})
	p.untilComponent("journal", "ok")
	halted := client.Order{Account: "demo", Instrument: "sim:SOLUSDT", Side: "buy", Type: "market", Qty: "1.00"}
	if r := p.refused(halted); !strings.Contains(r.Code, "halted") {
		t.Errorf("the halt from before is not recorded: %+v", r)
	}
	for _, id := range ids {
		if _, ok := s.view.Order(core.OrderID(id)); !ok {
			t.Fatalf("order %d was acknowledged and is lost", id)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	s, _, stop = onDisk(t, disk.Crash(3), "--data-dir", dir)
	if s.engine.StateHash() == [32]byte{} {
		t.Error("no state")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
