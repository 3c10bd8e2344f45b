// Package metrics is what /metrics shows: the HTTP counters that the API keeps
// itself, and everything else read at the moment of a scrape from the counters
// and histograms that the parts of the server keep for themselves.
//
// Nothing on a hot path knows this package: a stage records into a hist.Histogram
// it owns, and the scrape merges and converts them (I1).
//
// # Imports
//
// core/hist and prometheus/client_golang, which is imported here only.
package metrics
