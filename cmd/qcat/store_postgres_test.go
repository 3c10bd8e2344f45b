package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/sqlite"
)

// migrated is a database of a Postgres with the schema in it.
func migrated(t *testing.T, url string) string {
	t.Helper()
	mustRun(t, "migrate", "--database-url", url)
	return url
}

// samePostgres is sameAsJournal for a Postgres.
func samePostgres(t *testing.T, dataDir, url string) (rows uint64) {
	t.Helper()
	st, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	return sameAsJournal(t, dataDir, st)
}

// TestPostgresIsAwayAtTheStart starts without the database: orders are taken, health
// says degraded, only what must come from the database is refused, and once it is
// there it gets everything.
func TestPostgresIsAwayAtTheStart(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	url := migrated(t, db.Database(t))
	db.Stop(t)
	p := serve(t, append([]string{"--demo", "--database-url", url}, small...)...)
	p.live(btc)
	for range 5 {
		p.until(p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"}).OrderID, "filled")
	}
	status, h := p.health()
	if status != http.StatusOK || h.Status != "degraded" || h.Components["store"].Status != "degraded" {
		t.Errorf("health: %d, %+v", status, h)
	}
	if strings.Contains(h.Components["store"].Detail, "password") {
		t.Errorf("health tells %q", h.Components["store"].Detail)
	}
	for path, want := range map[string]int{"/ready": 200, "/api/v1/orders": 200, "/api/v1/executions": 200, "/api/v1/positions": 200,
		"/api/v1/risk/state": 200, "/api/v1/risk/events": 503, "/api/v1/audit": 503} {
		if a := p.ask("GET", path, nil); a.status != want {
			t.Errorf("%s: status %d, %s", path, a.status, a.body)
		}
	}
	db.Restart(t)
	p.untilComponent("store", "ok")
	eventually(t, "the past is answered", func() bool { return p.ask("GET", "/api/v1/risk/events", nil).status == http.StatusOK })
	p.stopped()
	if rows := samePostgres(t, p.dataDir, url); rows < 15 {
		t.Errorf("%d rows", rows)
	}
}

// TestDatabaseThatDoesNotFit starts with databases that waiting will not make right:
// each is refused, with what to do.
func TestDatabaseThatDoesNotFit(t *testing.T) {
	t.Parallel()
	p := serve(t, append([]string{"--demo"}, small...)...)
	p.stopped()
	ofAnother := migrated(t, pgtest.URL(t))
	q := serve(t, append([]string{"--demo", "--database-url", ofAnother}, small...)...)
	q.untilComponent("store", "ok")
	q.stopped()

	const newer = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, %s)"
	ahead := migrated(t, pgtest.URL(t))
	statementIn(t, ahead, strings.ReplaceAll(newer, "%s", "true"), postgres.OpenDB)
	embedded := copyOf(t, p.dataDir)
	statementIn(t, embeddedPath(embedded), strings.ReplaceAll(newer, "%s", "1"), sqlite.OpenDB)
	for _, tt := range []struct {
		name, dir, url, want string
	}{
		{"no schema", p.dataDir, pgtest.URL(t), "qcat migrate"},
		{"another data directory's", p.dataDir, ofAnother, "belongs to another data directory"},
		{"newer schema", p.dataDir, ahead, "99999"},
		{"newer schema of the embedded store", embedded, "", "99999"},
		{"no URL", p.dataDir, "postgres//localhost", "database-url: postgres: the database's URL is not valid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var args []string
			if tt.url != "" {
				args = []string{"--database-url", tt.url}
			}
			if errs := refusesToStart(t, tt.dir, args...); !strings.Contains(errs, tt.want) {
				t.Errorf("%q is not in %q", tt.want, errs)
			}
		})
	}
}

