//go:build race

package binance

// raceEnabled shortens the reading of captures, which the race detector makes
// ten times as long and finds nothing in: it is done by one goroutine.
const raceEnabled = true
