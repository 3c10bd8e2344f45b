// Package queue is the contest of queues between goroutines: ringbuf beside Go
// channels, the queues of xsync, and a ring under a mutex.
//
// Producers number their values, and the consumer looks at every number: what is
// lost, doubled or out of a producer's order is an error and no figure.
package queue
