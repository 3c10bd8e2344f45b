package risk

import (
	"fmt"
	"slices"
	"strings"
)

// change reads "change max_qty=5 order_rate=10/1s to max_qty=6": the limits that a node
// has and those it is to have, quantities in BTC; nothing on either side is no limit.
func (s *script) change(w []string) string {
	to := slices.Index(w, "to")
	before, after := s.resolve(w[1:to]), s.resolve(w[to+1:])
	if l, yes := Loosens(&before, &after); yes {
		return "waits: " + l.String() + " is looser"
	}
	return "applies"
}

// resolve reads limits of BTC.
func (s *script) resolve(settings []string) Limits {
	var spec Spec
	for _, kv := range settings {
		k, v, _ := strings.Cut(kv, "=")
		must(spec.Put(k, v))
	}
	ls, err := spec.Resolve(s.instrument("BTC"))
	must(err)
	return ls
}

// uses words what is used of the limits of a node: "max_notional 5 of 10, 50%".
func (s *script) uses(scope string) string {
	sc := s.scope(scope)
	var lines []string
	for _, u := range s.tree.Uses(sc, s.now, nil) {
		in := s.tree.instruments[sc.Instrument].in
		lines = append(lines, fmt.Sprintf("%s %s of %s, %s", u.Limit, u.Unit.Append(nil, u.Value, in),
			u.Unit.Append(nil, u.Max, in), UnitPPM.Append(nil, u.PPM, nil)))
	}
	if lines == nil {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}
