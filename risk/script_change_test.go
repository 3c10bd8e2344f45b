package risk

import (
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
