package ws_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// handshake asks for an upgrade with more in the same segment, and returns the
// connection once the answer's header has been read.
func handshake(t testing.TB, s *server, more []byte) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	request := "GET /api/v1/ws HTTP/1.1\r\nHost: " + s.addr + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if _, err := c.Write(append([]byte(request), more...)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(c, 1<<10)
	for line := "HTTP"; strings.TrimSpace(line) != ""; {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return c, r
}

// masked is a short text frame as a client sends it, under the mask that changes
// nothing.
func masked(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}

// TestRequestsAheadOfTheAnswer: what a client sends behind its handshake without
// waiting for the answer is not lost with the HTTP server's buffer, however the
// segments fall.
func TestRequestsAheadOfTheAnswer(t *testing.T) {
	s := serve(t, nil)
	ping := masked(`{"op":"ping","id":1}`)
	for n := 0; n <= 120*len(ping); n = 3*n + 1 {
		all := []byte(strings.Repeat(string(ping), 121))
		c, r := handshake(t, s, all[:n])
		if _, err := c.Write(all[n:]); err != nil {
			t.Fatal(err)
		}
		for i := range 121 {
			head, err := r.Peek(2)
			if err != nil {
				t.Fatalf("%d bytes ahead: answer %d: %v", n, i, err)
			}
			if _, err := r.Discard(2 + int(head[1])); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestConnectionMemory: what a connection with a subscription costs, its goroutine's
// stack and the test's own end included. It is measured in a process of its own: what
// other tests held is given back when it likes.
func TestConnectionMemory(t *testing.T) {
	const conns, bound, alone = 1000, 10 << 10, "QCAT_TEST_ALONE"
	if raceDetector {
		return // it has memory of its own
	}
	if os.Getenv(alone) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), alone+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "bytes a connection") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	s := serve(t, nil)
	before := settled(t)
	for range conns {
		_, r := handshake(t, s, masked(`{"op":"subscribe","id":1,"channels":["bbo:sim:BTCUSDT"]}`))
		if _, err := r.Peek(2); err != nil {
			t.Fatal(err)
		}
	}
	if each := (int64(used()) - int64(before)) / conns; each > bound || each <= 0 {
		t.Errorf("%d bytes a connection, want at most %d", each, bound)
	} else {
		t.Logf("%d bytes a connection", each)
	}
}

// settled is used once what ended before has been given back: servers of other tests last
// as long as their connections.
func settled(t *testing.T) (now uint64) {
	t.Helper()
	const same, noise = 5, 64 << 10
	calm := 0
	eventually(t, "memory settles", func() bool {
		last := now
		if now = used(); now+noise < last || now > last+noise {
			calm = 0
		}
		calm++
		time.Sleep(10 * time.Millisecond)
		return calm >= same
	})
	return now
}

// used is the memory of heap and stacks.
func used() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
