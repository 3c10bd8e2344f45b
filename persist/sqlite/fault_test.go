package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"qcat/persist/sqlite"
	"qcat/persist/store"
)

// The environment of a child: this test binary, writing a script into a store.
const (
	childPath  = "QCAT_TEST_SQLITE_PATH"
	childUntil = "QCAT_TEST_SQLITE_UNTIL"
)

var childScript = script{500 / slowdown}

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := child(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child writes both streams from where the store stands to the batch named, as
// followers do: after a failure, which may be that another was faster, it asks for the
// position.
func child(path string) error {
	until, err := strconv.Atoi(os.Getenv(childUntil))
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := sqlite.Open(ctx, keep(path))
	if err != nil {
		return err
	}
	began := time.Now()
	failures := 0
	for busy, round := true, 0; busy; round++ {
		if round == 1 {
			fmt.Fprintln(os.Stdout, int64(time.Since(began)))
		}
		busy = false
		for stream := range store.NumStreams {
			p, err := s.Position(ctx, stream)
			if err != nil {
				return err
			}
			n := int(p.Seq) / childScript.rows
			if n >= until {
				continue
			}
			busy = true
			err = s.Write(ctx, childScript.batch(stream, n))
			if err != nil && !errors.Is(err, store.ErrPosition) {
				// SQLite's lock is not fair: one of three may wait longer than it will.
				if failures++; failures > 100 {
					return err
				}
			}
		}
	}
	return s.Close()
}

// start runs a child and returns when it has written for the first time, and how long
// that took.
func start(t *testing.T, path string, until int) (*exec.Cmd, time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childPath+"="+path, childUntil+"="+strconv.Itoa(until))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	took, err2 := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil || err2 != nil {
		_ = cmd.Wait()
		t.Fatalf("child said %q: %v", line, err)
	}
	return cmd, time.Duration(took)
}

// TestKilledAtRandom kills a writing process again and again. Fault: kill -9 at random
// under load; every row that the positions name is there exactly once, and no other.
func TestKilledAtRandom(t *testing.T) {
	const cycles = 10 / slowdown
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "qcat.db")
	m := childScript.mirror()
	for cycle := range cycles {
		cmd, round := start(t, path, 1<<30)
		time.Sleep(time.Duration(rng.Int64N(2 * int64(round)))) // the fault's own time
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed, as it should be
		s, err := sqlite.Open(t.Context(), keep(path))
		if err != nil {
			t.Fatalf("seed %d, cycle %d: %v", seed, cycle, err)
		}
		m.equal(t, s)
		if t.Failed() {
			t.Fatalf("seed %d, cycle %d", seed, cycle)
		}
		// Every other time the next child finds the WAL as the killed one left it.
		if cycle%2 == 0 {
			defer s.Close()
		} else if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if m.done[store.Journal] == 0 {
		t.Errorf("seed %d: nothing was ever written", seed)
	}
}

// TestRowsWithoutTheirPosition has the very last statement of a transaction fail: the
// rows before it must be gone, and the same batch succeed afterwards (I6).
func TestRowsWithoutTheirPosition(t *testing.T) {
	s := open(t, keep(filepath.Join(t.TempDir(), "qcat.db")))
	src := script{100}
	src.fill(t, s, 0, 1)
	if err := s.WriterExec(t.Context(), "CREATE TRIGGER fault BEFORE INSERT ON stream_positions BEGIN SELECT RAISE(ABORT, 'injected'); END"); err != nil {
		t.Fatal(err)
	}
	m := src.mirror()
	for stream := range store.NumStreams {
		if err := s.Write(t.Context(), src.batch(stream, 1)); err == nil {
			t.Errorf("%s: written without a position", stream)
		}
		m.equal(t, s)
	}
	if err := s.WriterExec(t.Context(), "DROP TRIGGER fault"); err != nil {
		t.Fatal(err)
	}
	src.fill(t, s, 1, 2)
	m.equal(t, s)
}

