// Package signature verifies requests that a program signed with its API key.
//
// Signed are the bytes as they were received, nothing is parsed and written again; which,
// api/auth/signing says:
//
//	timestamp "\n" window "\n" nonce "\n" METHOD "\n" request target "\n" body
//
// timestamp and window are milliseconds in decimal; a window that was not sent is
// empty here and 5000 by the rules. None of the first five can hold a line feed, so
// no two different requests have the same signed bytes.
//
// # Rules
//
// A request is in time if timestamp < now+1s and now−timestamp ≤ window, with a window
// of 1 ms to 60 s. A nonce is taken once for as long as a request that carries it could
// be in time; Nonces remembers it for exactly that long and refuses what it has no
// room to remember.
//
// # Costs
//
// Verifying an HMAC takes less than 2 µs and allocates nothing; Ed25519 takes tens of
// microseconds.
//
// # Imports
//
// Nothing of this module but core and api/auth/signing.
package signature
