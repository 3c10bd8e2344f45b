// Command qcat is QCAT's one binary: the server, the tools around captures and
// the risk officer's switches. This package parses settings and wires the other
// packages together; it decides nothing about markets, orders or risk.
//
// The goroutines of `qcat serve` and what joins them are drawn in ARCHITECTURE.md.
package main
