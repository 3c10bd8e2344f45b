package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"qcat/api/client"
)

// TestShutdownCancelsOpenOrders ends the server with orders open: a client sees
// each of them cancelled before it is told to come back later.
func TestShutdownCancelsOpenOrders(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	c := dial(t, p.addr)
	seen := follow[client.OrderState](t, c, "orders")
	open := map[uint64]bool{}
	for range 20 {
		open[p.accepted(p.resting("")).OrderID] = true
	}
	if code := p.stop(); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, p.stderr.String())
	}
	<-c.Done()
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), " 4001") {
		t.Errorf("the client was told %v, want 4001", c.Err())
	}
	for _, o := range seen.all() {
		if o.Status == "cancelled" {
			delete(open, o.OrderID)
		}
	}
	if len(open) > 0 {
		t.Errorf("%d of 20 orders were not seen cancelled", len(open))
	}
	if p.logged("cancelling open orders").Orders == 0 && p.logged("stopped").Msg == "" {
		t.Errorf("log:\n%s", p.stderr.String())
	}
}

// TestShutdownMayLeaveOrdersOpen is the same without --cancel-on-shutdown.
func TestShutdownMayLeaveOrdersOpen(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo", "--no-cancel-on-shutdown")
	seen := follow[client.OrderState](t, dial(t, p.addr), "orders")
	p.accepted(p.resting(""))
	eventually(t, "the order is seen", func() bool { return len(seen.all()) > 0 })
	if code := p.stop(); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, p.stderr.String())
	}
	if seen.some(func(o client.OrderState) bool { return o.Status == "cancelled" || o.Pending == "cancel" }) {
		t.Errorf("cancelled: %+v", seen.all())
	}
}

func TestDataDirectoryBelongsToOneProcess(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	args := []string{"serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", p.dataDir}
	code, _, errs := qcat(t, args...)
	pid := strconv.Itoa(p.cmd.Process.Pid)
	if code != 2 || !strings.Contains(errs, p.dataDir+" is in use by process "+pid) {
		t.Errorf("second process: exit code %d, %q", code, errs)
	}
	// The lock outlives neither a stop nor a kill.
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	p.code = 0 // it was this test's doing
	lock, err := openDataDir(p.dataDir)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(filepath.Join(p.dataDir, "LOCK")); err != nil || string(raw) != strconv.Itoa(os.Getpid())+"\n" {
		t.Errorf("the lock says %q, %v", raw, err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		lock, err := openDataDir(filepath.Join(p.dataDir, "a", "b", ""))
		if err == nil {
			err = lock.Close()
		}
		if err != nil {
			t.Errorf("a directory below others: %v", err)
		}
	}
	file := fileWith(t, "file", nil)
	if code, _, errs := qcat(t, "serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(file, "below")); code != 1 || !strings.Contains(errs, "data directory") {
		t.Errorf("impossible directory: exit code %d, %q", code, errs)
	}
}

// TestMaxConnections: one connection more than there may be is refused, and one that
// has ended makes room.
func TestMaxConnections(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo", "--max-connections=2")
	first, second := dial(t, p.addr), dial(t, p.addr)
	for _, c := range []*client.Conn{first, second} { // once it is answered it counts
		if err := c.Subscribe(t.Context(), client.Sub{Channel: "trade:sim:BTCUSDT", Handle: func(*client.Message) {}}); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := client.Dial(t.Context(), p.addr, client.Options{}); err == nil {
		_ = c.Close()
		t.Error("a third connection is taken")
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "room for another", func() bool {
		c, err := client.Dial(t.Context(), p.addr, client.Options{})
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

func TestListenAddresses(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, tt := range []struct {
		name, addr, want string
	}{
		{"every address", "0.0.0.0:0", "not a loopback address: "},
		{"every address, in short", ":0", "not a loopback address"},
		{"every IPv6 address", "[::]:0", "not a loopback address"},
		{"another host", "192.0.2.1:0", "not a loopback address"},
		{"a name", "example.com:0", "not a loopback address"},
		{"no port", "127.0.0.1", "not host:port"},
		{"a port in use", ln.Addr().String(), ln.Addr().String() + ": bind: address already in use: by another QCAT, perhaps; --listen takes another address"},
	} {
		for _, demo := range [][]string{nil, {"--demo"}} {
			args := append([]string{"serve", "--data-dir", t.TempDir(), "--listen", tt.addr}, demo...)
			if code, out, errs := inProcess(t, args...); code != 2 || !strings.Contains(errs, tt.want) || !strings.HasPrefix(errs, "qcat: listen: ") || out != "" {
				t.Errorf("%s %v: exit code %d, %q, %q", tt.name, demo, code, errs, out)
			}
		}
	}
	for _, good := range []string{"127.0.0.1:0", "127.8.8.8:1", "localhost:0", "[::1]:0"} {
		if err := (&serveCmd{Listen: good}).checkAccess(); err != nil {
			t.Error(err)
		}
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--nosuch"}, "nosuch"},
		{[]string{"serve", "--max-connections", "0"}, "max-connections: there must be one at least"},
		{[]string{"serve", "--feed", "moon"}, `"moon" is none of sim, replay`},
		{[]string{"serve", "--feed", "sim:BTCUSDT"}, "sim takes no symbols"},
		{[]string{"serve", "--feed", "replay:/no/such/file"}, "/no/such/file"},
		{[]string{"serve", "--feed", "replay:/x@0x"}, "0x"},
		{[]string{"serve", "--feed", "binance-usdm:"}, "binance-usdm needs symbols"},
		{[]string{"serve", "--sim-instruments", "0"}, "sim-instruments"},
		{[]string{"serve", "--order-idle", "nap"}, "order-idle"},
		{[]string{"serve", "--hub-idle", "nap"}, "hub-idle"},
		{[]string{"serve", "--paper-maker-fee", "0.02"}, "paper-maker-fee"},
		{[]string{"serve", "--paper-taker-fee", "x%"}, "paper-taker-fee"},
		{[]string{"serve", "--log-level", "loud"}, "log-level"},
		{[]string{"serve", "--origins", "desk.example"}, "origins"},
		{[]string{"serve", "--feed", "sim", "--feed", "sim"}, "sim:BTCUSDT is followed twice"},
		{[]string{"nosuch"}, "nosuch"},
		{nil, "Usage: qcat <command>"},
	} {
		if len(tt.args) > 0 && tt.args[0] == "serve" {
			tt.args = append(tt.args, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir())
		}
		if code, out, errs := inProcess(t, tt.args...); code != 2 || !strings.Contains(errs, tt.want) || out != "" {
			t.Errorf("%v: exit code %d, %q, %q", tt.args, code, errs, out)
		}
	}
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"--version"}} {
		if code, out, errs := inProcess(t, args...); code != 0 || out == "" || errs != "" {
			t.Errorf("%v: exit code %d, %q, %q", args, code, out, errs)
		}
	}
}
