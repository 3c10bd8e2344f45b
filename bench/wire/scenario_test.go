package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qcat/bench/process"
	"qcat/core"
	"qcat/core/engine"
	"qcat/persist/journal"
	"qcat/persist/vfs"
)

// server is the binary, built once by TestMain.
var server string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if code, ok := beFloor(); ok {
			return code
		}
		dir, err := os.MkdirTemp("", "qcat-wire-bin-")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		server = filepath.Join(dir, "qcat")
		if out, err := exec.Command("go", "build", "-o", server, "qcat/cmd/qcat").CombinedOutput(); err != nil {
			panic(string(out))
		}
		return m.Run()
	}())
}

// TestStores is the fault table's "Postgres stopped (SIGSTOP)" and "Redis stopped"
// under load in short: every order is answered meanwhile, and afterwards the rows are
// those of the logs, by count and hash.
func TestStores(t *testing.T) {
	var out bytes.Buffer
	set := settings{binary: server, length: 300 * time.Millisecond, stop: time.Second}
	if err := stopStores(t.Context(), t, &out, set); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"| order to acknowledgement | stopped | 500 |", "| tick to client | after |", "Postgres at the end of the stop", "Redis at the end of the stop"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

// TestRestart starts the server on a short past in all three ways.
func TestRestart(t *testing.T) {
	var out bytes.Buffer
	if err := restartRows(t.Context(), &out, settings{binary: server, records: minRecords, open: 100}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if n := strings.Count(out.String(), " MiB |"); n != 3 {
		t.Errorf("%d starts:\n%s", n, out.String())
	}
}

// TestPast: what is written replays to the state it says, and has records of every
// kind that a restart meets.
func TestPast(t *testing.T) {
	dir := t.TempDir()
	p, err := makePast(t.Context(), dir, minRecords, 100)
	if err != nil {
		t.Fatal(err)
	}
	log, err := journal.OpenReadOnly(filepath.Join(dir, "journal"), "journal", vfs.OS{})
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(engine.Config{})
	if err := e.RecoverLog(log.Records(1, log.Last()), engine.Recovery{}); err != nil {
		t.Fatal(err)
	}
	if e.Seq() != p.last || e.StateHash() != p.hash || p.last < minRecords || p.bytes == 0 {
		t.Fatalf("record %d, want %+v", e.Seq(), p)
	}
	held := 0
	for _, pos := range e.Positions() {
		if pos.Position.Qty != 0 {
			held++
		}
	}
	if p.open < 100 || p.closed < 1000 || held < pastInstruments {
		t.Errorf("%d open, %d closed, %d positions", p.open, p.closed, held)
	}
}

// TestWrongStart: a start that came to another state, or by another way, is no
// measurement.
func TestWrongStart(t *testing.T) {
	start := timed{Server: &process.Server{Recovered: process.Recovered{JournalSeq: 10, Replayed: 10, StateHash: strings.Repeat("00", 32)}}, took: time.Second}
	good, other := past{last: 10}, past{last: 10, hash: [32]byte{1}}
	if err := start.row(&bytes.Buffer{}, "x", &good, 0); err != nil {
		t.Error(err)
	}
	if start.row(&bytes.Buffer{}, "x", &other, 0) == nil || start.row(&bytes.Buffer{}, "x", &past{last: 11}, 0) == nil || start.row(&bytes.Buffer{}, "x", &good, 5) == nil {
		t.Error("a wrong start is printed")
	}
}

// TestBed: what fails a test is an error of a command, and everything is cleaned up
// in reverse order.
func TestBed(t *testing.T) {
	var order []int
	dir := ""
	err := withBed(t.Context(), func(tb testing.TB) error {
		tb.Cleanup(func() { order = append(order, 1) })
		tb.Cleanup(func() { order = append(order, 2) })
		dir = tb.TempDir()
		tb.Errorf("first %d", 1)
		tb.Fatalf("second %d", 2)
		t.Error("it went on")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "first 1") || !strings.Contains(err.Error(), "second 2") {
		t.Errorf("failed with %v", err)
	}
	if _, err := os.Stat(dir); len(order) != 2 || order[0] != 2 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("cleaned up %v, %v", order, err)
	}
	if err := withBed(t.Context(), func(testing.TB) error { return core.ErrDecimalRange }); !errors.Is(err, core.ErrDecimalRange) {
		t.Errorf("got %v", err)
	}
}
