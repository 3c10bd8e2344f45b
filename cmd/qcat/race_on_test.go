//go:build race

package main

// raceEnabled makes the binary under test be built with the race detector, too,
// and shortens what only takes longer with it.
const raceEnabled = true
