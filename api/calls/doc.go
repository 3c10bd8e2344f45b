// Package calls writes a line "API call" for each request of the API, so that whoever
// answers a request neither waits for the log nor allocates for it.
//
// A handler leaves what is to be said in a ring: no lock, no wake-up, and when the ring is
// full the call is counted as lost. Run takes calls out every few tens of milliseconds and
// logs them. Beyond so many lines a second those of one route, method and status share
// one line, at the end of that second, which says how many calls they were: the sum over
// all lines is the number of calls, but for those that Lost counts.
//
//	log := calls.New(calls.Config{Log: zap, Lines: 1000})
//	go log.Run(ctx)
//	log.Add(&calls.Call{Method: "GET", Route: "/api/v1/orders", Status: 200, …})
//
// # What a line says
//
//	method, route, status   the route, never the path or the query of the request
//	took                    from the request's being read to its answer's being ready
//	user, key               who, by name and id of the key; left out for nobody
//	address                 the client's, behind proxies that are trusted
//	calls                   how many, on a line that stands for more than one
//
// No body, header, token or signature is ever handed to this package.
//
// # Imports
//
// core, ringbuf and zap.
package calls
