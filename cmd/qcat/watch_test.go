package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal: programs write to slave, seen is what a person
// would have been sent.
type terminal struct {
	slave *os.File
	seen  output
}

func newTerminal(t *testing.T, cols, rows uint16) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: cols, Row: rows}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{slave: slave}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(&term.seen, master) // ends with an error when the slave is closed
	}()
	t.Cleanup(func() {
		_ = slave.Close()
		_ = master.Close()
		<-done
	})
	return term
}

// interrupt sends what Ctrl-C sends and wants a clean end.
func interrupt(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v after an interrupt", err)
	}
}

func TestWatchPrintsLinesIntoAPipe(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	cmd := command(t, "watch", "--addr", p.addr, "bbo:"+btc, "trade:"+btc, "depth:"+btc, "orders")
	var out, errs output
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	channels := []string{"bbo:" + btc, "trade:" + btc, "depth:" + btc, "orders"}
	eventuallyOr(t, func() string { return "all channels show: " + tail(out.String()) + errs.String() }, func() bool {
		for _, ch := range channels {
			if !strings.Contains(out.String(), "\t"+ch+"\t") {
				return false
			}
		}
		return true
	})
	interrupt(t, cmd)
	line := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{6}\t(bbo:|trade:|depth:|orders)\S*\t\d+\t\{.*\}\n$`)
	for got := range strings.Lines(out.String()) {
		if !line.MatchString(got) {
			t.Fatalf("line %q", got)
		}
	}
	if errs.String() != "" {
		t.Errorf("stderr: %s", errs.String())
	}
}

func TestWatchShowsATableOnATerminal(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	p.live(btc)
	term := newTerminal(t, 80, 24)
	cmd := command(t, "watch", "--addr", p.addr, "bbo:"+btc, "depth:"+btc, "trade:"+btc)
	cmd.Stdout = term.slave
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	header := regexp.MustCompile(`CHANNEL +FRAMES +PER S +SEQ +LATEST`)
	rows := []*regexp.Regexp{
		regexp.MustCompile(`bbo:sim:BTCUSDT +[1-9]\d* +[1-9]\d* +\d+  \d+\.\d{3}@\d+\.\d\d \| \d+\.\d{3}@\d+\.\d\d`),
		regexp.MustCompile(`depth:sim:BTCUSDT +[1-9]\d* +[1-9]\d* +\d+  (\S+@\S+ )+\|( \S+@\d+\.\d\d)+`),
		regexp.MustCompile(`trade:sim:BTCUSDT +[1-9]\d* +\d+ +\d+  p \d+\.\d\d`),
	}
	eventuallyOr(t, func() string { return fmt.Sprintf("the table shows: %q", tail(term.seen.String())) }, func() bool {
		seen := term.seen.String()
		for _, row := range rows {
			if !row.MatchString(seen) {
				return false
			}
		}
		return header.MatchString(seen)
	})
	interrupt(t, cmd)
	eventually(t, "the cursor is back", func() bool { return strings.Contains(term.seen.String(), "\x1b[?25h") })
	screen := term.seen.String()
	if !strings.HasPrefix(screen, "\x1b[?25l") || strings.Contains(screen, `{"`) {
		t.Errorf("screen: %q", tail(screen))
	}
	for _, line := range strings.Split(strings.ReplaceAll(screen, "\x1b[K", ""), "\r\n") {
		if text := regexp.MustCompile(`\x1b\[\??\d*[a-zA-Z]`).ReplaceAllString(line, ""); len(text) > 80 {
			t.Fatalf("a line of %d columns on a terminal of 80: %q", len(text), text)
		}
	}
}

// TestWatchComesBack stops the server under a watch: it says so, and goes on when
// there is one again.
func TestWatchComesBack(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo", "--listen", freePort(t))
	cmd := command(t, "watch", "--addr", p.addr, "bbo:"+btc)
	var out, errs output
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "quotes show", func() bool { return out.String() != "" })
	p.stop()
	eventually(t, "the disconnect is told", func() bool { return strings.Contains(errs.String(), "disconnected, trying again") })
	lines := len(out.String())
	serve(t, "--demo", "--listen", p.addr)
	eventually(t, "quotes show again", func() bool { return len(out.String()) > lines })
	interrupt(t, cmd)
}

func TestWatchRefusals(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--addr", p.addr, "bbo:sim:NOSUCH"}, "bbo:sim:NOSUCH"},
		{[]string{"--addr", p.addr, "weather"}, "weather"},
		{[]string{"--addr", "127.0.0.1:1", "bbo:" + btc}, "no server at 127.0.0.1:1 (is `qcat serve` running? --addr names another): dial tcp"},
	} {
		if code, out, errs := qcat(t, append([]string{"watch"}, tt.args...)...); code != 1 || !strings.Contains(errs, tt.want) || out != "" {
			t.Errorf("%v: exit code %d, %q, %q", tt.args, code, errs, out)
		}
	}
}
