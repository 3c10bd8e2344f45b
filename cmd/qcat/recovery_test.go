package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"qcat/api/client"
	"qcat/persist/journal"
)

// TestRestingOrderSurvivesAKill kills the server with an order in the book: after the
// start it is there, on the paper venue too, and fills once the market is there.
func TestRestingOrderSurvivesAKill(t *testing.T) {
	t.Parallel()
	p := serve(t, append([]string{"--demo"}, small...)...)
	o := p.resting("rests")
	id := p.accepted(o).OrderID
	p.until(id, "new")
	p.kill()
	q := serveIn(t, p.dataDir, append([]string{"--demo"}, small...)...)
	q.live(btc)
	q.untilComponent("orders", "ok")
	if st := q.until(id, "new"); st.Unknown || st.LeavesQty != o.Qty {
		t.Errorf("after the start: %+v", st)
	}
	if held := q.rows("/api/v1/positions"); len(held) != 0 {
		t.Errorf("it was filled: %v", held)
	}
	price := btcPrice(t, o.Price, 104) // of 97 % of the market
	if a := q.ask("PATCH", "/api/v1/orders/"+strconv.FormatUint(id, 10), map[string]string{"price": price}); a.status != 200 {
		t.Fatalf("amend: status %d, %s", a.status, a.body)
	}
	q.until(id, "filled")
	if held := q.rows("/api/v1/positions", "qty"); len(held) != 1 || held[0]["qty"] != o.Qty {
		t.Errorf("held: %v", held)
	}
}

// TestOrderUnderWayAtAKill is the crash after the venue was sent an order, before its
// answer: the order is unknown and told of by health, the venue is asked, and it is
// never sent again.
func TestOrderUnderWayAtAKill(t *testing.T) {
	t.Parallel()
	p := serve(t, append([]string{"--demo", "--paper-latency=1m"}, small...)...)
	p.live(btc)
	id := p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"}).OrderID
	p.kill()
	q := serveIn(t, p.dataDir, append([]string{"--demo", "--paper-latency=1m"}, small...)...) // its venue does not answer while it is looked at
	detail := q.untilComponent("orders", "degraded")
	if !strings.HasPrefix(detail, "1 order is unknown") {
		t.Errorf("health says %q", detail)
	}
	if st := q.order(id); !st.Unknown || st.Status != "new" {
		t.Errorf("the order under way: %+v", st)
	}
	q.kill() // and the venue is asked again
	q = serveIn(t, p.dataDir, append([]string{"--demo"}, small...)...)
	q.untilComponent("orders", "ok")
	if st := q.until(id, "rejected"); st.Unknown || st.CumQty != "0.000" {
		t.Errorf("settled: %+v", st)
	}
	q.stopped()
	for _, r := range dumped(t, p.dataDir, 0) {
		if r["record"] == "report" && r["last_qty"] != nil {
			t.Errorf("it was sent again: %v", r)
		}
	}
}

// TestUsedDataDirectoryIsLeftAlone runs the commands that would change the data of a
// server that runs.
func TestUsedDataDirectoryIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	code, _, errs := qcat(t, "migrate", "down", "--data-dir", p.dataDir)
	if code != 2 || !strings.Contains(errs, "in use by process "+strconv.Itoa(p.cmd.Process.Pid)) {
		t.Errorf("migrate down: exit code %d, %q", code, errs)
	}
	for _, args := range [][]string{{"migrate", "status"}, {"migrate"}, {"journal", "verify"}, {"journal", "hash"}} {
		mustRun(t, append(args, "--data-dir", p.dataDir)...) // these may run beside it
	}
	p.untilComponent("store", "ok")
}

// lives is a data directory that was used by two servers: the first was stopped in
// order, and the second too, or it was killed. first is a copy from between them.
func lives(t *testing.T, killed bool) (dir, first string) {
	t.Helper()
	args := append([]string{"--demo", "--no-cancel-on-shutdown"}, small...)
	dir = t.TempDir()
	for i := range 2 {
		p := serveIn(t, dir, args...)
		p.live(btc)
		for range 5 {
			p.until(p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"}).OrderID, "filled")
		}
		if killed && i == 1 {
			eventually(t, "all is stored", func() bool { return len(executions(p)) == 10 })
			p.kill()
			break
		}
		p.stopped()
		if i == 0 {
			first = copyOf(t, dir)
		}
	}
	return dir, first
}

// files are those of a data directory that match, the oldest first.
func files(t *testing.T, dataDir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dataDir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	slices.Sort(names)
	return names
}

// flip changes a byte of a file; a negative offset counts from the last byte that is
// not 0.
func flip(t *testing.T, name string, offset int) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if offset < 0 {
		offset += len(bytes.TrimRight(raw, "\x00"))
	}
	raw[offset] ^= 0x10
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
	}
}

// refusesToStart starts a server that must not, and returns what it prints.
func refusesToStart(t *testing.T, dataDir string, args ...string) string {
	t.Helper()
	code, _, errs := qcat(t, slices.Concat([]string{"serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", dataDir}, small, args)...)
	if code != 1 && code != 2 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	return errs[strings.LastIndex(errs, "qcat: "):]
}

