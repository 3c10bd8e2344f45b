// Package history is the vocabulary of what is kept after it happened: the rows
// that stores write and clients read back, and the questions that are asked of
// them.
//
// # Pages
//
// Every list is newest first and ends after Limit rows. The next page begins
// before the last row's key, which is unique and never changes, so that paging is
// stable while rows are added at the front:
//
//	rows, err := reader.Executions(ctx, history.ExecutionQuery{Account: a, Limit: 100})
//	next := history.ExecutionQuery{Account: a, Limit: 100, Before: rows[len(rows)-1].ID}
//
// A Limit that is not positive asks for nothing and gets it. From is the first instant that counts and To the first that does not; zero
// means unbounded.
//
// # Units
//
// Prices, quantities and amounts are integers of their instrument's scales, as
// everywhere in core. Seq is the sequence of the journal record that a row comes
// from.
//
// # Imports
//
// core only: stores, the order lane's tools and the API share it.
package history
