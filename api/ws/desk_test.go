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
	a, ok1 := d.issue([]byte("1"), forOrders)
	b, ok2 := d.issue([]byte("2"), forOrders)
	if _, ok := d.issue([]byte("3"), forOrders); !ok1 || !ok2 || ok {
		t.Fatal("the bound is two")
	}
	d.withdraw(a)
	c, ok := d.issue([]byte("3"), forOrders)
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

// TestCancelsHaveAReserve: when no order may be sent for want of answers, cancels
// still may, and are bound too.
func TestCancelsHaveAReserve(t *testing.T) {
	const limit = 8
	d := newDesk(new(hub.Conn), core.NewDirectory(), limit)
	issued := func(kind class) (n int, last uint64) {
		for {
			token, ok := d.issue([]byte("1"), kind)
			if !ok {
				return n, last
			}
			n, last = n+1, token
		}
	}
	if n, _ := issued(forOrders); n != limit {
		t.Errorf("%d orders", n)
	}
	n, last := issued(forCancels)
	if n != limit/4 {
		t.Errorf("%d cancels beside the orders", n)
	}
	d.withdraw(last)
	if n, _ := issued(forOrders); n != 0 {
		t.Errorf("%d orders took a cancel's place", n)
	}
	if n, _ := issued(forCancels); n != 1 {
		t.Errorf("%d cancels took the place of one", n)
	}
	if n, _ := issued(forStops); n != limit/4 {
		t.Errorf("%d stops beside orders and cancels", n)
	}
}

// TestDeskSettles: it is settled once every command that was handed over is answered,
// whether or not the answers were read; a late or a strange answer counts for none.
func TestDeskSettles(t *testing.T) {
	d := newDesk(new(hub.Conn), core.NewDirectory(), 8)
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	if !closed(d.settled()) {
		t.Fatal("who submitted nothing waits")
	}
	a, _ := d.issue([]byte("1"), forOrders)
	b, _ := d.issue([]byte("2"), forOrders)
	done := d.settled()
	d.keep(&engine.Reply{Token: 1 << 40})
	d.keep(&engine.Reply{Token: a})
	if closed(done) {
		t.Fatal("one of two is answered")
	}
	d.withdraw(b)
	if !closed(done) {
		t.Fatal("nothing is on its way any more")
	}
}
