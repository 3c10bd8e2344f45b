// Command dashboards writes Grafana's dashboards, deploy/grafana/dashboards/*.json:
//
//	cd deploy/check && go run ./dashboards
//
// A dashboard is a list of panels in the order in which they are read; where a panel lies,
// its id and the letters of its queries follow from that list, so that a change of one
// panel is a change of a few lines. What Grafana loads are the committed files; a test
// holds them against this program.
//
// Every panel says what it shows and when to worry. Every query answers with a zero where
// there is nothing to count: an empty panel means that something is broken.
//
// # Imports
//
// The standard library alone.
package main
