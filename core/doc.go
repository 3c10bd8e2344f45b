// Package core holds the nouns of the field that every other package speaks:
// instruments, prices, quantities and notionals in fixed point, the 64-byte
// market-data event, quotes, orders, executions, positions and time.
//
// # Numbers
//
// Price and Qty are int64 counts of 10^-PriceScale and 10^-QtyScale of their
// instrument; Notional is an int64 count of 10^-SettleScale of the currency the
// instrument settles in. Products are taken in 128 bits and every rounding is
// named. No value that decides or records something is ever a float (I9).
//
// # Ownership
//
// Everything here is a value or is immutable once published, except Directory,
// which is safe for concurrent use: one writer at a time, wait-free readers.
//
// # Imports
//
// core imports nothing else of this module.
package core
