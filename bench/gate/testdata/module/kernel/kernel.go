// Package kernel is what the gate's own test measures: a loop whose length and whose
// allocations the test changes.
package kernel

// rounds are changed by the test: a tenth more is a tenth slower.
const rounds = 1000

// Mix scrambles x so many times that its time is proportional to rounds.
func Mix(x uint64) uint64 {
	for range rounds {
		x = (x ^ x>>29) * 0xbf58476d1ce4e5b9
	}
	return x
}

// Box returns a box that stays on the stack.
func Box(x uint64) uint64 {
	b := [4]uint64{x, x + 1, x + 2, x + 3}
	return b[x%4]
}
