//go:build race

package book

// raceDetector slows the captures down tenfold and finds nothing in code that
// has one goroutine: under it the smaller one stands for both.
const raceDetector = true
