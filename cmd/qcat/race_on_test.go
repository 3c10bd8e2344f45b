//go:build race

package main

// raceEnabled makes the processes under test that are concurrent have the race detector,
// too, and shortens what only takes longer with it.
const raceEnabled = true
