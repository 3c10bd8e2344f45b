package main

import "fmt"

// Names of cases and contestants of bench/peers.
const (
	oneByOne  = "1 → 1, 8 B, batches of 1"
	oneByMany = "1 → 1, 8 B, batches of 64"
	eightTo1  = "8 → 1, 8 B, batches of 1"
	roundTrip = "round trip, 8 B there and back"
)

// disruptor is LMAX Disruptor 4, one producer to one consumer, in values a second.
var disruptor = recordedRange{108e6, 143e6}

// queueLines are those of queues between goroutines.
func (f *facts) queueLines() []line {
	batched := line{job: "1 producer → 1 consumer, batches of 64", target: "≥ Disruptor", reached: unknown,
		recorded: "Disruptor 4 108–143 M/s; rigtorp SPSC 153–189 M/s; go-disruptor 7.8 ns"}
	channel := line{job: "the same, beside a Go channel", target: "≥ 8×", reached: unknown, recorded: "Go channel 31 ns"}
	spsc, alone := f.contest("queues", oneByMany).of("SPSC"), f.contest("queues", oneByOne)
	if spsc != nil {
		rate := 1e9 / spsc.Value
		batched.measured, batched.figure = trim(spsc.Value)+" ns/value", trim(rate/1e6)+" M/s"
		batched.reached = disruptor.held(rate, 1)
		if x := f.contest("queues", oneByMany).best("peer"); x != nil {
			batched.anchor = fmt.Sprintf("best here in batches: %s %s ns", x.Name, trim(x.Value))
		}
	}
	if ch, own := alone.of("channel"), alone.of("SPSC"); spsc != nil && ch != nil && own != nil {
		channel.measured = fmt.Sprintf("%s ns/value in batches of 64; %s one by one", trim(spsc.Value), trim(own.Value))
		channel.anchor = fmt.Sprintf("channel, one by one %s ns/value", trim(ch.Value))
		r := over(ch, spsc)
		channel.figure, channel.reached = fmt.Sprintf("%.2f× (one by one %.2f×)", r, over(ch, own)), verdict(r >= 8)
	}
	trip := f.contest("queues", roundTrip)
	return append([]line{batched, channel, tripLine(trip)}, f.manyLines()...)
}

// tripLine is that of a value that goes to another core and back, through whichever ring
// is the quicker at it.
func tripLine(c *contested) line {
	job, own := "round trip of two cores", c.best("own")
	if own != nil {
		job += ", " + own.Name
	}
	return ratioLine(job, "≤ 1.5× the cache line", c, own, c.of("cache line"), 1.5, false)
}

// manyLines are those of many producers.
func (f *facts) manyLines() []line {
	many := line{job: "8 producers → 1, one at a time", target: "≤ 44 ns", reached: unknown,
		recorded: "JCTools MPSC 44 ns; moodycamel 23 ns; go-disruptor, 4 writers on 2 cores, 2–4 µs"}
	grows := line{job: "8 producers beside 1", target: fmt.Sprintf("no collapse: ≤ %.0f×", collapse), reached: unknown}
	eight := f.contest("queues", eightTo1)
	own, one := eight.of("MPSC"), f.contest("queues", oneByOne).of("MPSC")
	if own != nil {
		many.measured, many.figure, many.reached = trim(own.Value)+" ns/value", trim(own.Value)+" ns", verdict(own.Value <= 44)
		if x := eight.best("peer"); x != nil {
			many.anchor = fmt.Sprintf("best here: %s %s ns", x.Name, trim(x.Value))
		}
	}
	if own != nil && one != nil {
		r := over(own, one)
		grows.measured, grows.anchor = trim(own.Value)+" ns/value", "one producer "+trim(one.Value)+" ns/value"
		grows.figure, grows.reached = fmt.Sprintf("%.2f×", r), verdict(r <= collapse)
	}
	return []line{many, grows}
}

// collapse is how much dearer a value may be with more producers than cores.
const collapse = 2.0

