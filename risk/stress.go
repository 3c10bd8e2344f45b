package risk

import (
	"math"
	"math/bits"

	"qcat/core"
)

// stress is what a node's worst cases would lose a deviation at a time: the sums over
// its instruments of daily deviation times value if all buys, or all sells, fill.
// Each is rounded against us. With long, short and gross, which a node keeps anyway,
// they give the loss of every scenario by one multiplication.
type stress struct {
	long, short int64
}

// Scenario is one shock to the prices of everything a node holds, and what it would
// cost in the worst case of its open orders.
type Scenario struct {
	Name  string
	Unit  Unit  // of Shock: UnitPPM of the price, or UnitTimes the daily deviation
	Shock int64 // negative: prices fall; of all_against: either way
	Loss  int64 // in the risk currency, rounded up; negative is a gain
}

// The shocks where no limit says otherwise: 10% of every price, 3 daily deviations of
// each instrument's own.
const (
	DefaultScenarioPrice  = 100_000
	DefaultScenarioSigmas = 3_000_000
)

// shocks are the sizes of the scenarios of a path.
type shocks struct{ price, sigmas int64 }

// take keeps the larger of what is there and what a level's limits say. The zero
// value has none; or fills in the defaults.
func (s *shocks) take(ls *Limits) {
	s.price = max(s.price, ls.or(LimitScenarioPrice, -1)+1)
	s.sigmas = max(s.sigmas, ls.or(LimitScenarioSigmas, -1)+1)
}

// or turns what take gathered, which is one more than it says, into sizes.
func (s shocks) or() shocks {
	return shocks{price: first64(s.price, DefaultScenarioPrice+1) - 1, sigmas: first64(s.sigmas, DefaultScenarioSigmas+1) - 1}
}

func first64(v, other int64) int64 {
	if v > 0 {
		return v
	}
	return other
}

// deviated is what a value, if all buys fill or if all sells do, loses in one daily
// deviation: rounded towards a larger loss.
func deviated(sigma, long, short int64) stress {
	if sigma == 0 {
		return stress{}
	}
	return stress{long: scaledUp(long, sigma), short: -scaledUp(-short, sigma)}
}

// scaledUp is ⌈v·ppm⌉, towards the positive. It fits where ppm is at most 100%; a
// product that does not is the largest there is.
func scaledUp(v, ppm int64) int64 {
	size, sign := v, int64(1)
	if v < 0 {
		size, sign = -v, -1
	}
	hi, lo := bits.Mul64(uint64(size), uint64(ppm))
	switch {
	case hi >= core.PPM:
		return sign * maxAny
	case hi == 0 && lo < math.MaxInt64 && v < 0: // by a constant: no division
		return -int64(lo / core.PPM)
	case hi == 0 && lo < math.MaxInt64:
		return int64((lo + core.PPM - 1) / core.PPM)
	}
	w, rem := bits.Div64(hi, lo, core.PPM)
	if v > 0 && rem > 0 {
		w++
	}
	if w > maxAny {
		w = maxAny
	}
	return sign * int64(w)
}

// loses reports whether the worst scenario would lose more than limit: worst, compared
// without dividing.
func (s shocks) loses(gross int64, d stress, limit int64) bool {
	return exceeds(gross, s.price, limit) || exceeds(d.long, s.sigmas, limit) || exceeds(-d.short, s.sigmas, limit)
}

// exceeds reports whether scaledUp(v, ppm) > limit, which is not negative.
func exceeds(v, ppm, limit int64) bool {
	if v <= 0 {
		return false
	}
	vh, vl := bits.Mul64(uint64(v), uint64(ppm))
	lh, ll := bits.Mul64(uint64(limit), core.PPM)
	return vh > lh || (vh == lh && vl > ll)
}

// worst is the loss of the worst scenario. All against is never less than a shock of
// the same price in one direction, and none is less than its half.
func (s shocks) worst(gross int64, d stress) int64 {
	return max(scaledUp(gross, s.price), scaledUp(d.long, s.sigmas), scaledUp(-d.short, s.sigmas))
}

// Names of the scenarios, in their order.
var scenarioNames = [...]string{
	"price_down", "price_up", "volatility_down", "volatility_up", "all_against",
	"price_down_half", "price_up_half", "volatility_down_half", "volatility_up_half", "all_against_half",
}

