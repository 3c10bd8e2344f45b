//go:build !race

package core

import "testing"

// TestAllocations asserts I1 for what the hot paths use of this package.
func TestAllocations(t *testing.T) {
	d := NewDirectory()
	in, _ := d.AddInstrument(listed("BTC"))
	a, _ := d.AddAccount("a")
	text, buf := []byte("-61837.63000000"), make([]byte, 0, 64)
	clock := NewManualClock(1)
	var sum Int128
	for name, f := range map[string]func(){
		"ParseDecimal":    func() { _, _ = ParseDecimal(text, 2) },
		"AppendDecimal":   func() { buf = AppendDecimal(buf[:0], -6_183_763, 2) },
		"Notional":        func() { _, _ = in.Notional(6_183_763, 1_500, RoundUp) },
		"Int128":          func() { sum, _ = sum.Add(MulInt64(3, -4)) },
		"MakeClOrdID":     func() { _, _ = MakeClOrdID(text) },
		"Instrument":      func() { d.Instrument(1) },
		"InstrumentNamed": func() { d.InstrumentNamed("test:BTC") },
		"StrategyNamed":   func() { d.StrategyNamed(a.ID, DefaultStrategy) },
		"AccountNamed":    func() { d.AccountNamed(string(buf)) },
		"Now":             func() { clock.Now(); SystemClock().Now() },
		"String":          func() { _ = Buy.String() + "" },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}
