// Command report measures QCAT and prints the figures as Markdown, each with the
// workload it was taken on, in sections:
//
//	packages  the packages' own benchmarks
//	postgres  rows a second into Postgres beside bare CopyFrom of the same rows
//	peers     the journal beside other libraries (bench/peers, a module of its own)
//	wire      the scenarios of bench/wire against the real binary
//
// Figures of a shared machine drift from minute to minute: compare rows of one run,
// not of two.
package main
