package store

// TableDigest sums up one table: how many rows, and the sum of the rows' hashes,
// which does not depend on their order.
type TableDigest struct {
	Table string
	Rows  uint64
	Sum   [2]uint64 // 128 bits, little end first, wrapping
}

// Digest sums up a store, one entry a table, in a fixed order.
type Digest struct{ Tables []TableDigest }
