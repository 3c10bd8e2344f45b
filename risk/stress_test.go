package risk

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// TestStressEqualsSums holds the stress of every node, kept by orders, fills and marks,
// against the sum over its instruments, and every scenario against big integers; also
// in a tree that was taken from its state.
func TestStressEqualsSums(t *testing.T) {
	shaken := 0
	for seed := range uint64(12) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			w := newWorld(t, rand.New(rand.NewPCG(seed, 23)))
			w.now = devMinute
			for i := range 200 {
				w.now += core.Nanos(w.src.IntN(devMinute))
				w.step()
				if i%20 == 19 {
					w.restore(Config{})
				}
				for s := range w.tree.Scopes {
					if w.stressed(s) {
						shaken++
					}
				}
			}
		})
	}
	if shaken < 1000 {
		t.Fatalf("only %d times did anything stray", shaken)
	}
}

// stressed compares one node and reports whether anything strays.
func (w *world) stressed(s Scope) bool {
	w.t.Helper()
	long, short := new(big.Int), new(big.Int)
	for id := core.InstrumentID(1); int(id) < len(w.naive.ins); id++ {
		leaf := s
		leaf.Level, leaf.Instrument = LevelInstrument, id
		if s.Instrument != 0 && s.Instrument != id {
			continue
		}
		v, _ := w.tree.View(leaf)
		sigma := w.tree.instruments[id].deviation.sigma
		long.Add(long, ceilPPM(v.Long, sigma))
		short.Sub(short, ceilPPM(-v.Short, sigma))
	}
	v, _ := w.tree.View(s)
	_, _, _, _, d := w.tree.stressed(v.Scope)
	if !is(d.long, long) || !is(d.short, short) {
		w.fatalf("%+v: stress %+v, the sums are %v %v", s, d, long, short)
	}
	all, _ := w.tree.Scenarios(s)
	worst := all[0].Loss
	for _, x := range all {
		worst = max(worst, x.Loss)
	}
	want := []*big.Int{ceilPPM(v.Long, DefaultScenarioPrice), ceilPPM(-v.Short, DefaultScenarioPrice),
		ceilPPM(long.Int64(), DefaultScenarioSigmas), ceilPPM(-short.Int64(), DefaultScenarioSigmas), ceilPPM(v.Gross, DefaultScenarioPrice)}
	for i, l := range want {
		if !is(all[i].Loss, l) {
			w.fatalf("%+v: %+v, want %v", s, all[i], l)
		}
	}
	if v.ScenarioLoss != worst || worst != (shocks{DefaultScenarioPrice, DefaultScenarioSigmas}).worst(v.Gross, d) {
		w.fatalf("%+v: worst %d, view %d %s", s, worst, v.ScenarioLoss, v.WorstScenario)
	}
	return d != stress{}
}

// ceilPPM is ⌈v·ppm⌉ in big integers.
func ceilPPM(v, ppm int64) *big.Int {
	n := new(big.Int).Mul(big.NewInt(v), big.NewInt(ppm))
	q, m := new(big.Int).DivMod(n, big.NewInt(core.PPM), new(big.Int))
	if m.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// TestDeviationEqualsFloat holds the integer estimate against the same in floating
// point, over random walks with gaps, and shows what a day makes of an old return.
func TestDeviationEqualsFloat(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var d deviation
		price, now := core.Price(6_000_000), core.Nanos(devMinute)
		last, minute, seen, variance := float64(price), int64(1), 0.0, 0.0
		d.observe(price, now)
		for range 3000 {
			now += core.Nanos(rng.Int64N(3 * devMinute))
			price = max(1_000_000, price*core.Price(10_000+rng.IntN(41)-20)/10_000)
			d.observe(price, now)
			if m := int64(now) / devMinute; m > minute {
				passed := float64(m - minute)
				r := (float64(price) - last) / last
				seen = min(seen+passed, devMemory)
				variance += (r*r/passed - variance) * passed / seen
				last, minute = float64(price), m
			}
		}
		want := math.Sqrt(variance*devDay) * core.PPM
		if got := float64(d.sigma); math.Abs(got-want) > 2+want/500 {
			t.Fatalf("seed %d: %v PPM, want %v", seed, got, want)
		}
	}
	var d deviation
	d.observe(1000, 0)
	d.observe(2000, devMinute)
	d.seen = devMemory
	before := d.variance
	for i := range int64(1420) {
		d.observe(2000, core.Nanos(i+2)*devMinute)
	}
	if half := before / 2; d.variance < half*99/100 || d.variance > half*101/100 {
		t.Fatalf("a day leaves %d of %d", d.variance, before)
	}
}

func TestRoot(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for i := range 20_000 {
		v := rng.Int64() >> (1 + i%62)
		x := root(v)
		if big.NewInt(0).Mul(big.NewInt(x), big.NewInt(x)).Cmp(big.NewInt(v)) < 0 || (x > 0 && (x-1)*(x-1) >= v) {
			t.Fatalf("root of %d: %d", v, x)
		}
	}
}

// TestFlowEqualsScan holds the counts of a window against all its fills: at least the
// window is looked back, at most a bucket more.
func TestFlowEqualsScan(t *testing.T) {
	type seen struct {
		at  core.Nanos
		qty core.Qty
	}
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 3))
		const window = 700
		var f flow
		f.restart(window)
		var all []seen
		now := core.Nanos(0)
		for range 200 {
			now += core.Nanos(rng.IntN(300))
			q := core.Qty(1 + rng.IntN(9))
			all = append(all, seen{now, q})
			sum := f.add(q, -q, now)
			var inFills, outFills, inQty, outQty int64
			for _, s := range all {
				if now-s.at <= window {
					inFills, inQty = inFills+1, inQty+int64(s.qty)
				}
				if now-s.at <= window+f.width {
					outFills, outQty = outFills+1, outQty+int64(s.qty)
				}
			}
			if sum.fills < inFills || sum.fills > outFills || sum.qty < inQty || sum.qty > outQty || sum.net != -sum.qty {
				t.Fatalf("seed %d at %d: %+v, want fills %d..%d, quantity %d..%d", seed, now, sum, inFills, outFills, inQty, outQty)
			}
		}
	}
}
