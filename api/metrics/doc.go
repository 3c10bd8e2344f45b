// Package metrics is what /metrics shows: the HTTP counters that the API keeps
// itself, and everything else read at the moment of a scrape from the counters
// and histograms that the parts of the server keep for themselves.
//
//	r := metrics.New()
//	orders := r.Route("POST", "/api/v1/orders") // once
//	orders.Observe(201, took)                   // each request
//	r.Counter("qcat_executions_total", "Fills recorded.", nil, stats.Executions.Load)
//
// Nothing on a hot path knows this package: a stage records into a hist.Histogram
// it owns, and the scrape merges and converts them (I1). A request looks up no
// series by its labels: Route has them.
//
// # Bounds
//
// The number of series is that of methods, paths and statuses that the program
// itself names. What a client makes up never becomes a label.
//
// # Ownership
//
// Everything is safe for concurrent use, and series may come while scrapes go on. What
// the functions that are handed over read, they read on a goroutine of a scrape, one
// scrape at a time, whatever else goes on.
//
// # Imports
//
// core/hist and Prometheus' libraries, which are imported here only.
package metrics
