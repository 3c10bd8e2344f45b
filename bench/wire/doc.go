// Command wire measures the server from outside: from a venue's socket to a
// client's (tick to client), and from a POST to its answer (order to
// acknowledgement), each at a fixed rate with the latency counted from when an
// event was due, and beside it, in the same run, what the machine needs without
// the server: a bare TCP echo and a bare fasthttp handler.
//
// The load generator, the venue, the clients and the server share the machine.
package main
