// Package pgtest gives tests a Postgres of their own.
//
//	store, err := postgres.Open(ctx, postgres.Config{URL: pgtest.URL(t)})
//
//	srv := pgtest.Start(t) // to be stopped, killed and paused
//	srv.Pause()
//
// URL makes a fresh database on the server of DATABASE_URL, or else on one server
// that this test binary starts for all its tests. Start starts a server for the
// caller alone.
//
// A server that was started here lives in a temporary directory, listens on a free
// port of 127.0.0.1, syncs for real and ends with the test binary, however that
// ends: a small shell process waits for the binary's end of a pipe, stops the server
// and removes the directory. When run as root, the server runs as the user postgres or
// nobody, because Postgres refuses to run as root.
//
// The binaries are looked for in QCAT_POSTGRES_BIN (a directory), PATH and
// /usr/lib/postgresql/*/bin. Without them a test is skipped, or fails when
// QCAT_REQUIRE_SERVICES is 1.
package pgtest
