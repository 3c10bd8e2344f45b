package journal

import (
	"sync/atomic"

	"qcat/core/hist"
)

// Stats counts what a log does. Histograms and counters are read by any goroutine
// while they are written.
type Stats struct {
	Sync    hist.Histogram // ns a sync of the newest segment took
	Write   hist.Histogram // ns a write of a batch took, without its sync
	Records hist.Histogram // records a commit

	Commits   atomic.Uint64 // batches written
	Bytes     atomic.Uint64 // of batches, with their headers
	Rolls     atomic.Uint64 // segments begun
	Deleted   atomic.Uint64 // segments deleted by retention
	Lost      atomic.Uint64 // records in those of them that a Hold still needed: Options.Lossy
	Full      atomic.Uint64 // records that Append had no room for
	DiskFull  atomic.Bool   // there is no room for another segment now
	DiskFulls atomic.Uint64 // times that began
}

// Gauges are the positions of a log at one moment.
type Gauges struct {
	First, Committed, Durable uint64 // sequences
	Segments                  int
	Bytes                     int64  // of all segments' files
	Buffered                  int    // bytes appended, or skipped, and not yet written
	Capacity                  int    // of the buffer, bytes
	Published                 uint64 // last sequence handed to the committer
	LastTime                  int64  // of the last record committed, Unix ns; 0 when there is none
	Err                       error
}
