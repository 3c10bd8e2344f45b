package ws

import (
	"strings"
	"testing"

	"qcat/api/hub"
	"qcat/core"
	"qcat/core/engine"
)

// TestTicketsAreBoundAndNotReused: a late answer to an old use of a ticket is
// not given to its next use.
func TestTicketsAreBoundAndNotReused(t *testing.T) {
	d := newDesk(new(hub.Conn), core.NewDirectory(), 2)
	a, ok1 := d.issue([]byte("1"))
	b, ok2 := d.issue([]byte("2"))
	if _, ok := d.issue([]byte("3")); !ok1 || !ok2 || ok {
		t.Fatal("the bound is two")
	}
	d.withdraw(a)
	c, ok := d.issue([]byte("3"))
	if !ok || c == a {
		t.Fatal("a freed ticket has another token")
	}
	d.keep(&engine.Reply{Token: a})
	d.keep(&engine.Reply{Token: 1 << 20})
	d.keep(&engine.Reply{Token: b})
	d.keep(&engine.Reply{Token: c})
	out := string(d.AppendPending(nil))
	if strings.Count(out, `"ok":true`) != 2 || strings.Index(out, `{"id":2,`) > strings.Index(out, `{"id":3,`) {
		t.Fatalf("%q", out)
	}
	if len(d.free) != 2 {
		t.Fatalf("%d tickets are free", len(d.free))
	}
}
