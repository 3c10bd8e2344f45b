package risk

import "qcat/core"

// ValueOf returns what a quantity of an instrument is worth at a price in the risk
// currency, with its sign, the amount rounded up; false when the instrument or its
// rate is not known, or the value does not fit.
func (t *Tree) ValueOf(id core.InstrumentID, q core.Qty, price core.Price) (int64, bool) {
	x := t.instrument(id)
	if x == nil || x.val.mul == 0 {
		return 0, false
	}
	unit, ok := x.val.unit(price)
	if !ok {
		return 0, false
	}
	return x.val.signed(q, unit)
}
