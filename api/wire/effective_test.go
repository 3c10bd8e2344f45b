package wire_test

import (
	"testing"

	"qcat/api/wire"
	"qcat/risk"
)

// TestEffectiveLimits: limits of a path are written as a configuration writes them, a
// rate and its period as one.
func TestEffectiveLimits(t *testing.T) {
	d, _ := directory(t)
	at := risk.FirmScope()
	list := []risk.EffectiveLimit{
		{Limit: risk.LimitMessageRate, Value: 5000, From: at},
		{Limit: risk.LimitMessageRatePer, Value: 1e9, From: at},
		{Limit: risk.LimitMarginRequired, Value: 1, From: at},
		{Limit: risk.LimitMaxLeverage, Value: 10_000_000, From: at},
	}
	const want = `[{"limit":"message_rate","value":"5000/1s","scope":{"level":"firm"}},` +
		`{"limit":"margin_required","value":"true","scope":{"level":"firm"}},` +
		`{"limit":"max_leverage","value":"10x","scope":{"level":"firm"}}]`
	if got := string(wire.AppendEffectiveLimits(nil, d, list)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(wire.AppendEffectiveLimits(nil, d, nil)); got != `[]` {
		t.Errorf("of none: %s", got)
	}
}

// TestDetailForPeople: a refusal names the whole node, and a period as one.
func TestDetailForPeople(t *testing.T) {
	d, in := directory(t)
	for _, c := range []struct {
		reason risk.Reason
		want   string
	}{
		{risk.Reason{Code: risk.StaleReference, Unit: risk.UnitNanos, Scope: risk.Scope{Level: risk.LevelFirm}, Limit: 1e9, Value: 3_500_000_000},
			`{"code":"risk.stale_reference","detail":"risk.stale_reference at the firm: 3.5s against a limit of 1s","limit":"1000000000","value":"3500000000","unit":"ns","scope":{"level":"firm"}}`},
		{risk.Reason{Code: risk.Restricted, Scope: risk.Scope{Level: risk.LevelFirm}},
			`{"code":"risk.restricted","detail":"risk.restricted at the firm: the instrument is on a restricted list","scope":{"level":"firm"}}`},
	} {
		if got := string(wire.AppendReason(nil, d, in, &c.reason)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
