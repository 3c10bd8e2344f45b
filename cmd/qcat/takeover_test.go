package main

import (
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/persist/postgres/pgtest"
)

// lastPort is the last one that freePort gave out. Two runs at once begin at different ones.
var lastPort = func() *atomic.Int32 {
	p := &atomic.Int32{}
	p.Store(20_000 + int32(os.Getpid()%10_000))
	return p
}()

// freePort is an address that nobody listens on now, and that nobody gets by asking the
// system for any: it is below the ports that the system hands out, also while one server
// has left it and the next has not come yet.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		ln, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(int(lastPort.Add(1))))
		if err != nil {
			continue
		}
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		return ln.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

// successor starts a server on p's address that waits for its data directory.
func (p *process) successor(args ...string) *process {
	p.t.Helper()
	q := launch(p.t, p.dataDir, command(p.t, append([]string{"serve", "--demo", "--listen", p.addr, "--data-dir", p.dataDir}, args...)...))
	eventuallyOr(p.t, func() string { return "it waits:\n" + q.stderr.String() }, func() bool { return q.waits() })
	return q
}

func (p *process) waits() bool { return p.logged("waiting for the data directory").Msg != "" }

// dead kills the process, which its test wants.
func (p *process) dead() {
	p.t.Helper()
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
	p.code = 0
}

// stream sends orders over HTTP until it is stopped, and notes when each was acknowledged.
type stream struct {
	mu    sync.Mutex
	acked []time.Time
	other map[string]int // answers that are neither an order nor a wish to try again
	halt  chan struct{}
	wg    sync.WaitGroup
}

// streamPace is the time between two orders of a lane: four of them stay below the demo's
// limits.
const streamPace = 8 * time.Millisecond

func startStream(addr, prefix string, lanes int) *stream {
	s := &stream{other: map[string]int{}, halt: make(chan struct{})}
	for lane := range lanes {
		s.wg.Go(func() {
			h := client.NewHTTP(addr)
			defer h.Close()
			tick := time.NewTicker(streamPace)
			defer tick.Stop()
			for i := 0; ; i++ {
				select {
				case <-s.halt:
					return
				case <-tick.C:
				}
				o := client.Order{Account: "demo", Instrument: btc, Side: []string{"buy", "sell"}[i%2], Type: "market", Qty: "0.001",
					ClientOrderID: prefix + strconv.Itoa(lane) + "-" + strconv.Itoa(i)}
				s.note(h.Order(o))
			}
		})
	}
	return s
}

func (s *stream) note(_ client.OrderState, err error) {
	s.mu.Lock()
	switch {
	case err == nil:
		s.acked = append(s.acked, time.Now())
	case !client.Retry(err) && !unpriced(err):
		s.other[err.Error()]++
	}
	s.mu.Unlock()
}

// unpriced reports whether an order was refused because no price has come yet: that is so for
// a moment after a start, and a client decides for itself whether the order is still wanted.
func unpriced(err error) bool {
	var r *client.Refusal
	return errors.As(err, &r) && r.Code == "risk.stale_reference"
}

func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acked)
}

func (s *stream) stop() {
	close(s.halt)
	s.wg.Wait()
}

// gap is the longest time without an acknowledgement.
func (s *stream) gap() (longest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.acked); i++ {
		longest = max(longest, s.acked[i].Sub(s.acked[i-1]))
	}
	return longest
}

// TestTakeOver stops a server under load while another waits for its data directory: for
// whom it waits is said, it goes on at once, and the pause in acknowledgements is told.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"embedded", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--no-cancel-on-shutdown", "--takeover-wait=1m"}, small...)
			if kind == "postgres" {
				args = append(args, "--database-url", migrated(t, pgtest.URL(t)))
			}
			p := serveIn(t, t.TempDir(), append([]string{"--demo", "--listen", freePort(t)}, args...)...)
			p.live(btc)
			load := startStream(p.addr, "l", 4)
			eventually(t, "orders are taken", func() bool { return load.count() > 200 })
			q := p.successor(args...)
			if l := q.stderr.String(); !strings.Contains(l, `"holder":"`+strconv.Itoa(p.cmd.Process.Pid)+`"`) {
				t.Errorf("it does not say for whom it waits:\n%s", l)
			}
			began := time.Now()
			p.stopped()
			ended := time.Now()
			q.serving()
			t.Logf("the old one ended %v after its signal, the new one served %v later", ended.Sub(began).Round(time.Millisecond), time.Since(ended).Round(time.Millisecond))
			before := load.count()
			eventually(t, "orders are taken again", func() bool { return load.count() > before+200 })
			load.stop()
			t.Logf("longest time without an acknowledgement: %v, of %d orders", load.gap().Round(time.Millisecond), load.count())
			if gap := load.gap(); gap > patience {
				t.Errorf("no order was taken for %v", gap)
			}
			if len(load.other) > 0 {
				t.Errorf("answers that are no wish to try again: %v", load.other)
			}
		})
	}
}

