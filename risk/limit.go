package risk

// Limit returns limit l of the node of a scope, and whether it is set there. There is
// none where nothing is defined. It does not allocate.
func (t *Tree) Limit(s Scope, l Limit) (int64, bool) {
	s, r := t.resolve(s)
	if !r.OK() {
		return 0, false
	}
	n := t.node(s, false)
	if n == nil {
		return 0, false
	}
	return t.profiles[n.profile].Get(l)
}
