package journal

import "time"

// Opened is what Open found and did.
type Opened struct {
	First, Last uint64 // sequences there are; Last is First-1 when there is none
	Segments    int
	Bytes       int64         // of headers and batches
	Took        time.Duration // by Options.Clock
	Created     bool          // there was no log
	Cuts        []Cut         // what was taken off the end, none after an orderly Close
}

// Cut is a torn end that was taken off: it had not been synced when the machine
// or the process stopped, and so had not been acknowledged as Options.Sync says.
type Cut struct {
	File   string
	Offset int64  // of the first byte that does not count
	Bytes  int64  // from there to the last one that was not zero
	After  uint64 // the last sequence that is kept
	Why    string
}
