// Command report measures QCAT and prints the figures as Markdown: each with
// the workload it was taken on. It runs the packages' own benchmarks and then
// the scenarios of bench/wire against the real binary.
//
// Figures of a shared machine drift from minute to minute: compare rows of one
// run, not of two.
package main
