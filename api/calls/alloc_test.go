//go:build !race

package calls

import (
	"net/netip"
	"testing"

	"go.uber.org/zap"
)

func TestAddAllocatesNothing(t *testing.T) {
	l := New(Config{Log: zap.NewNop(), Lines: 1, Ring: 128})
	address := netip.MustParseAddr("2001:db8::7")
	if n := testing.AllocsPerRun(1000, func() {
		l.Add(&Call{Method: "GET", Route: "/a", Status: 200, User: "anna", Address: address})
	}); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
	if l.Lost() == 0 {
		t.Error("the ring was never full")
	}
}
