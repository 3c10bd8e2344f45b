package core

// ExactValue returns what a fill of qty at price is worth in the units of
// Position.Cash: price·qty, or contract size·qty/price of an inverse instrument,
// rounded half to even to 10^-24 of its settlement currency. It returns false when
// price or qty is not positive or the value does not fit.
func ExactValue(in *Instrument, price Price, qty Qty) (Int128, bool) {
	if price <= 0 || qty <= 0 {
		return Int128{}, false
	}
	return fillValue(in, price, qty)
}

// Scaled returns x·a·b·10^-n, exactly computed and rounded down (towards the
// negative), and false when it does not fit or a or b is negative. n may be negative.
// It does not allocate.
func (x Int128) Scaled(a, b int64, n int) (int64, bool) {
	if a < 0 || b < 0 {
		return 0, false
	}
	w, ok1 := wideFrom(x.abs()).mul(uint64(a))
	w, ok2 := w.mul(uint64(b))
	if n < 0 {
		var ok bool
		w, ok = w.mulPow10(-n)
		ok2 = ok2 && ok
	}
	if !ok1 || !ok2 {
		return 0, false
	}
	cut := false // something was left over: a negative result is one lower
	for ; n > 0; n -= MaxScale {
		var rem uint64
		w, rem = w.divMod(uint64(pow10[min(n, MaxScale)]))
		cut = cut || rem != 0
	}
	if x.Hi < 0 && cut {
		w, _ = w.add(wide{1})
	}
	if v := int64(w[0]); w.is64() && v >= 0 {
		if x.Hi < 0 {
			v = -v
		}
		return v, true
	}
	return 0, false
}
