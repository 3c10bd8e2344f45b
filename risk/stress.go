package risk

// Scenario is one shock to the prices of everything a node holds, and what it would
// cost in the worst case of its open orders.
type Scenario struct {
	Name  string
	Unit  Unit  // of Shock: UnitPPM of the price, or UnitTimes the daily deviation
	Shock int64 // negative: prices fall
	Loss  int64 // in the risk currency; negative is a gain
}

// Scenarios returns what each scenario would cost a node, in a fixed order, and
// whether there is such a node.
func (t *Tree) Scenarios(s Scope) ([]Scenario, bool) { _, r := t.resolve(s); return nil, r.OK() }