// TestTakeOverThatFails: two that wait, one that is killed while it waits, one whose
// patience ends, one that is stopped while it waits, and a holder that is killed.
func TestTakeOverThatFails(t *testing.T) {
	t.Parallel()
	t.Run("the holder never ends", func(t *testing.T) {
		t.Parallel()
		p := serve(t, append([]string{"--demo"}, small...)...)
		code, _, errs := qcat(t, "serve", "--demo", "--listen", p.addr, "--data-dir", p.dataDir, "--takeover-wait=300ms")
		if code != exitLater || !strings.Contains(errs, "is in use by process "+strconv.Itoa(p.cmd.Process.Pid)+", which has not ended within takeover-wait (300ms)") {
			t.Errorf("exit code %d: %s", code, errs)
		}
		p.live(btc)
	})
	t.Run("settings are read before", func(t *testing.T) {
		t.Parallel()
		p := serve(t, append([]string{"--demo"}, small...)...)
		bare := pgtest.URL(t)
		for flag, want := range map[string]string{
			"--order-idle=nap":       "order-idle",
			"--tls-cert=/no/such":    "tls-cert",
			"--database-url=" + bare: "run qcat migrate",
			"--takeover-wait=-1s":    "takeover-wait",
			"--backup-schedule=x":    "backup-schedule",
			"--paper-maker-fee=x":    "paper-maker-fee",
		} {
			began := time.Now()
			code, _, errs := qcat(t, "serve", "--demo", "--listen", p.addr, "--data-dir", p.dataDir, "--takeover-wait=10m", flag)
			if code == 0 || !strings.Contains(errs, want) || time.Since(began) > patience {
				t.Errorf("%s: exit code %d: %s", flag, code, errs)
			}
		}
	})
	t.Run("killed while it waits", func(t *testing.T) {
		t.Parallel()
		p := serve(t, append([]string{"--demo", "--listen", freePort(t)}, small...)...)
		args := append([]string{"--takeover-wait=1m"}, small...)
		p.successor(args...).dead()
		p.live(btc)
		q := p.successor(args...)
		p.stopped()
		q.serving()
		q.live(btc)
	})
	t.Run("stopped while it waits", func(t *testing.T) {
		t.Parallel()
		p := serve(t, append([]string{"--demo", "--listen", freePort(t)}, small...)...)
		q := p.successor(append([]string{"--takeover-wait=1m"}, small...)...)
		if code := q.stop(); code != 1 || !strings.Contains(q.stderr.String(), "stopped while waiting for process") {
			t.Errorf("exit code %d:\n%s", code, q.stderr.String())
		}
		q.code = 0
		p.live(btc)
	})
	t.Run("two wait", func(t *testing.T) {
		t.Parallel()
		p := serve(t, append([]string{"--demo", "--listen", freePort(t)}, small...)...)
		args := append([]string{"--takeover-wait=1m"}, small...)
		both := []*process{p.successor(args...), p.successor(args...)}
		p.stopped()
		first, second := both[0], both[1]
		eventually(t, "one of them serves", func() bool {
			if second.logged("serving").Msg != "" {
				first, second = second, first
			}
			return first.logged("serving").Msg != ""
		})
		first.serving().live(btc)
		if second.logged("the data directory is taken over").Msg != "" {
			t.Error("both have the data directory")
		}
		first.stopped()
		second.serving().live(btc)
	})
	t.Run("the holder is killed", func(t *testing.T) {
		t.Parallel()
		p := serve(t, append([]string{"--demo", "--listen", freePort(t), "--no-cancel-on-shutdown"}, small...)...)
		id := p.accepted(p.resting("r")).OrderID
		p.until(id, "new")
		q := p.successor(append([]string{"--takeover-wait=1m"}, small...)...)
		p.kill()
		began := time.Now()
		q.serving()
		t.Logf("the new one served %v after the old one was killed", time.Since(began).Round(time.Millisecond))
		q.live(btc)
		if st := q.until(id, "new"); st.ClientOrderID != "r" {
			t.Errorf("the order of before: %+v", st)
		}
		if raw, err := os.ReadFile(q.dataDir + "/" + lockName); err != nil || string(raw) != strconv.Itoa(q.cmd.Process.Pid)+"\n" {
			t.Errorf("the lock says %q, %v", raw, err)
		}
	})
}