// statementIn runs a statement in a database.
func statementIn(t *testing.T, name, statement string, open func(context.Context, string) (*sql.DB, error)) {
	t.Helper()
	db, err := open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// orderTimes are how long n orders on each connection took, one on each in turn every
// pace, the shortest first.
func orderTimes(t *testing.T, pace time.Duration, n int, conns ...*client.Conn) (took [][]time.Duration) {
	t.Helper()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	took = make([][]time.Duration, len(conns))
	for range n {
		<-tick.C
		for i, c := range conns {
			began := time.Now()
			if _, err := c.Order(t.Context(), client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.001"}); err != nil {
				t.Fatalf("order on connection %d: %v", i, err)
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	return took
}

// residentBytes is how much memory the process has.
func (p *process) residentBytes() float64 {
	p.t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(raw), &size, &resident); err != nil {
		p.t.Fatal(err)
	}
	return float64(resident * os.Getpagesize())
}

// TestPostgresStopped stops Postgres with SIGSTOP while orders come in: none is
// refused, they take no longer, memory stays flat, and afterwards the rows are those
// of the journal. What "no longer" is says a server with a store of its own, which
// takes the same orders at the same moments: other tests disturb both.
func TestPostgresStopped(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	url := migrated(t, db.Database(t))
	p := serve(t, append([]string{"--demo", "--database-url", url}, small...)...)
	twin := serve(t, append([]string{"--demo"}, small...)...)
	p.live(btc)
	twin.live(btc)
	c, other := dial(t, p.addr), dial(t, twin.addr)
	const orders, pace = 300, 10 * time.Millisecond
	orderTimes(t, pace, orders, c, other)
	ticks, memory := p.quote(btc).Seq, p.residentBytes()
	db.Pause(t)
	began := time.Now()
	took := orderTimes(t, pace, orders, c, other)
	stopped := time.Since(began)
	if p.quote(btc).Seq <= ticks {
		t.Error("the market stood still, too")
	}
	grown := p.residentBytes() - memory
	db.Resume(t)
	at := func(percent int, sorted []time.Duration) time.Duration { return sorted[(len(sorted)-1)*percent/100] }
	t.Logf("%d orders while Postgres stood still for %v: p90 %v, worst %v; of a server without it %v, %v; memory %+.1f MiB", orders, stopped,
		at(90, took[0]), at(100, took[0]), at(90, took[1]), at(100, took[1]), grown/(1<<20))
	if bound := 3*at(90, took[1]) + 5*time.Millisecond; at(90, took[0]) > bound {
		t.Errorf("one order in ten took %v or more, without Postgres %v", at(90, took[0]), at(90, took[1]))
	}
	// One that waits for Postgres waits for ever, as it goes on after the last order alone,
	// or for as long as a bound of its own.
	if bound := max(stopped/3, 3*at(100, took[1]), patience/3); at(100, took[0]) > bound {
		t.Errorf("an order took %v, with Postgres stopped for %v", at(100, took[0]), stopped)
	}
	most := 64 << 20
	if raceEnabled {
		most *= 4 // the detector keeps several bytes for each one that is touched first now
	}
	if grown > float64(most) {
		t.Errorf("the memory grew by %.0f bytes", grown)
	}
	p.untilComponent("store", "ok")
	p.stopped()
	if rows := samePostgres(t, p.dataDir, url); rows < 2*2*orders {
		t.Errorf("%d rows", rows)
	}
}

// TestMigrateCommands takes the schema up and down in both kinds of databases.
func TestMigrateCommands(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		flag []string
	}{
		{"embedded", []string{"--data-dir", t.TempDir()}},
		{"postgres", []string{"--database-url", pgtest.URL(t)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			type step struct {
				Version   int64
				Step      string
				AppliedAt *time.Time `json:"applied_at"`
			}
			migrate := func(args ...string) (steps []step) {
				t.Helper()
				into(t, mustRun(t, slices.Concat([]string{"migrate"}, args, []string{"--json"}, tt.flag)...), &steps)
				return steps
			}
			up := migrate()
			if len(up) == 0 || up[0].Version != 1 || up[0].AppliedAt == nil {
				t.Fatalf("up: %+v", up)
			}
			if again := migrate("up"); len(again) != 0 {
				t.Errorf("up again: %+v", again)
			}
			if out := mustRun(t, append([]string{"migrate"}, tt.flag...)...); !strings.Contains(out, "nothing to do") {
				t.Errorf("up again: %s", out)
			}
			for range up {
				if down := migrate("down"); len(down) != 1 {
					t.Errorf("down: %+v", down)
				}
			}
			for _, s := range migrate("status") {
				if s.AppliedAt != nil {
					t.Errorf("still applied: %+v", s)
				}
			}
			if out := mustRun(t, append([]string{"migrate", "down"}, tt.flag...)...); !strings.Contains(out, "nothing to do") {
				t.Errorf("down again: %s", out)
			}
			if again := migrate(); len(again) != len(up) {
				t.Errorf("up after all was taken back: %+v", again)
			}
			if out := mustRun(t, slices.Concat([]string{"migrate", "status"}, tt.flag)...); !strings.Contains(out, "VERSION") || strings.Contains(out, "pending") {
				t.Errorf("status: %s", out)
			}
		})
	}
	for _, verb := range []string{"status", "down"} {
		dir := t.TempDir()
		if code, _, errs := qcat(t, "migrate", verb, "--data-dir", dir); code != 2 || !strings.Contains(errs, dir+" holds no database") {
			t.Errorf("%s of nothing: exit code %d, %q", verb, code, errs)
		}
	}
}
