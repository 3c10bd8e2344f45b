package risk

import (
	"math/bits"

	"qcat/core"
)

// shares refuses where this order's instrument would make up more of a node's gross
// than its limit. A node whose gross would not be above its floor is not asked: the
// first position is always the whole.
func (c *check) shares() bool {
	if c.refUnit == 0 || !c.any(LimitConcentration) {
		return false
	}
	for k, p := range c.pairsOf() {
		if !c.applies(k, LimitConcentration) {
			continue
		}
		_, _, gross, ok1 := c.project(p)
		total, ok2 := add64(c.nodes[k].gross-p.gross, gross)
		if !ok1 || !ok2 {
			return false // exposure has refused
		}
		ls := &c.profiles[k].Limits
		if limit := ls.v[LimitConcentration]; total > ls.or(LimitConcentrationFloor, 0) && concentrated(gross, total, limit) {
			share, _ := core.MulDiv(gross, core.PPM, total, core.RoundUp)
			if c.refuse(Reason{Code: PositionConcentration, Unit: UnitPPM, Scope: c.scope(k), Limit: limit, Value: share}) {
				return true
			}
		}
	}
	return false
}

// concentrated reports whether part > total·limit, exactly.
func concentrated(part, total, limit int64) bool {
	ph, pl := bits.Mul64(uint64(part), core.PPM)
	th, tl := bits.Mul64(uint64(total), uint64(limit))
	return ph > th || (ph == th && pl > tl)
}