const fullScenarios = 5

// scenario returns the scenario of that place for a node.
func (s shocks) scenario(i int, long, short, gross int64, d stress) Scenario {
	size, share := s, i%fullScenarios
	if i >= fullScenarios {
		size.price, size.sigmas = (s.price+1)/2, (s.sigmas+1)/2
	}
	out := Scenario{Name: scenarioNames[i], Unit: UnitPPM, Shock: size.price}
	switch share {
	case 0:
		out.Shock, out.Loss = -size.price, scaledUp(long, size.price)
	case 1:
		out.Loss = scaledUp(-short, size.price)
	case 2:
		out.Unit, out.Shock, out.Loss = UnitTimes, -size.sigmas, scaledUp(d.long, size.sigmas)
	case 3:
		out.Unit, out.Shock, out.Loss = UnitTimes, size.sigmas, scaledUp(-d.short, size.sigmas)
	default:
		out.Loss = scaledUp(gross, size.price)
	}
	return out
}

// Scenarios returns what each scenario would cost a node, full shocks first, and
// whether there is such a node. Prices all fall or all rise by scenario_price, or by
// scenario_sigmas of each instrument's own daily deviation; all_against moves each
// instrument by scenario_price to its own worse side. Open orders count as filled
// where that is worse. The sizes are the largest on the node's path.
func (t *Tree) Scenarios(s Scope) ([]Scenario, bool) {
	s, r := t.resolve(s)
	if !r.OK() {
		return nil, false
	}
	size, long, short, gross, d := t.stressed(s)
	out := make([]Scenario, len(scenarioNames))
	for i := range out {
		out[i] = size.scenario(i, long, short, gross, d)
	}
	return out, true
}

// worstScenario returns the first of the worst scenarios of a resolved scope.
func (t *Tree) worstScenario(s Scope) (name string, loss int64) {
	size, long, short, gross, d := t.stressed(s)
	for i := range fullScenarios {
		if sc := size.scenario(i, long, short, gross, d); i == 0 || sc.Loss > loss {
			name, loss = sc.Name, sc.Loss
		}
	}
	return name, loss
}

// stressed returns what the scenarios of a resolved scope are worked out from.
func (t *Tree) stressed(s Scope) (size shocks, long, short, gross int64, d stress) {
	size.take(&t.profiles[t.firm.profile].Limits)
	if s.Account != 0 {
		size.take(&t.profiles[t.accounts[s.Account].profile].Limits)
	}
	if s.Strategy != 0 {
		size.take(&t.profiles[t.strategies[s.Strategy].profile].Limits)
	}
	size = size.or()
	n := t.node(s, false)
	if n == nil {
		return size, 0, 0, 0, d
	}
	switch s.Level {
	case LevelFirm:
		d = t.firm.stress
	case LevelAccount:
		d = t.accounts[s.Account].stress
	case LevelStrategy:
		d = t.strategies[s.Strategy].stress
	default:
		d = deviated(t.instruments[s.Instrument].deviation.sigma, n.long, n.short)
	}
	return size, n.long, n.short, n.gross, d
}

// value values a pair of an instrument anew, as pair.value does, and carries what its
// worst cases lose in a deviation to the same parent.
func (t *Tree) value(x *instrument, p *pair, parent *branch, price core.Price, unit int64) {
	sigma := x.deviation.sigma
	was := deviated(sigma, p.long, p.short)
	p.value(&parent.node, x.val, price, unit)
	parent.stress.move(was, deviated(sigma, p.long, p.short))
}

func (s *stress) move(was, is stress) {
	s.long += is.long - was.long
	s.short += is.short - was.short
}

// deviates looks at a confirmed mark and, when the instrument's deviation has changed,
// carries it to all that hold the instrument: once a minute.
func (t *Tree) deviates(x *instrument, price core.Price, now core.Nanos) {
	before := x.deviation.sigma
	x.deviation.observe(price, now)
	after := x.deviation.sigma
	if after == before {
		return
	}
	restress := func(p *pair, parent *branch) {
		parent.stress.move(deviated(before, p.long, p.short), deviated(after, p.long, p.short))
	}
	restress(&x.firm, &t.firm)
	for s := x.first; s != 0; s = t.pairs.at(s).next {
		p := t.pairs.at(s)
		restress(p, t.parent(p))
	}
}
