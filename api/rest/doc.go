// Package rest is the HTTP half of the API: orders and cancels in, and
// questions about markets, orders, positions and risk answered. docs/api.md is the
// interface as a client sees it.
//
//	s := rest.New(rest.Config{Directory: dir, Engine: e, View: v, …})
//	go s.Serve(listener)
//	…
//	err := s.Shutdown(ctx) // while the engine still runs
//
// # How a request is answered
//
// A command (an order, a cancel, a halt) is decoded and resolved here, handed to
// the engine's ring, and answered when the engine delivers the reply: the
// handler's goroutine waits for it. A question is answered from a read model,
// never by the order lane: orders and positions from engine.View, books, trades
// and candles from the hub, quotes from the quote table. Before it looks at the
// view, a handler waits until the view has caught up with what the engine had
// published, and with what clients had been told, when the question came: a
// client reads its own writes.
//
// # Who asks
//
// With a Gate (Config) every request but those on routes for anybody is somebody's (caller.go), and
// is let in by its row of the table (access.go). What accounts and strategies it is
// about is held against the caller's scope by each handler: commands by mayAct, owns and
// bind, lists by reach. Acts of administration are written down before they are done, what
// only reduces risk afterwards and by somebody else (acts.go).
//
// # Memory and store
//
// Lists have pages (page.go), which a cursor continues (cursor.go). The newest rows
// are in memory, in the view or the hub; beyond them a list goes on in the history,
// when there is one. Orders and executions are put together so that none is missed
// or doubled at the seam (ledger.go), market data likewise (ticks.go). A store that
// is slow or gone is asked only for what memory does not hold, and has a time limit.
//
// # Errors
//
// Every error is application/problem+json (RFC 9457) with a stable "code". A
// refusal by risk is a 422 with limit, value, unit and scope; a request that was
// not understood a 400 that names the field; a full command ring a 503
// "overloaded". What could be meant in two ways (a query beside a body, a filter
// that is empty or not known) is refused rather than guessed.
//
// # Ownership
//
// Handlers run on fasthttp's goroutines, one a connection. fasthttp reuses a
// request's memory when the handler returns: nothing here keeps any of it. A
// command's memory and its place in the engine's table of sinks (call) are taken
// from a pool that drops none and is bounded by the number of connections.
//
// # Allocation
//
// An order that is accepted, repeated or refused by the engine allocates nothing
// here (alloc_test.go). Questions, and requests that are not understood, do.
//
// # Imports
//
// core, core/engine, core/history, core/identity, core/market, risk, api/auth/…,
// api/forwarded, api/limit, api/wire, api/metrics, api/origin, api/spec, and api/hub for its errors. It knows the hub and the socket only by the interfaces
// it declares.
package rest
