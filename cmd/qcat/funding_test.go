package main

import (
	"testing"
	"time"

	"qcat/core"
)

// TestFundingMoments: payments are due at 00:00, 08:00 and 16:00 UTC, each once.
func TestFundingMoments(t *testing.T) {
	for _, tt := range []struct{ now, want string }{
		{"2026-03-01T00:00:00Z", "2026-03-01T08:00:00Z"},
		{"2026-03-01T07:59:59.999999999Z", "2026-03-01T08:00:00Z"},
		{"2026-03-01T08:00:00Z", "2026-03-01T16:00:00Z"},
		{"2026-03-01T15:00:00+01:00", "2026-03-01T16:00:00Z"},
		{"2026-02-28T16:00:00.000000001Z", "2026-03-01T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339Nano, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		got := time.Unix(0, int64(nextFunding(core.Nanos(now.UnixNano())))).UTC().Format(time.RFC3339Nano)
		if got != tt.want {
			t.Errorf("after %s comes %s, want %s", tt.now, got, tt.want)
		}
	}
}

// TestFundingRates: a rate is written in percent or basis points, and bounded.
func TestFundingRates(t *testing.T) {
	for text, want := range map[string]int64{
		"0%": 0, "0.01%": 100_000, "-0.0001%": -1_000, "1bp": 100_000, "10%": 100_000_000, "0.0000001%": 1,
	} {
		f, err := (&server{cfg: &serveCmd{paperFlags: paperFlags{PaperFundingRate: text}}}).newFunding()
		if err != nil || f.rate != want {
			t.Errorf("%s: %+v, %v, want %d", text, f, err, want)
		}
	}
	for _, text := range []string{"", "0.01", "11%", "-11%", "0.00000001%", "x%"} {
		if _, err := (&server{cfg: &serveCmd{paperFlags: paperFlags{PaperFundingRate: text}}}).newFunding(); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