// TestProcessesAtOnce has three processes create one store and write the same rows
// into it. Fault: two processes on one data directory; the lock of the directory is
// another's, but without it no row is lost or doubled either.
func TestProcessesAtOnce(t *testing.T) {
	const until = 10
	path := filepath.Join(t.TempDir(), "qcat.db")
	cmds := make([]*exec.Cmd, 3)
	for i := range cmds {
		cmds[i] = exec.Command(os.Args[0])
		cmds[i].Env = append(os.Environ(), childPath+"="+path, childUntil+"="+strconv.Itoa(until))
		cmds[i].Stdout, cmds[i].Stderr = io.Discard, os.Stderr
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v", i, err)
		}
	}
	s := open(t, keep(path))
	m := childScript.mirror()
	m.equal(t, s)
	if m.done != [store.NumStreams]int{until, until} {
		t.Errorf("written: %v batches", m.done)
	}
}

// TestReadWhileAnotherProcessWrites reads and dumps the file of a process that writes.
func TestReadWhileAnotherProcessWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "qcat.db")
	cmd, _ := start(t, path, 60)
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	db, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 3 {
		c, err := sqlite.Dump(t.Context(), db, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		m := childScript.mirror()
		for stream := range store.NumStreams {
			for n := range int(c.Positions[stream].Seq) / childScript.rows {
				if err := m.naive.Write(t.Context(), childScript.batch(stream, n)); err != nil {
					t.Fatal(err)
				}
			}
		}
		want, err := m.naive.Digest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := want.Diff(c.Digest); diff != nil {
			t.Fatalf("at %v: tables %v are not what the positions say", c.Positions, diff)
		}
	}
}

// TestDiskFull fills the file system under the store. Fault: disk full; the write says
// so, nothing of it is stored, and the same write succeeds once there is room.
func TestDiskFull(t *testing.T) {
	for name, limit := range map[string]func(*testing.T) (dir string, fill, free func(*sqlite.Store)){
		"page limit": pageLimit, "tmpfs": smallDisk,
	} {
		t.Run(name, func(t *testing.T) {
			dir, fill, free := limit(t)
			s := open(t, keep(filepath.Join(dir, "qcat.db")))
			src := script{500 / slowdown}
			m := src.mirror()
			src.fill(t, s, 0, 2)
			fill(s)
			n, err := 2, error(nil)
			for ; err == nil && n < 1000; n++ {
				err = s.Write(t.Context(), src.batch(store.Journal, n))
			}
			if !errors.Is(err, sqlite.ErrFull) {
				t.Fatalf("batch %d: %v", n, err)
			}
			m.equal(t, s)
			fill(s) // a limit belongs to a connection, which the failure may have ended
			if err := s.Write(t.Context(), src.batch(store.Journal, n-1)); !errors.Is(err, sqlite.ErrFull) {
				t.Errorf("the same again: %v", err)
			}
			free(s)
			src.retry(t, s, n-1)
			m.equal(t, s)
			if m.done[store.Journal] != n {
				t.Errorf("%d batches stored, not %d", m.done[store.Journal], n)
			}
		})
	}
}

// retry writes a batch of the journal as a follower does after a failure.
func (s script) retry(t *testing.T, st *sqlite.Store, n int) {
	t.Helper()
	p, err := st.Position(t.Context(), store.Journal)
	if err != nil {
		t.Fatal(err)
	}
	if p.Seq != uint64(n*s.rows) {
		t.Fatalf("stands at %d after the failed batch %d", p.Seq, n)
	}
	if err := st.Write(t.Context(), s.batch(store.Journal, n)); err != nil {
		t.Fatal(err)
	}
}

// pageLimit has SQLite itself say that there is no room.
func pageLimit(t *testing.T) (string, func(*sqlite.Store), func(*sqlite.Store)) {
	set := func(pages int) func(*sqlite.Store) {
		return func(s *sqlite.Store) {
			if err := s.WriterExec(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return t.TempDir(), set(200), set(1 << 30)
}

// smallDisk is a file system of 3 MiB and a file that takes what is left of it; who
// may not mount one gets the page limit again.
func smallDisk(t *testing.T) (string, func(*sqlite.Store), func(*sqlite.Store)) {
	dir := t.TempDir()
	if err := unix.Mount("qcat-test", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Logf("no small file system (%v): a page limit instead", err)
		return pageLimit(t)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	fill := func(*sqlite.Store) {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for chunk := make([]byte, 4096); err == nil; {
			_, err = f.Write(chunk)
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
	}
	return dir, fill, func(*sqlite.Store) {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}
