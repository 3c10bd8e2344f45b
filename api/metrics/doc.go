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
// Register everything before the first scrape. Route and Handler are safe for
// concurrent use; the functions handed to Counter, Gauge and Stage are called on
// the scraping goroutine and must be so too.
//
// # Imports
//
// core/hist and prometheus/client_golang, which is imported here only.
package metrics
