// Command profile takes a profile of a server at work, writes it to a file and prints
// where the time went.
//
//	go run ./bench/profile -binary bin/qcat -seconds 10
//
// starts the demo with a busy simulated market and loads it: WebSocket clients that
// follow quotes, trades and depth, and orders at a fixed rate that take from the book by
// turns on both sides. With -debug the profile comes from a server that runs already and
// is left to its own load:
//
//	go run ./bench/profile -debug 127.0.0.1:6060 -kind heap
//
// The load is one to look at, not to measure: it shares the machine with the server, and
// says no more than how much of it was answered. Latencies are bench/wire's.
package main