// TestDamagedData is the bit flip in the middle, in the tail and in a snapshot, and
// whatever else may be gone of a data directory in the morning: what can be made good
// from the rest is, and logged; otherwise the start is refused, and says what to do.
func TestDamagedData(t *testing.T) {
	t.Parallel()
	stopped, older := lives(t, false)
	killed, _ := lives(t, true)
	refused := func(from string, spoil func(*testing.T, string), want ...string) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			dir := copyOf(t, from)
			spoil(t, dir)
			before := journalBytes(t, dir)
			errs := refusesToStart(t, dir)
			for _, w := range want {
				if !strings.Contains(errs, w) {
					t.Errorf("no %q in %q", w, errs)
				}
			}
			if !bytes.Equal(journalBytes(t, dir), before) {
				t.Error("the start that was refused has changed the journal")
			}
		}
	}
	goesOn := func(from string, spoil func(*testing.T, string), logged string) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			dir := copyOf(t, from)
			spoil(t, dir)
			p := serveIn(t, dir, append([]string{"--demo"}, small...)...)
			if logged != "" && p.logged(logged).Msg == "" {
				t.Errorf("no line %q in\n%s", logged, p.stderr.String())
			}
			p.live(btc)
			p.until(p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "sell", Type: "market", Qty: "0.010"}).OrderID, "filled")
			p.stopped()
			snapped, _ := hashOf(t, dir)
			if whole, _ := hashOf(t, dir, "--no-snapshots"); snapped != whole {
				t.Errorf("state %s by the snapshot, %s by the journal", snapped, whole)
			}
			if sameEmbedded(t, dir) == 0 {
				t.Error("no rows")
			}
		}
	}
	segment := func(t *testing.T, dir string) string { return files(t, dir, "journal/*.seg")[0] }
	dropStore := func(t *testing.T, dir string) { remove(t, files(t, dir, "qcat.db*")...) }

	t.Run("bit flip in the middle", refused(stopped, func(t *testing.T, dir string) { flip(t, segment(t, dir), 900) },
		"journal: damaged: journal-0000000001.seg at offset 512"))
	t.Run("bit flip in the tail", goesOn(killed, func(t *testing.T, dir string) {
		flip(t, segment(t, dir), -1)
		dropStore(t, dir)
	}, "journal: torn end cut"))
	t.Run("store ahead of the journal", refused(older, func(t *testing.T, dir string) {
		dropStore(t, dir)
		for _, name := range files(t, stopped, "qcat.db*") {
			raw, err := os.ReadFile(name)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, filepath.Base(name)), raw, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}, "the journal lost its end or is an older one; restore a backup of both"))
	t.Run("bit flip in the newest snapshot", goesOn(stopped, func(t *testing.T, dir string) {
		flip(t, files(t, dir, "snapshots/*")[1], -10)
	}, "snapshot passed over"))
	t.Run("bit flip in all snapshots", goesOn(stopped, func(t *testing.T, dir string) {
		for _, name := range files(t, dir, "snapshots/*") {
			flip(t, name, -10)
		}
	}, "snapshot passed over"))
	t.Run("no journal", refused(stopped, func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "journal")) },
		"the journal is missing", "restore a backup"))
	t.Run("no journal, and something else in its place", refused(stopped, func(t *testing.T, dir string) {
		remove(t, filepath.Join(dir, "journal"))
		if err := os.Mkdir(filepath.Join(dir, "journal"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "journal", "journal-next.tmp"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		dropStore(t, dir)
	}, "the journal is missing", "restore a backup"))
	t.Run("a new journal", refused(stopped, func(t *testing.T, dir string) {
		remove(t, filepath.Join(dir, "journal"))
		log, err := journal.Open(journal.Options{Dir: journalDir(dir), Name: journalName, SegmentBytes: 1 << 20})
		if err == nil {
			err = log.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		dropStore(t, dir)
	}, "the snapshots are of another journal", "restore a backup"))
	t.Run("older journal", refused(stopped, func(t *testing.T, dir string) {
		remove(t, filepath.Join(dir, "journal"))
		if err := os.CopyFS(filepath.Join(dir, "journal"), os.DirFS(filepath.Join(older, "journal"))); err != nil {
			t.Fatal(err)
		}
	}, "the journal lost its end", "restore a backup"))
	t.Run("no snapshots", goesOn(stopped, func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "snapshots")) }, ""))
	t.Run("no embedded store", goesOn(stopped, dropStore, "schema step applied"))
	t.Run("no tick log", goesOn(stopped, func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "ticks")) }, ""))
	t.Run("bit flip in the tick log", goesOn(stopped, func(t *testing.T, dir string) {
		flip(t, files(t, dir, "ticks/*.seg")[0], 900)
	}, "the tick log begins anew"))
}

// journalBytes are all files of a journal, one behind the other.
func journalBytes(t *testing.T, dataDir string) (all []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(journalDir(dataDir), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	return all
}
