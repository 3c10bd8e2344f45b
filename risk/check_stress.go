package risk

// stresses refuses where the worst scenario of a node would, with this order open,
// lose more than its limit.
func (c *check) stresses() bool {
	if c.refUnit == 0 || !c.any(LimitMaxScenarioLoss) {
		return false
	}
	var size shocks
	for k := range atFirmInstrument {
		size.take(&c.profiles[k].Limits)
	}
	size = size.or()
	at := c.t.branches(&c.o)
	for k, p := range c.pairsOf() {
		if !c.applies(k, LimitMaxScenarioLoss) {
			continue
		}
		long, short, gross, ok := c.project(p)
		if !ok {
			return false // exposure has refused
		}
		loss := size.worst(c.nodes[k].gross-p.gross+gross, at[k].stress.with(c.x, p, long, short))
		if limit := c.profiles[k].v[LimitMaxScenarioLoss]; loss > limit && c.refuse(Reason{
			Code: MaxScenarioLoss, Unit: UnitValue, Scope: c.scope(k), Limit: limit, Value: loss}) {
			return true
		}
	}
	return false
}

// with is the stress of a node once one of its pairs is worth long and short.
func (s stress) with(x *instrument, p *pair, long, short int64) stress {
	sigma := x.deviation.sigma
	if long != p.long {
		s.long += scaledUp(long, sigma) - scaledUp(p.long, sigma)
	}
	if short != p.short {
		s.short += scaledUp(-p.short, sigma) - scaledUp(-short, sigma)
	}
	return s
}
