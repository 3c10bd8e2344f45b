// Package market is where the market-data lane and the order lane meet.
//
//   - QuoteTable holds the latest quote of every instrument. Feed lanes write it,
//     the engine reads it, and neither ever waits for the other.
//   - Source is one feed lane as its readers see it: a ring of events and a way to
//     ask for a snapshot.
//   - Tap follows all sources for one consumer goroutine and keeps a book per
//     instrument, which it repairs by itself after it was overrun.
//
// # Ownership
//
// Each instrument belongs to one lane, whose goroutine alone stores its quote and
// publishes its events. Any goroutine may load a quote. A Tap belongs to the
// goroutine that polls it.
//
// # Invariants
//
//   - A quote is read whole or not at all; a load never blocks a store (I5).
//   - A consumer that falls behind loses events, is told so, sees the affected
//     books as stale at once, and gets them back by a snapshot (I5, I7). The lane
//     does not notice.
//
// # Imports
//
// Of this module, market imports core, core/book and ringbuf: nothing that
// connects, stores or decides.
package market
