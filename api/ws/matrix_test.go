package ws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"

	"qcat/api/client"
	"qcat/api/spec/spectest"
	"qcat/core/identity"
)

func asClose(err error, ce **websocket.CloseError) bool { return errors.As(err, ce) }

// who is a column of the matrix.
type who struct {
	name  string // "" is nobody
	role  identity.Role
	scope identity.Scope
}

// columns are nobody and everybody.
func columns(t *testing.T) []who {
	t.Helper()
	all := []who{{}}
	for _, p := range people {
		scope, err := identity.ParseScope(p.scope)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, who{p.name, p.role, scope})
	}
	return all
}

// permitted is what the document says a role is answered: "" if it may.
func (w who) permitted(o spectest.Operation) string {
	if len(o.Permissions) == 0 {
		return ""
	}
	if w.name == "" {
		return "auth.required"
	}
	for _, name := range o.Permissions {
		if p, err := identity.ParsePermissions(name); err == nil && w.role.Permissions().Has(p) {
			return ""
		}
	}
	return "auth.forbidden"
}

// requests is one request of each op, about desk1 where it is about an account; %d is an
// open order of desk1. refused is what everybody who may is answered.
var requests = map[string]struct{ body, refused string }{
	"ping":                 {`"op":"ping"`, ""},
	"auth":                 {`"op":"auth","token":"e30.e30.e30"`, "auth.token"},
	"logout":               {`"op":"logout"`, ""},
	"subscribe":            {`"op":"subscribe","channels":["bbo:sim:BTCUSDT","orders"]`, ""},
	"unsubscribe":          {`"op":"unsubscribe","channels":["orders"]`, ""},
	"order":                {`"op":"order","account":"desk1","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"1.00","qty":"0.001"`, ""},
	"amend":                {`"op":"amend","order_id":%d,"price":"2.00"`, ""},
	"cancel":               {`"op":"cancel","order_id":%d`, ""},
	"cancel_all":           {`"op":"cancel_all","account":"desk1"`, ""},
	"cancel_on_disconnect": {`"op":"cancel_on_disconnect","enable":true`, ""},
	"countdown":            {`"op":"countdown","account":"desk1","timeout_ms":60000`, ""},
	"state":                {`"op":"state","scope":"account","account":"desk1","state":"halted","reason":"drill"`, ""},
}

// TestWhoMayAskWhat: each op of the document × everybody.
func TestWhoMayAskWhat(t *testing.T) {
	g := guard(t, nil)
	rows, err := spectest.SocketOperations()
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, o := range rows {
		if o.Method != "WS" {
			continue
		}
		r, known := requests[o.Path]
		if !known {
			t.Errorf("the op %s has no row", o.Path)
			continue
		}
		for _, w := range columns(t) {
			want := w.permitted(o)
			if want == "" {
				want = r.refused
			}
			if want == "" && o.Scope == "account" && o.Path != "subscribe" && !w.scope.Account("desk1") {
				want = "auth.scope"
			}
			body := r.body
			if strings.Contains(body, "%d") {
				body = fmt.Sprintf(body, g.order(g.desk1, g.of(g.desk1)))
			}
			before := len(g.engine.killed())
			if got := g.answer(t, w.name, body); got != want {
				t.Errorf("%s by %q: %q, want %q", o.Path, w.name, got, want)
			}
			if n := len(g.engine.killed()) - before; want != "" && n != 0 {
				t.Errorf("%s by %q was refused, and %d kills were submitted", o.Path, w.name, n)
			}
			done++
		}
	}
	if done != len(requests)*(len(people)+1) {
		t.Errorf("%d cells", done)
	}
}

// answer sends one request on a connection of its own and returns the code it is refused with.
func (g *guarded) answer(t *testing.T, name, body string) string {
	t.Helper()
	c := g.as(name)
	defer c.Close()
	raw, err := c.Do(t.Context(), rawRequest("{"+body+"}"))
	var r *client.Refusal
	switch {
	case errors.As(err, &r):
		return r.Code
	case err != nil:
		t.Fatal(body, err)
	}
	return codeOf(t, raw)
}

// rawRequest marshals to itself.
type rawRequest string

func (r rawRequest) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// TestWhoIsShownWhat: each channel of the document × everybody. Of a private channel
// everybody is shown what is in their scope, the firm's own included, and nothing else.
func TestWhoIsShownWhat(t *testing.T) {
	g := guard(t, nil)
	rows, err := spectest.SocketOperations()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range rows {
		if o.Method != "CH" {
			continue
		}
		name, _, public := strings.Cut(o.Path, ":")
		if public {
			name += ":" + instrument
		}
		for _, w := range columns(t) {
			want := w.permitted(o)
			got := g.answer(t, w.name, `"op":"subscribe","channels":["`+name+`"]`)
			if got != want {
				t.Errorf("%s by %q: %q, want %q", o.Path, w.name, got, want)
			}
			switch tell := tells[name]; {
			case public && o.Scope != "none", !public && o.Scope != "account":
				t.Errorf("%s: scope %s", o.Path, o.Scope)
			case !public && tell == nil:
				t.Errorf("the channel %s has no row", name)
			case !public && want == "":
				g.shown(t, name, w)
			}
		}
	}
}

// shown holds what somebody is shown of a channel against their scope.
func (g *guarded) shown(t *testing.T, channel string, w who) {
	t.Helper()
	c := g.as(w.name)
	defer c.Close()
	ch, handle := collect()
	if err := c.Subscribe(t.Context(), client.Sub{Channel: channel, Handle: handle}); err != nil {
		t.Fatal(err)
	}
	next(t, ch) // the snapshot
	tell := tells[channel]
	want := map[uint64]string{}
	say := func(what string, ev func() uint64, visible bool) {
		if seq := ev(); visible {
			want[seq] = what
		}
	}
	say("desk1", func() uint64 { return g.publish(tell(g.desk1, g.of(g.desk1))) }, w.scope.Strategy("desk1", "default"))
	say("desk1/alpha", func() uint64 { return g.publish(tell(g.desk1, g.alpha)) }, w.scope.Strategy("desk1", "alpha"))
	say("desk1 itself", func() uint64 { return g.publish(tell(g.desk1, 0)) }, w.scope.Account("desk1"))
	say("desk2", func() uint64 { return g.publish(tell(g.desk2, g.of(g.desk2))) }, w.scope.Account("desk2"))
	say("the firm", func() uint64 { return g.publish(tell(0, 0)) }, w.scope.All)
	var fence uint64 // something that everybody of these is shown one of
	for _, s := range []struct {
		in  bool
		tag func() uint64
	}{{w.scope.Account("desk2"), func() uint64 { return g.publish(tell(g.desk2, g.of(g.desk2))) }}, {true, func() uint64 { return g.publish(tell(g.desk1, g.alpha)) }}} {
		if s.in {
			fence = s.tag()
			break
		}
	}
	for {
		m := next(t, ch)
		if m.Seq == fence {
			break
		}
		if want[m.Seq] == "" {
			t.Errorf("%s is shown to %s: %s", channel, w.name, m.Data)
		}
		delete(want, m.Seq)
	}
	for _, what := range want {
		t.Errorf("%s of %s is not shown to %s", channel, what, w.name)
	}
}
