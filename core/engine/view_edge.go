package engine

// viewEdge is how far back a view knows everything: what lies beyond is a store's
// to tell.
type viewEdge struct {
	// since is the sequence of the last record that changed something which is no
	// longer kept.
	since      uint64
	orders     lastID
	executions lastID
}

// pass notes that something was let go of which record seq changed last.
func (e *viewEdge) pass(seq uint64) { e.since = max(e.since, seq) }

// lastID is the highest of ids that are given from 1 on without a gap.
type lastID struct {
	id uint64
	// unsure says that there may be higher ones: a snapshot leaves out what had
	// been let go of when it was taken.
	unsure bool
}

// reach takes an id in. One that is higher than all before it is the last.
func (l *lastID) reach(id uint64) {
	if id > l.id {
		*l = lastID{id: id}
	}
}

// below is the highest id that a list may begin with which goes on before that
// one (0: from the newest), and whether it is known.
func (l *lastID) below(before uint64) (id uint64, known bool) {
	if before > 0 && before <= l.id {
		return before - 1, true
	}
	return l.id, !l.unsure
}

// restored notes that what has been seen is a snapshot as of record seq: of what
// happened before, a view knows a part only.
func (e *viewEdge) restored(seq uint64) {
	e.pass(seq)
	e.orders.unsure = true
	e.executions.unsure = true
}

// CompleteSince is a journal sequence: orders and executions that a later record
// changed are all kept. What is not kept, a store that has come that far knows as
// it was in the end.
func (v *View) CompleteSince() uint64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.edge.since
}
