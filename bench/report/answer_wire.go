package main

import (
	"fmt"
	"strings"
	"time"
)

// tickRate is the rate in ticks a second at which tick to client is judged: well below
// any limit, so that it is latency and not a queue that is measured.
const tickRate = 10_000

// wireLines are those of latency through the real binary.
func (f *facts) wireLines() []line {
	r := f.wireRowAt("ladder", "tick to client", 0, tickRate)
	p50 := line{job: "tick to WebSocket client, p50", target: "≤ 1.3×", reached: unknown, recorded: "loopback echo p50 13.5 µs"}
	p99 := line{job: "tick to WebSocket client, p99", target: "≤ 1.5×", reached: unknown, recorded: "loopback echo p99 17 µs"}
	if r != nil {
		judge(&p50, r, "p50", r.P50Ratio, 1.3)
		judge(&p99, r, "p99", r.P99Ratio, 1.5)
	}
	return []line{p50, p99}
}

// judge fills in a row of a percentile and its ratio to the floor's.
func judge(l *line, r *wireRow, percentile string, ratio, bound float64) {
	ns := r.Latency[percentile]
	if ns == 0 || ratio == 0 {
		return
	}
	l.measured = fmt.Sprintf("%v at %.0f/s", micros(ns), r.Offered)
	l.anchor = fmt.Sprintf("bare relay of the same bytes %v", micros(ns/ratio))
	l.figure, l.reached = fmt.Sprintf("%.2f×", ratio), verdict(ratio <= bound && r.Broken == "")
}

func micros(ns float64) time.Duration { return time.Duration(ns).Round(100 * time.Nanosecond) }

// uWebSockets is its saturated fan-out in deliveries a second, by clients.
var uWebSockets = map[int]recordedRange{100: {480e3, 568e3}, 400: {420e3, 420e3}}

// fanoutLines are those of fan-out.
func (f *facts) fanoutLines() (all []line) {
	for _, of := range []struct {
		clients int
		times   float64
	}{{100, 4}, {400, 2}} {
		r := uWebSockets[of.clients]
		l := line{job: fmt.Sprintf("fan-out saturated, %d clients", of.clients), target: fmt.Sprintf("≥ %.0f× uWebSockets", of.times), reached: unknown,
			recorded: "uWebSockets " + r.text(1e3, "%.0f") + " k deliveries/s"}
		c := f.contest("fanout", fmt.Sprintf("%d clients", of.clients))
		if own, peer := c.best("own"), c.best("peer"); own != nil && peer != nil {
			l.measured = amount(own.Value, "deliveries/s")
			l.anchor = fmt.Sprintf("%s %s (ours %.1f×)", peer.Name, amount(peer.Value, "deliveries/s"), over(own, peer))
			l.figure = recordedRange{own.Value / r.high, own.Value / r.low}.text(1, "%.1f") + "× recorded"
			l.reached = r.held(own.Value, of.times)
		}
		all = append(all, l)
	}
	for _, clients := range []int{100, 400} {
		l := line{job: fmt.Sprintf("fan-out below saturation, %d clients, p99", clients), target: "≤ 1.5×", reached: unknown}
		if r := f.wireRowAt("fanout", "server, fixed", clients, 0); r != nil {
			judge(&l, r, "p99", r.P99Ratio, 1.5)
			l.anchor = strings.Replace(l.anchor, "bare relay of the same bytes", "bare loop of writes", 1)
		}
		all = append(all, l)
	}
	return all
}

