package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"qcat/bench/process"
	"qcat/bench/rows"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/redis/redistest"
)

// Rates of the scenario stores, a second. The demo account may send 1 000 orders.
const (
	storeOrders = 500
	storeTicks  = 1_000
)

// catchUpPatience is how long the stores may take to have everything after a stop.
const catchUpPatience = 5 * time.Minute

// fault is a store that is stopped.
type fault struct {
	name      string
	component string // of /health
	pause     func()
	resume    func()
}

// storeRows is the scenario stores.
func storeRows(ctx context.Context, w io.Writer, set settings) error {
	return withBed(ctx, func(tb testing.TB) error { return stopStores(ctx, tb, w, set) })
}

// stopStores stops one after the other of two servers that end with tb.
func stopStores(ctx context.Context, tb testing.TB, w io.Writer, set settings) error {
	tb.Helper()
	pg, cache := pgtest.Start(tb), redistest.Start(tb)
	for _, f := range []fault{
		{"Postgres", "store", func() { pg.Pause(tb) }, func() { pg.Resume(tb) }},
		{"Redis", "redis", cache.Pause, cache.Resume},
	} {
		if err := stopUnderLoad(ctx, w, set, f, pg.Database(tb), cache.URL()); err != nil {
			return fmt.Errorf("%s stopped: %w", f.name, err)
		}
	}
	return nil
}

// stopUnderLoad runs a server with both stores, stops one of them under load, waits
// until everything is stored, and compares.
func stopUnderLoad(ctx context.Context, w io.Writer, set settings, f fault, database, redis string) error {
	if out, err := exec.CommandContext(ctx, set.binary, "migrate", "up", "--database-url", database).CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w: %s", err, out)
	}
	v, err := newVenue()
	if err != nil {
		return err
	}
	defer v.close()
	p, err := process.Start(ctx, process.Options{Binary: set.binary, Args: append(tickFeed(v), "--feed", "sim", "--sim-rate", "50", "--shutdown-timeout", "2m",
		"--database-url", database, "--redis-url", redis)})
	if err != nil {
		return err
	}
	defer p.Close()
	ticks, err := watchTicks(ctx, v, p.Addr, 1)
	if err != nil {
		return err
	}
	defer ticks.close()
	health, took, err := loadAndStop(ctx, w, set, f, p, ticks)
	if err != nil {
		return err
	}
	if err := p.Stop(); err != nil {
		return err
	}
	same, err := compareWithLogs(ctx, p.Dir, database)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s at the end of the stop: %s; caught up %v after it, under load. Rows in Postgres: %d, equal to those of %d journal records and %d ticks by count and hash.\n\n",
		f.name, health, took.Round(10*time.Millisecond), same.Rows, same.Records, same.Ticks)
	return nil
}

// loadAndStop sends orders and ticks, stops the store in the middle of them, and
// prints the phases. It returns what /health said of the store at the end of the stop,
// and how long after it everything was stored.
func loadAndStop(ctx context.Context, w io.Writer, set settings, f fault, p *process.Server, ticks *tickBed) (health string, took time.Duration, err error) {
	around := max(set.length, set.stop/2)
	phases := []time.Duration{around, set.stop, around}
	orderLoad, tickLoad := newSchedule(storeOrders, phases...), newSchedule(storeTicks, phases...)
	var (
		wg                  sync.WaitGroup
		orders, quotes      *measured
		ordersErr, ticksErr error
	)
	wg.Go(func() { orders, ordersErr = postAll(ctx, orderLoad, ordersURL(p), orderConns, tradingBody) })
	wg.Go(func() { quotes, ticksErr = ticks.measure(ctx, tickLoad) })
	sleepUntil(orderLoad.phaseEnd(0))
	f.pause()
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(orderLoad.phaseEnd(1))):
	}
	health, healthErr := component(p, f.component)
	f.resume()
	took, storedErr := awaitStored(ctx, p, f.component)
	wg.Wait()
	if err := errors.Join(ordersErr, ticksErr, healthErr, storedErr, ctx.Err()); err != nil {
		return "", 0, err
	}
	if n := orders.count(); n != orderLoad.n {
		return "", 0, fmt.Errorf("%d of %d orders were answered", n, orderLoad.n)
	}
	fmt.Fprintf(w, "%s stopped for %v under %d orders/s and %d ticks/s:\n\n", f.name, set.stop, storeOrders, storeTicks)
	header(w, "what", "when", "answered")
	for _, load := range []struct {
		what string
		m    *measured
	}{{"order to acknowledgement", orders}, {"tick to client", quotes}} {
		for i, when := range []string{"before", "stopped", "after"} {
			load.m.phases[i].line(w, load.what, when, load.m.phases[i].count())
		}
	}
	return health, took, nil
}

// asking asks a server that is under load.
var asking = http.Client{Timeout: 10 * time.Second}

// component is what /health says of a part.
func component(p *process.Server, name string) (string, error) {
	res, err := asking.Get("http://" + p.Addr + "/health")
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	var h struct {
		Components map[string]struct{ Status, Detail string }
	}
	if err := json.NewDecoder(res.Body).Decode(&h); err != nil {
		return "", fmt.Errorf("/health: %w", err)
	}
	c, ok := h.Components[name]
	switch {
	case !ok:
		return "", fmt.Errorf("/health has no component %s", name)
	case c.Detail == "":
		return c.Status, nil
	}
	return c.Status + " (" + c.Detail + ")", nil
}

// lagBound is how far a store that has caught up may be behind a market that goes on.
const lagBound = 2.0 // seconds

// awaitStored waits until both streams have caught up and the named component is well,
// and returns how long that took.
func awaitStored(ctx context.Context, p *process.Server, name string) (time.Duration, error) {
	began := time.Now()
	for {
		lag, err := storeLag(p)
		if err != nil {
			return 0, err
		}
		health, err := component(p, name)
		if err != nil {
			return 0, err
		}
		took := time.Since(began)
		if lag < lagBound && health == "ok" {
			return took, nil
		}
		if took > catchUpPatience {
			return took, fmt.Errorf("%.1f s behind and %q after %v", lag, health, took)
		}
		select {
		case <-ctx.Done():
			return took, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// storeLag is the greatest lag of a stream in seconds.
func storeLag(p *process.Server) (lag float64, err error) {
	res, err := asking.Get("http://" + p.Addr + "/metrics")
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	streams := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "qcat_store_lag_seconds{") {
			continue
		}
		_, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("/metrics: %q: %w", line, err)
		}
		lag, streams = max(lag, v), streams+1
	}
	if streams == 0 {
		return 0, errors.New("/metrics tells of no store")
	}
	return lag, nil
}

// compareWithLogs holds the database against the logs in dir.
func compareWithLogs(ctx context.Context, dir, database string) (rows.Report, error) {
	have, err := postgres.Open(ctx, postgres.Config{URL: database})
	if err != nil {
		return rows.Report{}, err
	}
	defer func() { _ = have.Close() }() // only read
	return rows.Compare(ctx, dir, 0, have)
}
