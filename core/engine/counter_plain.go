//go:build amd64 && !race

package engine

// bump adds one to a counter that only the engine's goroutine writes. An aligned 64-bit
// store is indivisible on amd64 and stores become visible in program order, so a plain
// one does, where an atomic one would be a locked instruction.
func (c *Counter) bump() { c.n++ }
