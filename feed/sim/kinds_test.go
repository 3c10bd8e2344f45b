package sim

import (
	"testing"

	"qcat/core"
)

// TestOtherKinds: spot and inverse listings are valid, named apart, worth what the
// linear ones are, and their markets run.
func TestOtherKinds(t *testing.T) {
	const n = 40
	linear := Listings(n)
	for _, tt := range []struct {
		listings   []Listing
		kind       core.ContractKind
		first      string
		settle     string
		levelWorth func(l *Listing) int64 // whole units of the quote currency
	}{
		{SpotListings(n), core.Spot, "sim-spot:BTCUSDT", "USDT", func(l *Listing) int64 {
			v, _ := l.Instrument.Notional(l.FairPrice, l.LevelQty, core.RoundDown)
			return int64(v) / 1e8
		}},
		{InverseListings(n), core.Inverse, "sim-inverse:BTCUSD", "BTC", func(l *Listing) int64 {
			return int64(l.LevelQty) * l.Instrument.ContractSize
		}},
	} {
		if got := tt.listings[0].Instrument.Name(); got != tt.first || tt.listings[0].Instrument.Settle != tt.settle {
			t.Errorf("first is %s, settled in %s", got, tt.listings[0].Instrument.Settle)
		}
		names := map[string]bool{}
		for i := range tt.listings {
			l := &tt.listings[i]
			l.Instrument.ID = core.InstrumentID(i + 1)
			names[l.Instrument.Name()] = true
			if err := l.validate(); err != nil {
				t.Error(err)
			}
			want, _ := linear[i].Instrument.Notional(linear[i].FairPrice, linear[i].LevelQty, core.RoundDown)
			if got, want := tt.levelWorth(l), int64(want)/1e8; l.Instrument.Kind != tt.kind || got > want || got < want-100 {
				t.Errorf("%s: %s, a level is worth %d, the linear one's %d", l.Instrument.Name(), l.Instrument.Kind, got, want)
			}
			if l.Instrument.MaxQty <= l.LevelQty || l.Instrument.MarketMaxQty <= 0 {
				t.Errorf("%s: at most %d, %d at the market", l.Instrument.Name(), l.Instrument.MaxQty, l.Instrument.MarketMaxQty)
			}
		}
		if len(names) != n {
			t.Errorf("%d names of %d", len(names), n)
		}
		m, err := NewMarket(1, tt.listings[0])
		if err != nil {
			t.Fatal(err)
		}
		f := newFollower(t, tt.listings[0])
		for _, msg := range m.Snapshot(start) {
			f.apply(&msg)
		}
		for i := range 2_000 {
			for _, msg := range m.Step(start + core.Nanos(i)) {
				f.apply(&msg)
			}
		}
	}
}
