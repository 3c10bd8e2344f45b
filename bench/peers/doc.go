// Command peers measures QCAT beside well-known libraries that do the same job,
// in one run, in turns, on the same bytes:
//
//	journal   records committed to disk: etcd's WAL, tidwall/wal, pebble
//
// It is a module of its own, so that none of them is a dependency of QCAT. Every
// peer's result is checked: what was written is read back and counted.
//
// A round lets every contestant run once; the table gives the median of the rounds
// and the ratio to the best peer, since the machine drifts from minute to minute.
package main
