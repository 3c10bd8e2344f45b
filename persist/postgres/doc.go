// Package postgres keeps the rows of both logs in Postgres 14 or newer.
//
//	db, err := postgres.OpenDB(ctx, cfg.URL)            // to migrate
//	_, err = migrate.Up(ctx, migrate.Postgres, db)
//	s, err := postgres.Open(ctx, cfg)                   // a store.Store
//	defer s.Close()
//
// # A write
//
// One batch is one transaction on the stream's own connection:
//
//	1 pipeline  BEGIN, position: seq = To where seq = From-1, DELETE of changed orders, upserts
//	n COPYs     binary, encoded from the rows into the socket's buffer
//	1 pipeline  ranges of keys per partition, COMMIT
//
// The row of the position is the lock that makes two writers take turns: a batch whose
// COMMIT was sent, but whose answer was lost, is either seen by Position or holds up the
// second attempt until it is known; that one then finds another position and is refused.
// Every error but ErrPosition and ErrForeign closes the connection, so that a failed
// transaction never has a successor in it.
//
// # Exactly once
//
// The large tables have no unique key to enforce it, and need none: rows come from a log
// in which each is once, and a batch's rows and the position become visible together (I6).
// Orders change: one that is open stands in orders_open, is deleted there when it
// changes, and is copied to where it now belongs. Below last_order, the highest id ever
// stored, what orders_open does not have is closed already: a late fill deletes that
// row and copies it anew.
//
// # Partitions
//
// orders, executions, risk_events, trades and quotes have a partition for each day, made two
// days ahead and whenever a batch has rows for another day, in a transaction of their own
// under an advisory lock. partition_ranges says which keys each holds: readers page by key
// and open only the partitions that can have some.
//
// # A page
//
// The newest rows are read from windows of keys, the first as wide as the page should need
// by the density of the newest partition, each next one four times as wide. BRIN indexes cut
// a window out of a day without sorting it. All windows of a page see one snapshot. A range
// of time narrows the days whose partitions are opened. What has its own few rows (an order,
// a client order id) is not sought by its account.
//
// A range of blocks that a worker was summarising when the server was killed, or the worker
// cancelled, stays unsummarised, and those behind it are read as well: a day that answers
// slowly afterwards is healed by REINDEX INDEX CONCURRENTLY of its BRIN index.
//
// # Numbers
//
// Prices, quantities and amounts are NUMERIC with their instrument's decimals, encoded from
// and decoded to integers: no float, no big.Int. A number that is no count of its
// instrument's unit is an error when it is read, not a rounded value.
//
// # Failures
//
// Each write and each read has a deadline, the server has shorter ones of its own, and a
// connection whose other end is gone is found by TCP_USER_TIMEOUT on both sides. A writer that
// lost its connection ends the server's process of the old one before it begins anew, so
// that nothing holds the position's row. It has to reach Postgres itself for that: no
// pooler between, which would not let the startup parameters of config.go pass either.
//
// # Ownership
//
// Write belongs to the stream's follower; calls for one stream take turns. Everything else is
// for any goroutine, and has a pool of read-only connections.
//
// # Imports
//
// core, core/history, persist/store, persist/migrate (the schema's version). pgx lives here.
package postgres
