package risk

// Confirming reports whether some node is over a limit on losses and has not been
// acted on, because it asks for more marks that say so. Cost is linear in the nodes
// that are tripped.
func (t *Tree) Confirming() bool {
	for i := range t.trips.slots {
		e := &t.trips.slots[i]
		if !e.used {
			continue
		}
		const lost = 1<<tripLoss | 1<<tripDrawdown
		if s := t.seat(e.place); s.n.trips&lost&^s.sc.acted != 0 {
			return true
		}
	}
	return false
}
