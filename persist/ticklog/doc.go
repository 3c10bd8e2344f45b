// Package ticklog writes market data down: the records of the tick log and the
// goroutine that makes them of the lanes' events.
//
//	lane 0 ring ─┐
//	lane 1 ring ─┼─ readers ─► Writer (one goroutine) ─► journal.Log, bounded by size and age
//	lane n ring ─┘             trades, marks; quotes at most one an instrument and interval
//
// Depth levels and status events are not recorded: the log feeds the tables of
// trades, quotes and candles, and a book of the past is what captures are for.
// docs/format/tick-records.md holds the tables.
//
// # Invariants
//
//   - The market-data lane is never slowed (I5): the readers do not gate, and a
//     Writer that cannot keep up loses events, not the lane time.
//   - What is lost is in the log: a gap record says how much, from when to when
//     and why, before the first record that follows the loss.
//   - Sequences are 1, 2, 3, … without a hole, and the times of headers never go
//     back. Receive times in the records do, by little: lanes are read in turns, and
//     a quote is written when its interval is over.
//   - Nothing is allocated per event.
//
// # Codec
//
//	var r ticklog.Record
//	r.Header = ticklog.Header{Type: ticklog.TypeMark, Seq: 7, Time: rx}
//	r.Mark = ticklog.Mark{Instrument: 3, Price: 6500010}
//	buf = r.Append(buf[:0])
//	err := ticklog.Decode(buf, &r)
//
// A Record belongs to one goroutine; Append and Decode allocate nothing.
//
// # Imports
//
// core, core/record (for the error of a full log) and ringbuf. Not core/market:
// the wiring hands over each lane's ring as a Source.
package ticklog