// orderLines are those of acknowledged orders; 32 connections are judged, and the
// others told.
func (f *facts) orderLines() []line {
	of := func(mode, anchor, job, target string, bound float64, recorded string) line {
		c := f.contest("orders", mode+", 32 connections")
		l := ratioLine(job, target, c, c.of("qcat"), c.of(anchor), bound, true)
		l.recorded = recorded
		if alone, a := c.of("handler without an engine"), c.of(anchor); alone != nil && a != nil {
			l.anchor += fmt.Sprintf("; our handler without an engine %s (%.2f×)", amount(alone.Value, c.Unit), over(alone, a))
		}
		var others []string
		for _, n := range []int{1, 8, 64} {
			o := f.contest("orders", fmt.Sprintf("%s, %d connections", mode, n))
			if own, a := o.of("qcat"), o.of(anchor); own != nil && a != nil {
				others = append(others, fmt.Sprintf("%d: %.2f×", n, over(own, a)))
			}
		}
		if len(others) > 0 {
			l.figure += " (" + strings.Join(others, ", ") + ")"
		}
		return l
	}
	return []line{
		of("page cache", "bare fasthttp", "HTTP order, journal in the page cache, 32 connections", "≥ 0.8×", 0.8, "fasthttp echo 118 k/s (wrk, 32 connections)"),
		of("fdatasync", "fasthttp and group commit", "HTTP order on the disk, 32 connections", "≥ 0.9×", 0.9, "group commit, 64 a sync: 220–270 k records/s"),
	}
}

// scaleLines are those of growth through the real binary: what an event costs all in all,
// of its path from the socket to the socket.
func (f *facts) scaleLines() []line {
	return []line{
		f.growthLine("CPU of a tick, 10 000 instruments beside 10", "tick", func(r *wireRow) int { return r.Instruments }, 10_000),
		f.growthLine("CPU of an order, 100 000 accounts beside 10", "order", func(r *wireRow) int { return r.Accounts }, 100_000),
	}
}

// growthLine judges what an event costs at size, beside the smallest.
func (f *facts) growthLine(job, what string, sized func(*wireRow) int, size int) line {
	const smallest = 10
	l := line{job: job, target: fmt.Sprintf("≤ %.1f×", flatBound), reached: unknown}
	cost := func(size int) float64 {
		for i := range f.wire {
			if r := &f.wire[i]; r.Scenario == "scale" && r.What == what && sized(r) == size {
				return r.Extra["cpu_ns_an_event"]
			}
		}
		return 0
	}
	small, large := cost(smallest), cost(size)
	if small <= 0 || large <= 0 {
		return l
	}
	l.measured, l.anchor = micros(large).String(), micros(small).String()+" at the small end"
	l.figure, l.reached = fmt.Sprintf("%.2f×", large/small), verdict(large/small <= flatBound)
	return l
}

// journalLines are those of the journal.
func (f *facts) journalLines() (all []line) {
	recorded := []string{"etcd WAL 8.1 k records/s", "etcd WAL 223 k, tidwall 250 k", "etcd WAL 1.11 M"}
	for i, batch := range []string{"1 a sync", "64 a sync", "1024 a sync"} {
		c := f.contest("journal", batch)
		l := ratioLine("journal, "+batch, "≥ 1.2× the best", c, c.best("own"), c.best("peer"), 1.2, true)
		l.recorded = recorded[i]
		all = append(all, l)
	}
	return all
}

// postgresLines are those of rows into Postgres.
func (f *facts) postgresLines() (all []line) {
	recorded := map[int]string{1_000: "0.38 M rows/s", 10_000: "1.19 M rows/s", 100_000: "2.08 M rows/s (5 integer columns, no key)"}
	for _, n := range batchSizes {
		l := line{job: fmt.Sprintf("Postgres, batches of %d", n), target: "≥ 0.9× bare CopyFrom", reached: unknown + ": needs a Postgres", recorded: recorded[n]}
		if r, ok := f.postgres[n]; ok {
			l.measured, l.anchor = thousands(r["write-rows/s"])+" rows/s", "CopyFrom "+thousands(r["bare-rows/s"])+" rows/s"
			l.figure, l.reached = fmt.Sprintf("%.2f×", r["write/bare"]), verdict(r["write/bare"] >= 0.9)
		}
		all = append(all, l)
	}
	return all
}
