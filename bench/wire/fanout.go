package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

// fanoutColumns are those of the table of fan-outs.
var fanoutColumns = func() []column {
	cs := []column{whatColumn,
		{"clients", func(f *figure) string { return strconv.Itoa(f.Clients) }},
		offeredColumn,
		{"ticks/s", func(f *figure) string { return count(f.Achieved) }},
		{"deliveries/s", func(f *figure) string { return count(f.Achieved * float64(f.Clients)) }},
		gotColumn,
	}
	cs = append(cs, latencyColumns("p50", "p99", "p99.9", "worst")...)
	cs = append(cs, ratioColumns()...)
	cs = append(cs, column{"rate / floor", func(f *figure) string {
		if f.Offered != 0 {
			return "–"
		}
		return times(f.RateRatio)
	}}, column{"memory a connection", func(f *figure) string {
		if f.Floor {
			return "–"
		}
		return fmt.Sprintf("%.1f KiB", f.Extra["bytes_a_connection"]/(1<<10))
	}})
	cs = append(cs, usedColumns()...)
	return append(cs, verdictColumn)
}()

// fanoutRows is the scenario fanout: one busy channel and many clients of it.
func fanoutRows(ctx context.Context, w io.Writer, set settings) error {
	fmt.Fprintf(w, "Fan-out: trades of one instrument to every client, %v a row; every client is held to every sequence number in order. "+
		"Fixed: open loop, %s deliveries a second, in %d turns; ratios are between their medians. Saturated: as fast as the slowest client follows, %d to %d ticks ahead of it. Churn: beside the clients, "+
		"%d subscriptions, their ends and reconnects a second on %d connections. Memory a connection: growth of RSS since nobody was connected.\n\n",
		set.ladder.step, count(float64(set.ladder.deliveries)), turnsOfRow, leastWindow, mostWindow, set.ladder.churn, churners)
	printHead(w, fanoutColumns)
	for _, n := range set.ladder.subscribers {
		if err := fanOut(ctx, w, set, n); err != nil {
			return fmt.Errorf("%d clients: %w", n, err)
		}
	}
	return nil
}

// Windows of the saturated rows: enough that the server is never idle, and little
// enough that no client is left behind by its bound of pending bytes.
const leastWindow, mostWindow = 16, 1024

func windowOf(clients int) int { return min(max(1_000_000/clients, leastWindow), mostWindow) }

// rateOf is the ticks a second that make the wanted deliveries.
func rateOf(set settings, clients int) int { return max(set.ladder.deliveries/clients, 1) }

// fanOut measures the bare loop of writes, the server, and the bare loop again: both
// at once would need twice the sockets.
func fanOut(ctx context.Context, w io.Writer, set settings, clients int) error {
	first, firstMost, err := bareFanOut(ctx, set, clients)
	if err != nil {
		return fmt.Errorf("bare loop: %w", err)
	}
	rows, err := serverFanOut(ctx, set, clients)
	if err != nil {
		return err
	}
	second, secondMost, err := bareFanOut(ctx, set, clients)
	if err != nil {
		return fmt.Errorf("bare loop: %w", err)
	}
	fixed, most := first.plus(second), firstMost.plus(secondMost)
	floors := []figure{fanoutFigure("bare loop of writes, fixed", fixed, clients), fanoutFigure("bare loop of writes, saturated", most, clients)}
	for i := range floors {
		floors[i].Floor = true
		set.results.add(floors[i])
		printRow(w, fanoutColumns, &floors[i])
	}
	for i := range rows {
		floor := &floors[0]
		if rows[i].Offered == 0 {
			floor = &floors[1]
		}
		rows[i].beside(floor)
		set.results.add(rows[i])
		printRow(w, fanoutColumns, &rows[i])
	}
	return nil
}

// fanoutFigure is a row; it holds when everybody had everything.
func fanoutFigure(what string, o *outcome, clients int) figure {
	f := newFigure("fanout", what, o)
	f.Clients = clients
	f.Broken = criterion{p99: time.Hour}.broken(o)
	return f
}

// bareFanOut is a relay to as many sockets, at the fixed rate and saturated.
func bareFanOut(ctx context.Context, set settings, clients int) (fixed, most *outcome, err error) {
	if err := openFiles(clients); err != nil {
		return nil, nil, err
	}
	var t tickLadder
	defer t.close()
	f, err := t.throughRelay(1, clients)
	if err != nil {
		return nil, nil, err
	}
	if fixed, err = runTurns(ctx, f, rateOf(set, clients), set.ladder.step, turnsOfRow/2); err == nil {
		err = fixed.cut
	}
	if err != nil {
		return nil, nil, err
	}
	most, err = f.saturate(ctx, windowOf(clients), set.ladder.step/2)
	return fixed, most, err
}

// serverFanOut is the same by way of the server, without and with churn.
func serverFanOut(ctx context.Context, set settings, clients int) (rows []figure, err error) {
	var t tickLadder
	defer t.close()
	f, err := t.throughServer(ctx, set, 1, 0, followAll, "--max-connections", strconv.Itoa(clients+2*churners))
	if err != nil {
		return nil, err
	}
	empty, err := used(f.pid, f.metrics)
	if err != nil {
		return nil, err
	}
	if err := openFiles(clients + 2*churners); err != nil {
		return nil, err
	}
	if f.crowd, err = t.crowd(1); err != nil {
		return nil, err
	}
	for k := range clients {
		if err := f.crowd.follow(f.metrics, k, []int{0}); err != nil {
			return nil, err
		}
	}
	f.crowd.start()
	f.each = clients
	add := func(what string, o *outcome) {
		row := fanoutFigure(what, o, clients)
		row.Extra = map[string]float64{"bytes_a_connection": float64(o.spent.RSS-empty.rss) / float64(clients)}
		rows = append(rows, row)
	}
	idle, err := idleFor(ctx, f.pid, f.metrics, set.ladder.step/4)
	if err != nil {
		return nil, err
	}
	add("server, idle", idle)
	for _, churned := range []bool{false, true} {
		if err := f.bothLoads(ctx, set, clients, churned, add); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// bothLoads measures at the fixed rate and saturated, with churn if wanted.
func (f *stream) bothLoads(ctx context.Context, set settings, clients int, churned bool, add func(string, *outcome)) (err error) {
	suffix := ""
	if churned {
		suffix = ", churn"
		c := startChurn(ctx, f.metrics, set.ladder.churn)
		defer func() {
			if cerr := c.stop(); err == nil {
				err = cerr
			}
		}()
	}
	fixed, err := runTurns(ctx, f, rateOf(set, clients), set.ladder.step, turnsOfRow)
	if err == nil {
		err = fixed.cut
	}
	if err != nil {
		return fmt.Errorf("fixed rate%s: %w", suffix, err)
	}
	add("server, fixed"+suffix, fixed)
	most, err := f.saturate(ctx, windowOf(clients), set.ladder.step)
	if err != nil {
		return fmt.Errorf("saturated%s: %w", suffix, err)
	}
	add("server, saturated"+suffix, most)
	return nil
}

// idleFor is what a server uses when nothing comes.
func idleFor(ctx context.Context, pid int, metrics string, length time.Duration) (*outcome, error) {
	before, err := used(pid, metrics)
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(length):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	after, err := used(pid, metrics)
	return &outcome{lat: newLatencies(), span: length, spent: after.since(before)}, err
}
