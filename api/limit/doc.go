// Package limit bounds how often somebody may do something: requests by key, user and
// address (Limiter), and attempts that failed (Backoff).
//
// # Memory
//
// Both keep a fixed table that never grows, whoever comes. An entry that holds no
// information, a bucket that is full again or a failure that is forgotten, may be
// written over at any time. One that holds some never is: nobody gets a new bucket by
// pushing out the old one. Whoever finds no free entry in its set of eight shares the
// set's ninth with all others that found none. The sets are chosen by a hash under a
// secret of the process, so that nobody can choose neighbours.
//
// # Costs
//
// A look-up is a hash, one lock that 1/8192 of all clients share, and eight
// comparisons. Nothing is allocated.
//
// # Imports
//
// core.
package limit
