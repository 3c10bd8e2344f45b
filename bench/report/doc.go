// Command report measures QCAT and prints the figures as Markdown, each with the
// workload it was taken on, in sections:
//
//	packages  the packages' own benchmarks
//	postgres  rows a second into Postgres beside bare CopyFrom of the same rows
//	peers     QCAT beside other libraries, job by job (bench/peers, a module of its own)
//	wire      the scenarios of bench/wire against the real binary
//	answer    one table: each job, what it was held against, what is to be reached, and
//	          whether it is
//
// The answer is made of what the sections before it have measured in the same run; what
// they have not, because they were not asked for, it measures itself, in minutes:
//
//	go run ./bench/report -only answer
//
// Figures of a shared machine drift from minute to minute: compare rows of one run,
// not of two.
package main
