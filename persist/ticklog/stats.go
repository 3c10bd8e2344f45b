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
