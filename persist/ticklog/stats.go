package ticklog

// Stats counts what a Writer has done since it was made.
type Stats struct {
	Events          uint64 // read from the rings, of every kind
	Trades          uint64 // records
	Quotes          uint64 // records
	Marks           uint64 // records
	Gaps            uint64 // records
	QuotesConflated uint64 // quotes that a later one of their interval replaced
	Overruns        uint64 // times that a lane was a lap ahead
	Lost            uint64 // events that were overwritten unread
	Dropped         uint64 // records that the log did not take or keep
}

// Stats returns the counters as of the last turn. Any goroutine.
func (w *Writer) Stats() (s Stats) {
	w.published.Load(&s)
	return s
}

// Backlog is how far the Writer is behind the lane it is behind most, as a part of a lap
// of its ring, 0 to 1; at 1 it has been lapped. Any goroutine.
func (w *Writer) Backlog() (most float64) {
	for i := range w.lanes {
		l := &w.lanes[i]
		most = max(most, float64(l.reader.Lag())/float64(l.ring.Cap()))
	}
	return min(most, 1)
}
