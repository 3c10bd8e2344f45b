package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"qcat/api/spec/spectest"
	"qcat/core/identity"
)

// lists are what somebody may ask without naming an account, and what is asked of an account
// that both may name.
func lists(t *testing.T) (paths []string) {
	t.Helper()
	operations, err := spectest.Operations()
	if err != nil {
		t.Fatal(err)
	}
	for i := range operations {
		o := &operations[i]
		if o.Method != fasthttp.MethodGet || o.Scope != "account" {
			continue
		}
		for _, e := range examples["GET "+o.Path] {
			if e.about == nothing && len(o.Parameters) == 0 {
				path, _ := e.request(nil, nil)
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// marks are what gives an account away in an answer: names of it and of its strategies and
// orders, and ids.
type marks map[string]bool

// marksOf gathers the marks in everything that somebody is shown of an account.
func marksOf(g *guarded, c caller, paths []string) marks {
	g.t.Helper()
	found := marks{}
	for _, path := range paths {
		r := g.as(c, "GET", path, "")
		if r.status != 200 {
			g.t.Fatalf("%s of %s: %d %s", path, c.name, r.status, r.body)
		}
		var v any
		r.into(&v)
		gather(v, "", found)
	}
	return found
}

// gather collects ids by the member that has them, and every text that names something.
func gather(v any, key string, found marks) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			gather(inner, k, found)
		}
	case []any:
		for _, inner := range v {
			gather(inner, key, found)
		}
	case string:
		if slices.Contains([]string{"account", "strategy", "client_order_id", "note", "by", "name", "owner"}, key) && v != "" {
			found[key+" "+v] = true
		}
	case float64:
		if slices.Contains([]string{"order_id", "exec_id", "execution_id", "id"}, key) {
			found[fmt.Sprintf("%s %.0f", key, v)] = true
		}
	}
}

// shared are marks that say nothing of anybody: what both accounts have, and who runs the firm.
var shared = []string{"strategy default", "by adam", "by x"}

// TestNothingLeaks: what somebody is shown of every list has no name and no id of an account that
// is not theirs, and does have their own.
func TestNothingLeaks(t *testing.T) {
	g := guard(t)
	g.both()
	paths := lists(t)
	if len(paths) < 12 {
		t.Fatalf("%d lists only: %q", len(paths), paths)
	}
	all := marksOf(g, g.user("adam"), paths)
	for _, c := range []caller{g.user("otto"), g.key("otto", identity.Trade, "other")} {
		checkApart(t, c, marksOf(g, g.user("tom"), paths), marksOf(g, c, paths), all)
	}
	for _, c := range []caller{g.user("tom"), g.key("adam", identity.Read, "demo")} {
		checkApart(t, c, marksOf(g, g.user("otto"), paths), marksOf(g, c, paths), all)
	}
	// Of an account of which only a strategy is one's own, the rest is somebody else's.
	mia := marksOf(g, g.user("mia"), paths)
	for mark := range mia {
		if strings.HasPrefix(mark, "strategy ") && mark != "strategy maker" || mark == "account other" || mark == "client_order_id demo-1" {
			t.Errorf("who sees demo/maker is shown %s", mark)
		}
	}
	for _, mark := range []string{"strategy maker", "client_order_id demo-0"} {
		if !mia[mark] {
			t.Errorf("who sees demo/maker is not shown %s", mark)
		}
	}
}

// checkApart holds what one is shown apart from what another is shown; both together are no more
// than what there is.
func checkApart(t *testing.T, c caller, theirs, shown, all marks) {
	t.Helper()
	if len(theirs) < 12 || len(shown) < 12 {
		t.Fatalf("%d and %d marks only: %v, %v", len(theirs), len(shown), slices.Sorted(maps.Keys(theirs)), slices.Sorted(maps.Keys(shown)))
	}
	for mark := range shown {
		if theirs[mark] && !slices.Contains(shared, mark) {
			t.Errorf("%s is shown %s", c.name, mark)
		}
		if !all[mark] && !strings.HasPrefix(mark, "name ") && !strings.HasPrefix(mark, "id ") && !strings.HasPrefix(mark, "owner ") {
			t.Errorf("%s is shown %s, and nobody else", c.name, mark)
		}
	}
}

// TestPagesWithinAScope turns the pages of lists that are put together of several parts of a scope:
// they hold each row once, in order.
func TestPagesWithinAScope(t *testing.T) {
	g := guard(t)
	g.both()
	for range 9 {
		for _, of := range [][2]string{{"demo", "maker"}, {"demo", "taker"}, {"other", "theirs"}, {"demo", "default"}} {
			g.order(g.user("adam"), of[0], of[1], "", "market")
		}
	}
	g.must(t, g.store.CreateUser(t.Context(), &identity.User{Name: "patch", Role: identity.Viewer, Scope: scope(t, "demo/maker,demo/taker,other"), Password: hashed()}))
	g.must(t, g.svc.Directory.Refresh(t.Context()))
	c := g.loginAs(person{name: "patch", role: identity.Viewer})
	for _, path := range []string{"orders", "executions", "transfers", "risk/events"} {
		var all, paged []json.RawMessage
		g.as(c, "GET", "/api/v1/"+path, "").into(&all)
		for next := ""; ; {
			r := g.as(c, "GET", "/api/v1/"+path+"?limit=3"+next, "")
			var part []json.RawMessage
			r.into(&part)
			paged = append(paged, part...)
			if r.header("Next-Cursor") == "" {
				break
			}
			next = "&cursor=" + r.header("Next-Cursor")
		}
		if fmt.Sprintf("%s", all) != fmt.Sprintf("%s", paged) || len(all) == 0 {
			t.Errorf("%s: %d rows by pages, %d at once", path, len(paged), len(all))
		}
		for _, row := range all {
			if strings.Contains(string(row), `"strategy":"default"`) && strings.Contains(string(row), `"account":"demo"`) {
				t.Errorf("%s: %s", path, row)
			}
		}
	}
}
