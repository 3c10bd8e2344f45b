// Package auth decides who somebody is and what they may do. It knows no HTTP: routes,
// sockets and commands call it, and everybody calls the same code.
//
//   - Gate turns a token, a signed request or a password into a Principal, and keeps sessions.
//   - Principal answers what it may, as long as it is alive.
//   - Directory is what a server knows of users, keys and sessions.
//   - Service creates and changes them, for principals that may, and writes the audit log.
//
// # What takes effect when
//
// A change that is made through this process holds for the next request: the principals it
// concerns end, and the channels that their sockets wait on are closed, before the
// call returns. One that another process made is seen at the next Poll, four times a second.
// A session that another process began is known here from then on.
//
// # When the store does not answer
//
// Keys and access tokens that are known go on: a halt must be possible while the database is
// away. A login, a refresh and every change of a user or key needs the store and is refused as
// auth.unavailable; after 30 seconds without an answer logins are refused without asking. What
// another process revokes meanwhile is not known here until the store is back.
//
// # Lock-out
//
// Logins that fail lock the name and the address, from a second on to 15 minutes. Where a user
// has logged in before, as far as this process knows, neither lock holds: their failures there
// are counted apart. So nobody keeps users out by failing in their name; one who is new to an address may
// have to wait.
//
// # Replays across a restart
//
// Nonces live in memory. A Gate therefore refuses requests that were stamped before it
// began, and in its first second those that a client's clock could have stamped so: as
// auth.starting, to be sent again with a new stamp.
//
// # Costs
//
// A request with a token that was seen before, and one that was signed with an HMAC, cost less
// than 2 µs and allocate nothing.
//
// # Goroutines
//
// Everything here may be called from any goroutine. Directory.Run is one goroutine of the
// caller's, and has one of its own, which ends first.
//
// # Imports
//
// core, core/identity, api/limit and the packages below this one; xsync is imported here only.
package auth
