// Package journal is an append-only segmented log.
package journal
