package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// machine makes figures as a shared machine does: a speed that drifts and jumps, noise
// of each process, and now and then a process that was disturbed all along.
type machine struct {
	rng   *rand.Rand
	noise float64 // standard deviation of a process, relative
	wild  float64 // share of processes that were disturbed
	jumps float64 // share of processes before which the speed changes for good
	speed float64
}

func (m *machine) measure(ns float64) float64 {
	m.speed *= math.Exp(0.003 * m.rng.NormFloat64())
	if m.rng.Float64() < m.jumps {
		m.speed = math.Exp2(m.rng.Float64() - 0.5)
	}
	v := ns * m.speed * math.Exp(m.noise*m.rng.NormFloat64())
	if m.rng.Float64() < m.wild {
		v *= 1 + 0.3*m.rng.ExpFloat64()
	}
	return v
}

// round measures one in the order of a real one.
func (m *machine) round(base, head float64) *round {
	r := &round{}
	for r.blocks() < fullBlocks && !r.settled() {
		a, b, c, d := m.measure(base), m.measure(head), m.measure(head), m.measure(base)
		r.base = append(r.base, a, d)
		r.head = append(r.head, b, c)
	}
	return r
}

// fails says whether so many rounds in a row find the head slower.
func (m *machine) fails(base, head float64, in int) bool {
	for range in {
		if o := m.round(base, head).judge(); !o.slower {
			return false
		}
	}
	return true
}

// machines from a quiet one to one that is hardly fit to measure on.
var machines = []struct {
	name               string
	noise, wild, jumps float64
	power              float64 // the least share of 10 % slow-downs that must be found
}{
	{"quiet", 0.005, 0, 0, 1},
	{"usual", 0.015, 0.05, 0.01, 0.95},
	{"busy", 0.025, 0.15, 0.02, 0.5},
	{"wild", 0.06, 0.25, 0.05, 0},
}

// TestFalseAlarms compares the same with itself, thousands of times on each machine: a
// round may find it slower once in a hundred, three rounds never.
func TestFalseAlarms(t *testing.T) {
	const runs = 5000
	for i, c := range machines {
		m := &machine{rng: rand.New(rand.NewPCG(7, uint64(i))), noise: c.noise, wild: c.wild, jumps: c.jumps, speed: 1}
		alarms, failures, blocks := 0, 0, 0
		for range runs {
			r := m.round(100, 100)
			blocks += r.blocks()
			if r.judge().slower {
				alarms++
				if m.fails(100, 100, rounds-1) {
					failures++
				}
			}
		}
		t.Logf("%s: %d of %d rounds, %d failures, %d blocks", c.name, alarms, runs, failures, blocks)
		if alarms > runs/100 || failures > 0 {
			t.Errorf("%s machine: %d false alarms in %d rounds, %d confirmed", c.name, alarms, runs, failures)
		}
	}
}

// TestPower slows the head down by 10 %: on a machine fit to measure on, all three
// rounds must find it.
func TestPower(t *testing.T) {
	const runs = 1000
	for i, c := range machines {
		m := &machine{rng: rand.New(rand.NewPCG(8, uint64(i))), noise: c.noise, wild: c.wild, jumps: c.jumps, speed: 1}
		found := 0
		for range runs {
			if m.fails(100, 110, rounds) {
				found++
			}
		}
		t.Logf("%s: %d of %d", c.name, found, runs)
		if float64(found) < c.power*runs {
			t.Errorf("%s machine: %d of %d slow-downs found", c.name, found, runs)
		}
	}
}

// TestSmallEffectsPass: 4 % is no failure however sure it is, and faster never is.
func TestSmallEffectsPass(t *testing.T) {
	m := &machine{rng: rand.New(rand.NewPCG(9, 9)), noise: 0.001, speed: 1}
	for range 300 {
		if o := m.round(100, 104).judge(); o.slower || o.p > worstP || math.Abs(o.effect-0.04) > 0.01 {
			t.Fatalf("4 %% slower: %+v", o)
		}
		if o := m.round(100, 80).judge(); o.slower || o.p < 0.9 || o.effect > -0.15 {
			t.Fatalf("20 %% faster: %+v", o)
		}
	}
}

// TestSpreadGuards: a slow-down within three A/A spreads does not count, however
// regular it is.
func TestSpreadGuards(t *testing.T) {
	r := &round{}
	for i := range fullBlocks {
		high := 100 * math.Exp(0.4*float64(i%2)) // the base at the end of every other block
		r.base = append(r.base, 100, high)
		r.head = append(r.head, 107, 1.07*high)
	}
	if o := r.judge(); o.p >= worstP || o.effect < 0.06 || o.slower || o.bound <= o.effect {
		t.Errorf("%+v", o)
	}
}

// TestLeastBlocks: fewer blocks than leastBlocks can find nothing, so many can.
func TestLeastBlocks(t *testing.T) {
	for blocks := 1; blocks <= fullBlocks; blocks++ {
		r := &round{}
		for i := range 2 * blocks {
			r.base = append(r.base, 100)
			r.head = append(r.head, 150+float64(i))
		}
		if o := r.judge(); o.slower != (blocks >= leastBlocks) {
			t.Errorf("%d blocks: %+v", blocks, o)
		}
	}
}
