// Package record defines the records of the journal and their binary form: what
// the sequencer writes and what replay and the stores read.
//
// A record is the input of one sequenced command, with everything that was read
// from outside to decide it (the time, the quote the check used, whether the
// venue could take orders), and the outcome. Replay feeds the input through the
// same code and requires the same bytes to come out.
//
// The form is little-endian, has a version and one encoding for each value:
// Decode refuses what Append would not have written, so that equal records are
// equal bytes and the reverse. docs/format/journal-records.md holds the tables.
//
// Framing, checksums and durability are the journal's.
//
//	var r record.Record
//	r.Header = record.Header{Type: record.TypeClock, Seq: 7, Time: now}
//	r.Clock = record.Clock{Expired: 2}
//	buf = r.Append(buf[:0])
//	err := record.Decode(buf, &r)
//
// A Record belongs to one goroutine; Append and Decode keep no reference to the
// bytes and do not allocate, except Decode for the names of definitions and the
// fields of limits.
//
// # Imports
//
// record imports core only. Reasons, scopes and limits stand here as the numbers
// they are recorded as; the sequencer converts.
package record
