package rest_test

import (
	"fmt"
	"strings"
	"testing"

	"qcat/core/engine"
)

// level is one node of an answer.
type level struct {
	Scope      map[string]string
	State      string
	OpenOrders int `json:"open_orders"`
	Gross      *string
	Net        *string
	Unfilled   *string
}

type after struct{ Levels []level }

// TestCheckTellsWhatWouldBeUsed: accepted or refused, a check says what its path would
// have used after the order, and nothing has been.
func TestCheckTellsWhatWouldBeUsed(t *testing.T) {
	s := serve(t)
	var got struct {
		Status string
		After  after
		Seq    uint64
	}
	s.ask("POST", ordersPath+"/check", limitOrder).into(&got)
	if got.Status != "new" || len(got.After.Levels) != 6 || got.Seq == 0 {
		t.Fatalf("%+v", got)
	}
	for _, l := range got.After.Levels {
		if l.OpenOrders != 1 || l.Unfilled == nil || *l.Unfilled != "0.99000000" || *l.Gross != "1.00010000" {
			t.Errorf("%v: %+v", l.Scope, l)
		}
	}
	big := strings.Replace(limitOrder, "0.010", "100.001", 1)
	var p struct {
		Code  string
		After after
	}
	r := s.ask("POST", ordersPath+"/check", big)
	if r.into(&p); r.status != 422 || p.Code != "risk.max_qty" || len(p.After.Levels) != 6 || p.After.Levels[0].OpenOrders != 1 {
		t.Errorf("%d %+v", r.status, p)
	}
	var e struct{ Scopes []level }
	s.ask("GET", "/api/v1/risk/exposure", "").into(&e)
	for _, l := range e.Scopes {
		if l.OpenOrders != 0 {
			t.Errorf("a check was counted: %+v", l)
		}
	}
}

// TestBatchOfChecks: each order is answered by itself, with every control it would
// fail, all as of one sequence.
func TestBatchOfChecks(t *testing.T) {
	s := serve(t)
	far := strings.Replace(limitOrder, "0.010", "200.000", 1)
	nobody := strings.Replace(limitOrder, `"demo"`, `"nobody"`, 1)
	var got struct {
		Seq     uint64
		Results []struct {
			Accepted bool
			Order    *order
			Refusals []struct{ Code string }
			After    *after
		}
	}
	r := s.ask("POST", ordersPath+"/check", `{"orders":[`+limitOrder+`,`+far+`,`+nobody+`,`+limitOrder+`]}`)
	if r.into(&got); r.status != 200 || got.Seq == 0 || len(got.Results) != 4 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for i, want := range []string{"", "risk.max_qty", "risk.unknown_account", ""} {
		x := got.Results[i]
		if x.Accepted != (want == "") || (want != "" && (len(x.Refusals) == 0 || x.Refusals[0].Code != want)) {
			t.Errorf("order %d: %+v, want %q", i, x, want)
		}
	}
	if got.Results[3].After == nil || got.Results[3].After.Levels[0].OpenOrders != 1 || got.Results[2].Order != nil || got.Results[2].After != nil {
		t.Errorf("each as if the others were not: %+v", got.Results)
	}
}

// TestBadBatches: what is not a batch is refused as a whole, and says where.
func TestBadBatches(t *testing.T) {
	s := serve(t)
	many := strings.Repeat(limitOrder+",", engine.MaxWhatIfs) + limitOrder
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"none":        {`{"orders":[]}`, 400, "request.value"},
		"no list":     {`{"orders":{}}`, 400, "request.type"},
		"a field":     {`{"orders":[{"iceberg":1}]}`, 400, "request.unknown_field"},
		"half":        {`{"orders":[{"account":"demo"}]}`, 400, "request.missing_field"},
		"a name":      {`{"orders":[` + limitOrder + `],"x":1}`, 400, "request.syntax"},
		"after":       {`{"orders":[` + limitOrder + `]} x`, 400, "request.trailing"},
		"open":        {`{"orders":[` + limitOrder, 400, "request.syntax"},
		"too many":    {`{"orders":[` + many + `]}`, 400, "request.too_many"},
		"one too big": {`{"orders":[{` + strings.Repeat(" ", 5000) + limitOrder[1:] + `]}`, 413, "request.too_large"},
	} {
		t.Run(name, func(t *testing.T) { s.ask("POST", ordersPath+"/check", c.body).refused(c.status, c.code) })
	}
	var got struct{ Results []struct{ Accepted bool } }
	s.ask("POST", ordersPath+"/check", `{"orders":[`+many[:len(many)-len(limitOrder)-1]+`]}`).into(&got)
	if len(got.Results) != engine.MaxWhatIfs {
		t.Errorf("%d answers to %d orders", len(got.Results), engine.MaxWhatIfs)
	}
}

// TestExposurePages: every node comes once, a page at a time.
func TestExposurePages(t *testing.T) {
	s := serve(t)
	type page struct {
		Seq    uint64
		Scopes []struct{ Scope map[string]string }
	}
	var whole page
	r := s.ask("GET", "/api/v1/risk/exposure", "")
	if r.into(&whole); r.header("Next-Cursor") != "" || len(whole.Scopes) < 6 {
		t.Fatalf("%d nodes, then %q", len(whole.Scopes), r.header("Next-Cursor"))
	}
	var got []string
	for path := "/api/v1/risk/exposure?limit=2"; path != ""; {
		var p page
		r := s.ask("GET", path, "")
		r.into(&p)
		for _, x := range p.Scopes {
			got = append(got, fmt.Sprint(x.Scope))
		}
		if path = ""; r.header("Next-Cursor") != "" {
			if len(p.Scopes) != 2 {
				t.Fatalf("a page of %d", len(p.Scopes))
			}
			path = "/api/v1/risk/exposure?limit=2&cursor=" + r.header("Next-Cursor")
		}
	}
	if len(got) != len(whole.Scopes) {
		t.Fatalf("%d nodes in pages, %d at once", len(got), len(whole.Scopes))
	}
	for i, x := range whole.Scopes {
		if fmt.Sprint(x.Scope) != got[i] {
			t.Errorf("node %d is %s, want %v", i, got[i], x.Scope)
		}
	}
	s.ask("GET", "/api/v1/risk/exposure?cursor=x", "").refused(400, "request.query")
}
