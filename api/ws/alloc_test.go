//go:build !race

package ws

import (
	"bytes"
	"testing"

	"qcat/api/hub"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
)

// TestDeskAllocatesNothing: an order's way from its ticket to its answer.
func TestDeskAllocatesNothing(t *testing.T) {
	d := core.NewDirectory()
	desk := newDesk(new(hub.Conn), wire.Names(d), 16)
	dst := make([]byte, 0, 4096)
	r := engine.Reply{Kind: engine.CmdNew, Order: core.Order{ID: 1}}
	step := func() {
		token, ok := desk.issue([]byte(`"id-1"`), forOrders)
		if !ok {
			t.Fatal("no ticket")
		}
		r.Token = token
		desk.keep(&r)
		if dst = desk.AppendPending(dst[:0]); !bytes.Contains(dst, []byte(`{"id":"id-1","ok":true`)) {
			t.Fatalf("%s", dst)
		}
	}
	step()
	step()
	if n := testing.AllocsPerRun(500, step); n != 0 {
		t.Fatalf("%v allocations an order", n)
	}
}
