package core

import (
	"strings"
	"testing"
)

func TestSide(t *testing.T) {
	if Buy.Opposite() != Sell || Sell.Opposite() != Buy || Buy.Sign() != 1 || Sell.Sign() != -1 {
		t.Error("the sides are mixed up")
	}
}

// TestNames: every value has a name that is parsed back, and no other name is.
func TestNames(t *testing.T) {
	for s := Buy; s <= Sell; s++ {
		if ParseSide(s.String()) != s {
			t.Errorf("side %d is %q", s, s)
		}
	}
	for o := Market; o <= Limit; o++ {
		if ParseOrdType(o.String()) != o {
			t.Errorf("type %d is %q", o, o)
		}
	}
	for f := GTC; f <= PostOnly; f++ {
		if ParseTimeInForce(f.String()) != f {
			t.Errorf("time in force %d is %q", f, f)
		}
	}
	for s := StatusNew; s <= StatusExpired; s++ {
		if ParseOrdStatus(s.String()) != s {
			t.Errorf("status %d is %q", s, s)
		}
	}
	for _, name := range []string{"", "unknown", "BUY", "stop"} {
		if ParseSide(name) != 0 || ParseOrdType(name) != 0 || ParseTimeInForce(name) != 0 || ParseOrdStatus(name) != 0 {
			t.Errorf("%q was taken for something", name)
		}
	}
	if Side(0).String() != "unknown" || Side(3).String() != "unknown" || OrdStatus(99).String() != "unknown" {
		t.Error("a value out of range has a name")
	}
	if Maker.String() != "maker" || Taker.String() != "taker" || Liquidity(0).String() != "unknown" {
		t.Error("liquidity is misnamed")
	}
}

func TestVenueReasonNames(t *testing.T) {
	seen := map[string]bool{}
	for r := VenueReasonUnknownOrder; r <= VenueReasonInvalid; r++ {
		name := r.String()
		if !strings.HasPrefix(name, "venue.") || name == "venue.other" || seen[name] {
			t.Errorf("venue reason %d is %q", r, name)
		}
		seen[name] = true
	}
	if VenueReasonNone.String() != "" || VenueReason(999).String() != "venue.other" {
		t.Error("none or an unknown reason is misnamed")
	}
}

func TestLeavesQty(t *testing.T) {
	for status, want := range map[OrdStatus]Qty{
		StatusNew: 7, StatusPartiallyFilled: 7, StatusFilled: 0, StatusCancelled: 0, StatusRejected: 0, StatusExpired: 0, 0: 0,
	} {
		o := Order{Status: status, Qty: 10, CumQty: 3}
		if got := o.LeavesQty(); got != want {
			t.Errorf("status %v leaves %d, want %d", status, got, want)
		}
		if status.Open() != (want > 0) {
			t.Errorf("status %v: Open is %v", status, status.Open())
		}
	}
}

func TestClOrdID(t *testing.T) {
	longest := strings.Repeat("x", MaxClOrdIDLen)
	for _, s := range []string{"", "a", "A-1_2:3/4.5~!", longest} {
		id, ok := MakeClOrdID(s)
		if !ok || id.String() != s || id.Len() != len(s) || string(id.Append([]byte("id="))) != "id="+s {
			t.Errorf("%q comes back as %q, %v", s, id, ok)
		}
		if same, _ := MakeClOrdID([]byte(s)); same != id {
			t.Errorf("%q from bytes is another id", s)
		}
	}
	for _, s := range []string{longest + "x", "a b", "a\tb", `a"b`, `a\b`, "ä", "\x7f", "a\x00"} {
		if id, ok := MakeClOrdID(s); ok || id != (ClOrdID{}) {
			t.Errorf("%q was taken as %q", s, id)
		}
	}
	if id, _ := MakeClOrdID(""); id != (ClOrdID{}) {
		t.Error("an empty id is not the zero id")
	}
}
