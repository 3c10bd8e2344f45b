package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

// scaleColumns are those of the table of growth.
var scaleColumns = func() []column {
	cs := []column{whatColumn,
		{"of", func(f *figure) string { return strconv.Itoa(max(f.Instruments, f.Accounts)) }},
		offeredColumn, achievedColumn, gotColumn,
		{"CPU an event", func(f *figure) string { return short(time.Duration(f.Extra["cpu_ns_an_event"])) }},
		{"to the first row", func(f *figure) string { return times(f.Extra["cpu_to_first"]) }},
		{"idle CPU", func(f *figure) string { return fmt.Sprintf("%.0f%%", f.Extra["idle_cpu_percent"]) }},
	}
	cs = append(cs, latencyColumns("p50", "p99", "worst")...)
	cs = append(cs, usedColumns()...)
	return append(cs, column{"start", func(f *figure) string { return fmt.Sprintf("%.1f s", f.Extra["start_seconds"]) }})
}()

// readers is how many clients share the ticks of all instruments.
const readers = 40

// scaleRows is the scenario scale: the same load over more and more instruments, and
// over more and more accounts.
func scaleRows(ctx context.Context, w io.Writer, set settings) error {
	fmt.Fprintf(w, "Scale: a fixed load over a growing number of instruments and accounts, %v a row. CPU an event: user and system time of the server under load, less that of as long a time idle, "+
		"by the events. Ticks: trades of all instruments in turn, every instrument followed by one of %d clients. Orders: IOC over HTTP, %d connections, journal-sync os, of all accounts in turn.\n\n",
		set.ladder.step, readers, set.ladder.conns)
	printHead(w, scaleColumns)
	first := 0.0
	for _, n := range set.ladder.scale {
		f, err := tickScale(ctx, set, n)
		if err != nil {
			return fmt.Errorf("%d instruments: %w", n, err)
		}
		first = set.grown(w, &f, first)
	}
	first = 0
	for _, n := range set.ladder.accounts {
		f, err := orderScale(ctx, set, n)
		if err != nil {
			return fmt.Errorf("%d accounts: %w", n, err)
		}
		first = set.grown(w, &f, first)
	}
	return nil
}

// grown prints a row beside the first of its kind, whose cost is first, or 0 when f is
// it; it returns the cost of the first.
func (set settings) grown(w io.Writer, f *figure, first float64) float64 {
	if first == 0 {
		first = f.Extra["cpu_ns_an_event"]
	}
	if first > 0 {
		f.Extra["cpu_to_first"] = f.Extra["cpu_ns_an_event"] / first
	}
	set.results.add(*f)
	printRow(w, scaleColumns, f)
	return first
}

// tickScale is ticks over n instruments. Each has had one before.
func tickScale(ctx context.Context, set settings, n int) (f figure, err error) {
	var t tickLadder
	defer t.close()
	began := time.Now()
	s, err := t.throughServer(ctx, set, n, readers, followShare)
	if err != nil {
		return f, err
	}
	start := time.Since(began)
	s.each = 1
	for ; s.next < n; s.next = min(s.next+mostAtOnce, n) {
		if err := s.sender.send(s.next, min(s.next+mostAtOnce, n)); err != nil {
			return f, err
		}
	}
	s.drain(ctx)
	if got := s.crowd.got.Load(); got != int64(n) {
		return f, fmt.Errorf("%d of the first %d ticks came: %w", got, n, s.crowd.err())
	}
	idle, err := settled(ctx, s.pid, s.metrics, set.ladder.step)
	if err != nil {
		return f, err
	}
	o, err := s.run(ctx, set.ladder.ticks, set.ladder.step)
	if err != nil {
		return f, err
	}
	f = scaleFigure("tick", o, idle, start)
	f.Instruments = n
	return f, complete(o)
}

// orderScale is orders of n accounts.
func orderScale(ctx context.Context, set settings, n int) (f figure, err error) {
	began := time.Now()
	p, err := orderServer(ctx, set, n, "os")
	if err != nil {
		return f, err
	}
	defer p.Close()
	start := time.Since(began)
	l, err := httpLoad(p.Addr, p.Pid(), p.Addr, set.ladder.conns, n)
	if err != nil {
		return f, err
	}
	defer l.close()
	if _, err := l.saturate(ctx, set.ladder.step/2); err != nil { // warms up
		return f, err
	}
	idle, err := settled(ctx, l.pid, l.metrics, set.ladder.step)
	if err != nil {
		return f, err
	}
	o, err := l.run(ctx, set.ladder.orders, set.ladder.step)
	if err != nil {
		return f, err
	}
	f = scaleFigure("order", o, idle, start)
	f.Accounts = n
	return f, complete(o)
}

// settled is what a server uses when nothing comes, once it has done what its start
// left it: its store takes in what the start has recorded. It is not waited for longer
// than settlePatience.
func settled(ctx context.Context, pid int, metrics string, length time.Duration) (idle *outcome, err error) {
	const (
		settlePatience = time.Minute
		busy           = 30 // percent of a core
	)
	for end := time.Now().Add(settlePatience); ; {
		if idle, err = idleFor(ctx, pid, metrics, length/2); err != nil || idle.spent.CPU < busy || time.Now().After(end) {
			return idle, err
		}
	}
}

// complete is the error of a load of which something is missing: its cost says nothing.
func complete(o *outcome) error {
	if o.cut != nil {
		return o.cut
	}
	if o.got == o.expected {
		return nil
	}
	return fmt.Errorf("%d of %d came, %d left out, %d refused: %s", o.got, o.expected, o.missed, o.refused, o.reason)
}

// scaleFigure is a row of the table.
func scaleFigure(what string, o *outcome, idle *outcome, start time.Duration) figure {
	f := newFigure("scale", what, o)
	atRest := time.Duration(idle.spent.CPU / 100 * float64(o.spent.time))
	f.Extra = map[string]float64{
		"cpu_ns_an_event":  max(float64(o.spent.cpu-atRest)/float64(o.got), 0),
		"idle_cpu_percent": idle.spent.CPU,
		"start_seconds":    start.Seconds(),
	}
	return f
}
