// Package ringbuf moves values between goroutines without locks and without
// allocating: bounded queues, a broadcast ring, a one-value cell, and the means
// to wait for them.
//
//	SPSC       one producer → one consumer, every value delivered
//	MPSC       many producers → one consumer, every value delivered, full is refused
//	Broadcast  one producer → many readers; a slow reader loses values and is told
//	           exactly how many, unless it gates the producer
//	Cell       the latest value only: one writer, any number of readers
//	Waiter     how a consumer waits: spin, yield, park, or a little of each
//
// # Ownership
//
// The role, not the goroutine, is what counts: at any time at most one goroutine
// acts as the producer of an SPSC or Broadcast, as the consumer of an SPSC or
// MPSC, as the owner of a Reader or a Waiter, as the writer of a Cell. A role may
// be handed over through anything that orders memory (a channel, a mutex, the
// start of a goroutine). Methods say so where any goroutine may call them.
//
// # Memory order
//
// A cursor is published after the values it covers were written and read before
// they are. On amd64 that is what plain loads and stores already do (total store
// order), so a publication is a plain MOV there; on other processors, and under
// the race detector, every cursor is a sync/atomic operation. word_plain.go and
// word_atomic.go hold the two versions and the argument for the first.
//
// One case needs more than order: a producer that publishes and then looks
// whether the consumer sleeps, while the consumer announces its sleep and then
// looks whether something was published. Both must use a full barrier, so a ring
// with a Waiter attached publishes with one (XCHG on amd64), and a ring without
// does not pay for it. Publishing in batches spreads that price.
//
// # Layout
//
// Words written by different goroutines are at least 128 bytes apart: processors
// fetch lines of 64 bytes, and on x86 the spatial prefetcher fetches the
// neighbour of each as well. Each type shows its layout, and a test asserts the
// offsets.
//
// # Capacity
//
// Capacities are rounded up to a power of two and fixed. Nothing grows.
//
// # Imports
//
// ringbuf imports nothing else of this module.
package ringbuf
