// Command wire measures the server from outside, in scenarios:
//
//	latency   from a venue's socket to a client's (tick to client), and from a POST to
//	          its answer (order to acknowledgement, in each --journal-sync mode)
//	ladder    rates of ticks and of orders (HTTP, WebSocket) that rise until one is too
//	          much, each beside the floor of the same moments, with what the server used
//	          and allocated; -svg plots it
//	fanout    one busy channel and up to 10 000 clients of it, each held to every
//	          sequence number: at a fixed rate, saturated, and with others that
//	          subscribe, unsubscribe and reconnect beside them
//	scale     what a tick costs over the number of instruments, and an order over the
//	          number of accounts
//	stores    the same two under load while Postgres, and then Redis, is stopped
//	          (SIGSTOP): before, during and after it, side by side; afterwards the rows
//	          in Postgres must be those of the logs, by count and hash
//	restart   the time and the memory of a start on a journal of many records, without
//	          a snapshot, with one of its middle, and after an orderly stop
//
// Every load has a fixed rate, and a latency counts from when an event was due.
// Beside it stands, in the same run, what the machine needs without the server: a
// bare TCP echo or relay, a bare fasthttp handler, a bare group commit on the same
// disk, a word between two cores. Floors of ladder and fanout are processes of their
// own, as the server is, and carry the same bytes between the same clients.
//
// The load generator, the venue, the clients, the server and the stores share the
// machine. Postgres and Redis of the scenario stores are servers of its own, in a
// temporary directory: nobody else's is stopped. The exit code is not 0 when an
// order was not answered, a row is lost, doubled or other than the log's, or a tick came
// twice or out of order.
package main
