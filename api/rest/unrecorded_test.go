package rest_test

import (
	"strconv"
	"strings"
	"testing"
)

// What was carried out without a record says so; what is recorded does not.
func TestUnrecorded(t *testing.T) {
	const member = `,"unrecorded":true}`
	s := serve(t)
	for _, full := range []bool{false, true} {
		s.disk.full.Store(false)
		s.ask("POST", "/api/v1/risk/state", `{"scope":"firm","state":"active"}`)
		id := s.ask("POST", ordersPath, limitOrder).ordered(201).OrderID
		s.disk.full.Store(full)
		for _, r := range []reply{
			s.ask("DELETE", ordersPath, `{"order_id":`+strconv.FormatUint(id, 10)+`}`),
			s.ask("DELETE", ordersPath, ""),
			s.ask("POST", "/api/v1/risk/state", `{"scope":"firm","state":"halted","cancel_open":true}`),
		} {
			if r.status != 200 || strings.HasSuffix(r.body, member) != full {
				t.Errorf("journal full: %v; answered %d %s", full, r.status, r.body)
			}
			r.into(&struct{}{})
		}
	}
	s.disk.full.Store(false)
}
