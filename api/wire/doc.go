// Package wire is the JSON of the API: what HTTP and WebSocket clients send and
// receive, encoded and decoded in one place so that the two never differ.
//
// # Encoding
//
// Encoders are append-style functions: AppendX(dst, …) appends one JSON value
// and returns the extended slice. They allocate nothing when dst has room, take
// no locks, and may be called from any goroutine. Prices, quantities and amounts
// of money are decimal strings with exactly the instrument's number of decimals;
// times are Unix nanoseconds as numbers; ids are numbers.
//
// A data frame of a channel is built in two steps, because its first part is the
// same for all frames of the channel:
//
//	prefix := wire.ChannelPrefix("bbo:sim:BTCUSDT") // once
//	b = wire.AppendHead(b[:0], prefix, seq, ets, rts)
//	b = wire.AppendBBO(b, in, &ev)
//	b = wire.AppendTail(b)
//
// # Decoding
//
// Decode reads one request object with a strict scanner that neither allocates
// nor guesses: an unknown or repeated field, a value of the wrong type, a number
// where a decimal string is wanted, an escape sequence, anything after the
// object or an object that is too large is refused with an Error that names the
// field and the byte. What it accepts, encoding/json reads in the same way; the
// fuzz test holds it to that.
//
// A Request refers to the bytes it was decoded from: it is valid as long as they
// are. Resolve turns names into ids and decimals into scaled integers.
//
// # Imports
//
// Of this module wire imports core, core/engine and core/history (the types it
// encodes) and risk (reasons). It does no I/O and knows nothing of connections.
package wire
