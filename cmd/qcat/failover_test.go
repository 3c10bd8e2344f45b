package main

import (
	"strings"
	"testing"
	"time"

	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
)

// backedUp makes a backup of a database alone.
func backedUp(t *testing.T, dataDir, url string) (dir, name string) {
	t.Helper()
	dir = t.TempDir()
	out := mustRun(t, "backup", "create", "--only", "database", "--backup-dir", dir, "--data-dir", dataDir, "--database-url", url)
	return dir, strings.Fields(out)[0]
}

// restored brings a backup of a database into another.
func restored(t *testing.T, dir, name, url string) {
	t.Helper()
	mustRun(t, "backup", "restore", name, "--only", "database", "--backup-dir", dir, "--data-dir", t.TempDir(), "--database-url", url)
}

// TestFailOver loses a Postgres under load, and goes on with another server of it that is
// empty, or holds a backup from before: afterwards its rows are those of the journal.
func TestFailOver(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"empty", "older"} {
		t.Run(other, func(t *testing.T) {
			t.Parallel()
			first, second := pgtest.Start(t), pgtest.Start(t)
			url := migrated(t, first.Database(t))
			next := second.Database(t)
			args := append([]string{"--demo", "--no-cancel-on-shutdown"}, small...)
			p := serve(t, append(args, "--database-url", url)...)
			p.live(btc)
			load := startStream(p.addr, "a", 2)
			eventually(t, "orders are taken", func() bool { return load.count() > 200 })
			p.untilComponent("store", "ok")
			if other == "empty" {
				migrated(t, next)
			} else {
				dir, name := backedUp(t, p.dataDir, url)
				restored(t, dir, name, next)
			}
			n := load.count()
			eventually(t, "more orders are taken", func() bool { return load.count() > n+200 })
			first.Kill(t)
			n = load.count()
			eventually(t, "orders are taken without a database", func() bool { return load.count() > n+200 })
			load.stop()
			p.stopped()

			q := serveIn(t, p.dataDir, append(args, "--database-url", next)...)
			q.live(btc)
			more := startStream(q.addr, "b", 2)
			began := time.Now()
			q.untilComponent("store", "ok")
			eventually(t, "orders are taken", func() bool { return more.count() > 200 })
			more.stop()
			t.Logf("the store was right %v after the start, with %d orders before and %d since", time.Since(began).Round(time.Millisecond), load.count(), more.count())
			if len(load.other)+len(more.other) > 0 {
				t.Errorf("answers that are no wish to try again: %v %v", load.other, more.other)
			}
			q.stopped()
			if rows := samePostgres(t, p.dataDir, next); rows < uint64(2*(load.count()+more.count())) {
				t.Errorf("%d rows", rows)
			}
		})
	}
}

// TestFailOverBehindTheJournal: a database that stands before the journal's first record is
// refused, with the way out, and a later backup is one.
func TestFailOverBehindTheJournal(t *testing.T) {
	t.Parallel()
	url, stale, good := migrated(t, pgtest.URL(t)), pgtest.URL(t), pgtest.URL(t)
	args := []string{"--demo", "--no-cancel-on-shutdown", "--journal-segment=128KiB", "--journal-buffer=64KiB", "--journal-retention=1ns", "--snapshot-records=100", "--snapshot-keep=1"}
	p := serve(t, append(args, "--database-url", url)...)
	p.live(btc)
	load := startStream(p.addr, "a", 4)
	eventually(t, "orders are taken", func() bool { return load.count() > 50 })
	eventually(t, "orders are stored", func() bool { return rowsOf(t, url, "orders") > 0 }) // a store without a row is a new one
	oldDir, old := backedUp(t, p.dataDir, url)
	eventually(t, "the journal's first records are deleted", func() bool { return p.metric(`qcat_log_first_seq{log="journal"}`) > 1 })
	load.stop()
	p.untilComponent("store", "ok")
	p.stopped()
	newDir, recent := backedUp(t, p.dataDir, url)
	restored(t, oldDir, old, stale)
	errs := refusesToStart(t, p.dataDir, "--database-url", stale)
	for _, want := range []string{"the database stands at record", "and the journal begins at", "what lies between was deleted", "qcat backup restore NAME --only database"} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %q in %q", want, errs)
		}
	}
	restored(t, newDir, recent, good)
	q := serveIn(t, p.dataDir, append(args, "--database-url", good)...)
	q.untilComponent("store", "ok")
	q.stopped()
	if rows, want := rowsOf(t, good, "orders"), rowsOf(t, url, "orders"); rows != want || rows < load.count() {
		t.Errorf("%d orders instead of %d, %d were acknowledged", rows, want, load.count())
	}
}

// rowsOf is how many rows a table of a Postgres has.
func rowsOf(t *testing.T, url, table string) (n int) {
	t.Helper()
	db, err := postgres.OpenDB(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
