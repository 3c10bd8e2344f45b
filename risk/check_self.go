package risk

// selfTrade applies the mode of the levels that an order would trade with itself at:
// the firm's limit is about any order of its own, an account's and a strategy's about
// the account's. The first level that refuses decides; where none does, the first
// that has a mode, and the approval says which (Approved.SelfTrade).
//
// A mode is no limit that reducing orders are exempt from, but it never stands in the
// way out either: for an order that reduces at a level, every mode cancels the oldest.
func (c *check) selfTrade() bool {
	if c.o.Crosses == 0 || !c.any(LimitSelfTrade) {
		return false
	}
	for i := atFirm; i < atFirmInstrument; i++ {
		if !c.has(i, LimitSelfTrade) || (i != atFirm && c.o.Crosses&CrossesAccount == 0) {
			continue
		}
		mode := SelfTradeMode(c.profiles[i].v[LimitSelfTrade])
		reduces := c.exempt&(1<<i) != 0
		if !reduces && (mode == SelfTradeCancelNewest || mode == SelfTradeCancelBoth) {
			if c.refuse(Reason{Code: SelfTrade, Unit: UnitMode, Scope: c.scope(i), Limit: int64(mode), Value: int64(mode)}) {
				return true
			}
			continue
		}
		if reduces {
			mode = SelfTradeCancelOldest
		}
		if c.selfs == 0 {
			c.selfs = mode
		}
	}
	return false
}
