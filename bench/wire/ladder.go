package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// loader offers a load and tells what became of it.
type loader interface {
	run(ctx context.Context, rate int, length time.Duration) (*outcome, error)
}

// ladderColumns are those of the ladder's table.
var ladderColumns = func() []column {
	cs := []column{whatColumn, offeredColumn, achievedColumn, gotColumn}
	cs = append(cs, latencyColumns(percentileNames...)...)
	cs = append(cs, ratioColumns()...)
	cs = append(cs, column{"rate / floor", func(f *figure) string {
		if f.Offered != 0 {
			return "–"
		}
		return times(f.RateRatio)
	}})
	cs = append(cs, usedColumns()...)
	return append(cs, verdictColumn)
}()

// ladderRows is the scenario ladder: rates that rise until one is too much.
func ladderRows(ctx context.Context, w io.Writer, set settings) error {
	fmt.Fprintf(w, "Ladder: open loop, %v a rate and side in %d turns (floor, server twice, floor), the first tenth of each turn unmeasured; ratios are between the medians of the turns. "+
		"A rate breaks on %v; it is tried twice. Ticks: %s of %s, every client follows all. Orders: IOC, %d connections.\n",
		set.ladder.step, turnsOfRow, set.ladder.criterion, "trades", plural(set.ladder.instruments, "instrument"), set.ladder.conns)
	pong := pingPong(300 * time.Millisecond)
	fmt.Fprintf(w, "Cache-line ping-pong of this moment: %v there and back at the median, %v at best.\n\n", pong.median, pong.best)
	printHead(w, ladderColumns)
	set.results.add(figure{Scenario: "ladder", What: "cache-line ping-pong", Floor: true,
		Latency: map[string]time.Duration{"p50": pong.median, "best": pong.best}})
	if err := climbTicks(ctx, w, set); err != nil {
		return err
	}
	return climbOrders(ctx, w, set)
}

// rung is what is measured beside what.
type rung struct {
	what, floorWhat string
	server, floor   loader
	clients         int
	cut             bool // a client was cut off: nothing can be tried again
}

// climb goes through the rates until one breaks.
func (r *rung) climb(ctx context.Context, w io.Writer, set settings, rates []int) error {
	for _, rate := range rates {
		server, floor, err := r.measure(ctx, set, rate)
		if err != nil {
			return err
		}
		if server.Broken != "" && !r.cut { // a moment of a busy machine is no limit of the server
			if server, floor, err = r.measure(ctx, set, rate); err != nil {
				return err
			}
		}
		set.results.add(floor, server)
		printRow(w, ladderColumns, &floor)
		printRow(w, ladderColumns, &server)
		if server.Broken != "" {
			return nil
		}
	}
	return nil
}

// measure measures both at one rate, in the order floor, server twice, floor, again and
// again, so that a drift of the machine meets both.
func (r *rung) measure(ctx context.Context, set settings, rate int) (server, floor figure, err error) {
	var sums [2]*outcome
	for turn := range 2 * turnsOfRow {
		side := []int{0, 1, 1, 0}[turn%4]
		o, err := runTurns(ctx, []loader{r.floor, r.server}[side], rate, set.ladder.step, 1)
		if err != nil {
			return server, floor, fmt.Errorf("%s at %d/s: %w", []string{r.floorWhat, r.what}[side], rate, err)
		}
		if sums[side] != nil {
			o = sums[side].plus(o)
		}
		sums[side] = o
		if r.cut = o.cut != nil; r.cut {
			break
		}
	}
	if sums[1] == nil {
		return server, floor, fmt.Errorf("%s at %d/s: %w", r.floorWhat, rate, sums[0].cut)
	}
	floor, server = newFigure("ladder", r.floorWhat, sums[0]), newFigure("ladder", r.what, sums[1])
	floor.Floor = true
	floor.Broken, server.Broken = set.ladder.criterion.broken(sums[0]), set.ladder.criterion.broken(sums[1])
	server.beside(&floor)
	server.Clients, floor.Clients = r.clients, r.clients
	return server, floor, nil
}

// tickLadder is a server and a bare relay, each with a crowd.
type tickLadder struct {
	server, floor *stream
	closers       []func()
}

func (t *tickLadder) close() {
	for i := len(t.closers) - 1; i >= 0; i-- {
		t.closers[i]()
	}
}

// newTickLadder starts both; every client follows every instrument.
func newTickLadder(ctx context.Context, set settings, instruments, clients int) (t *tickLadder, err error) {
	t = &tickLadder{}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if t.server, err = t.throughServer(ctx, set, instruments, clients, followAll); err != nil {
		return nil, err
	}
	t.floor, err = t.throughRelay(instruments, clients)
	return t, err
}

// climbTicks is the ladder of ticks.
func climbTicks(ctx context.Context, w io.Writer, set settings) error {
	t, err := newTickLadder(ctx, set, set.ladder.instruments, set.ladder.clients)
	if err != nil {
		return err
	}
	defer t.close()
	r := &rung{what: "tick to client, " + plural(set.ladder.clients, "client"), floorWhat: "bare relay of the same bytes, " + plural(set.ladder.clients, "client"),
		server: t.server, floor: t.floor, clients: set.ladder.clients}
	return r.climb(ctx, w, set, set.ladder.rates)
}