// decodeLines are those of the decoder, in the contest with the fastest JSON library.
func (f *facts) decodeLines() []line {
	trade := f.decodeLine("decode a trade", "trade", "BenchmarkDecode/trade", 60)
	depth := f.decodeLine("decode depth of 10 levels", "depth, 10 levels", "BenchmarkDecode/depth10", 350)
	trade.recorded = "simdjson on demand 89 ns; fixed-shape scanner 48 ns"
	depth.recorded = "simdjson on demand 443 ns; fixed-shape scanner 335 ns"
	return []line{trade, depth}
}

// decodeLine judges the time in turns with the others, and the allocations of the
// benchmark of one frame.
func (f *facts) decodeLine(job, in, name string, bound float64) line {
	l := line{job: job, target: nanosTarget(bound), reached: unknown}
	own := f.contest("decoders", in).best("own")
	r, ok := f.benchmark("./feed/binance", name)
	if own == nil || !ok {
		return l
	}
	l.judgeNanos(own.Value, r["allocs/op"], bound)
	l.anchor = f.fastest("decoders", in)
	return l
}

// fastest names the best peer of a case and how many times longer it takes.
func (f *facts) fastest(contest, in string) string {
	c := f.contest(contest, in)
	own, peer := c.best("own"), c.best("peer")
	if own == nil || peer == nil {
		return ""
	}
	return fmt.Sprintf("%s %s ns (%.1f× ours)", peer.Name, trim(peer.Value), over(peer, own))
}

// bookLines are those of the book.
func (f *facts) bookLines() []line {
	const pkg = "./core/book"
	spot := f.nanosLine("book update, spot capture", pkg, "BenchmarkSet/spot-btcusdt-20240808.gz", 70)
	usdm := f.nanosLine("book update, USD-M capture", pkg, "BenchmarkSet/usdm-btcusdt-20240808.gz", 70)
	spot.anchor, usdm.anchor = f.fastest("books", "spot capture"), f.fastest("books", "USD-M capture")
	spot.recorded = "CppTrader 69–99 ns a message; itch-order-book 73–94 ns; geseq 110–160 ns"
	if spot.reached == unknown && usdm.reached == unknown {
		spot.reached = unknown + ": needs QCAT_CAPTURES"
		usdm.reached = spot.reached
	}
	return []line{spot, usdm, f.flatLine("book update, 10 000 instruments beside 10", pkg, "BenchmarkInstruments/10", "BenchmarkInstruments/10000"),
		f.flatLine("frame to ring, a level, 10 000 instruments beside 10", "./feed/binance", "BenchmarkLaneFrames/instruments=10", "BenchmarkLaneFrames/instruments=10000")}
}

// riskLines are those of the pre-trade check.
func (f *facts) riskLines() []line {
	const pkg, small, large = "./risk", "BenchmarkCheckNew/accounts=10/instruments=10", "BenchmarkCheckNew/accounts=100000/instruments=10"
	check := f.nanosLine("pre-trade check, every control, four levels", pkg, small, 250)
	check.target = "≤ 250 ns (4 M/s), 0 allocations"
	check.recorded = "exchange-core, risk and match: 1 M/s p50 0.5 µs, 5 M/s at most"
	const queuedSmall, queuedLarge = "BenchmarkCheckQueued/accounts=10/instruments=10", "BenchmarkCheckQueued/accounts=100000/instruments=10"
	return []line{check,
		f.flatLine("pre-trade check, 100 000 accounts beside 10", pkg, small, large),
		f.flatLine("the same of orders that wait in a queue", pkg, queuedSmall, queuedLarge)}
}

// sampleLine is that of a latency sample.
func (f *facts) sampleLine() line {
	l := line{job: "a latency sample", target: "≤ 6 ns", reached: unknown, recorded: "HDR single writer 4.5 ns; Prometheus 10 ns, with labels 42–51"}
	c := f.contest("samples", "one writer")
	own, hdr, prom := c.of("core/hist"), c.of("HdrHistogram"), c.of("Prometheus Observe")
	if own == nil {
		return l
	}
	l.measured, l.figure, l.reached = trim(own.Value)+" ns", trim(own.Value)+" ns", verdict(own.Value <= 6)
	if hdr != nil && prom != nil {
		l.anchor = fmt.Sprintf("HdrHistogram %s ns, Prometheus %s ns", trim(hdr.Value), trim(prom.Value))
	}
	return l
}
