// Package password keeps passwords as argon2id hashes and checks them.
//
// # Costs
//
// A hash takes 19 MiB and tens of milliseconds (m=19456 t=2 p=1). No more than a few
// are under way at once, and no more than a few wait for that: the others are told that the
// server is busy, before they cost anything. A name that is unknown and one that cannot
// log in cost the same work as a wrong password.
//
// # Imports
//
// Nothing of this module; argon2 of golang.org/x/crypto is imported here only.
package password
