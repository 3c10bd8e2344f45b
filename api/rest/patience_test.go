package rest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// scripted is a connection that says what it is told to, and notes its deadlines as
// seconds after the start.
type scripted struct {
	net.Conn
	start time.Time
	calls []string
	ends  []error // of reads and writes
}

func (s *scripted) end(call string) error {
	s.calls = append(s.calls, call)
	err := s.ends[0]
	s.ends = s.ends[1:]
	return err
}

func (s *scripted) Read(b []byte) (int, error) {
	if err := s.end("read"); err != nil {
		return 0, err
	}
	return copy(b, "answer"), nil
}

func (s *scripted) Write(b []byte) (int, error) {
	if err := s.end("write " + string(b)); err != nil {
		return min(len(b), 2), err
	}
	return len(b), nil
}

func (s *scripted) deadline(kind string, t time.Time) error {
	if t.IsZero() {
		s.calls = append(s.calls, kind+" never")
	} else {
		s.calls = append(s.calls, fmt.Sprint(kind, " ", int(t.Sub(s.start)/time.Second)))
	}
	return nil
}

func (s *scripted) SetReadDeadline(t time.Time) error  { return s.deadline("r", t) }
func (s *scripted) SetWriteDeadline(t time.Time) error { return s.deadline("w", t) }
func (s *scripted) SetDeadline(t time.Time) error      { return s.deadline("both", t) }

// Deadlines that are put off reach the socket when it has met the one before, and then
// count; those that are brought forward, or taken away, reach it at once.
func TestPatientDeadlines(t *testing.T) {
	timeout, gone := os.ErrDeadlineExceeded, io.ErrClosedPipe
	for _, c := range []struct {
		name string
		do   string // deadlines to read, write and both in seconds, x for none; then read or write
		ends []error
		want string
		err  error
	}{
		{"put off, and not met", "r30 r120 r31 read", []error{nil}, "r 30, read", nil},
		{"put off, and the first one met", "r30 r120 r31 read", []error{timeout, nil}, "r 30, read, r 31, read", nil},
		{"put off, and the last one met", "r30 r120 r31 read", []error{timeout, timeout}, "r 30, read, r 31, read", timeout},
		{"met at once", "r30 read", []error{timeout}, "r 30, read", timeout},
		{"brought forward", "r30 r20 read", []error{timeout}, "r 30, r 20, read", timeout},
		{"put off, then brought forward", "r30 r120 r20 read", []error{timeout}, "r 30, r 20, read", timeout},
		{"taken away", "r30 rx read", []error{timeout}, "r 30, r never, read", timeout},
		{"taken away after it was put off", "r30 r40 rx r50 read", []error{nil}, "r 30, r never, r 50, read", nil},
		{"set on both", "r30 w30 r40 b9 read", []error{timeout}, "r 30, w 30, both 9, read", timeout},
		{"taken away from both", "r30 w30 r40 bx r5 w6", nil, "r 30, w 30, both never, r 5, w 6", nil},
		{"another error", "r30 r40 read", []error{gone}, "r 30, read", gone},
		{"a write goes on", "w30 w40 write", []error{timeout, nil}, "w 30, write answer, w 40, write swer", nil},
		{"a write ends", "w30 w40 write", []error{timeout, timeout}, "w 30, write answer, w 40, write swer", timeout},
		{"one of the other kind does not count", "r30 r40 w20 write", []error{timeout}, "r 30, w 20, write answer", timeout},
	} {
		s := &scripted{start: time.Unix(1_000_000, 0), ends: c.ends}
		p := &patientConn{Conn: s}
		var err error
		for _, do := range strings.Fields(c.do) {
			var at time.Time
			var n int
			if _, e := fmt.Sscan(do[1:], &n); e == nil {
				at = s.start.Add(time.Duration(n) * time.Second)
			}
			switch {
			case do == "read":
				_, err = p.Read(make([]byte, 10))
			case do == "write":
				n, err = p.Write([]byte("answer"))
				if err == nil && n != len("answer") {
					t.Errorf("%s: %d bytes written", c.name, n)
				}
			case do[0] == 'r':
				err = p.SetReadDeadline(at)
			case do[0] == 'w':
				err = p.SetWriteDeadline(at)
			default:
				err = p.SetDeadline(at)
			}
		}
		if got := strings.Join(s.calls, ", "); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %s, %v; want %s, %v", c.name, got, err, c.want, c.err)
		}
	}
}

// The same over a real socket: a deadline that passed while it was put off interrupts
// nothing, and the one that counts does.
func TestPatientConnections(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := patientListener{inner}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	past, later := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	p, ok := nc.(*patientConn)
	if !ok || p.SetReadDeadline(past) != nil || p.SetReadDeadline(later) != nil || p.SetWriteDeadline(past) != nil || p.SetWriteDeadline(later) != nil {
		t.Fatalf("accepted %T", nc)
	}
	var got [4]byte
	if _, err := client.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p, got[:]); err != nil || string(got[:]) != "ping" {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := p.Write([]byte("pong")); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(client, got[:]); err != nil || !slices.Equal(got[:], []byte("pong")) {
		t.Errorf("the client read %q, %v", got, err)
	}
	if err := p.SetReadDeadline(past); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(got[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after its deadline: %v", err)
	}
}
