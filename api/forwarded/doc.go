// Package forwarded finds the address of a client behind proxies.
//
// A proxy appends the address it was called from to X-Forwarded-For or Forwarded. What
// stands there is believed as far as it was written by a proxy that was configured:
// the header is read from its right end, and the first address that is not such a proxy's is
// the client's. What a client itself put into the header stands to the left of that, and
// is never looked at.
//
// # Imports
//
// Nothing of this module.
package forwarded
