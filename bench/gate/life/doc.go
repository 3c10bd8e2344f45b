// Package life holds a kernel that the gate measures: what an order costs the limit tree
// from its check to its end. It stands here, and not beside the tree's own benchmarks,
// because those build trees of a thousand accounts, which takes seconds a process.
package life
