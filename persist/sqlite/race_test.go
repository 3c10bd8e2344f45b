//go:build race

package sqlite_test

// slowdown divides the work of long tests: SQLite is some twenty times slower here.
const slowdown = 5
