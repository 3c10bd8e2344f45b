// Package sqlite is the embedded store: the rows of the order journal and of the
// tick log in one SQLite file beside them, without a server.
//
//	follower, journal ─┐            ┌─ writer: one connection, BEGIN IMMEDIATE
//	follower, ticks  ──┼─► Store ───┤
//	pruner ────────────┘            └─ readers: a pool, query_only ──► history, digests
//
//	s, err := sqlite.Open(ctx, sqlite.Config{Path: "data/qcat.db", Log: log})
//	defer s.Close()
//
// # What a crash costs
//
// Rows and the position they come from are one transaction (I6), and a follower
// that finds an older position writes the rows again from the log. What a commit
// is worth differs:
//
//	stream   synchronous                        a killed process loses  a power cut loses
//	journal  FULL every SyncEvery, else NORMAL  no row                  rows that the journal still has
//	ticks    NORMAL                             no row                  the rows after the last sync
//
// The disk is the order journal's first: each sync of this file is one that an
// acknowledgement may have to wait behind, and what it protects stands in the journal
// already. A journal segment may be deleted once the stores have passed it, so that the
// position must not fall back behind what was reported: Synced tells the follower how
// far a power cut leaves it, and only up to there lets it go of the journal. A sync of
// the WAL covers all commits before it, so that one batch in SyncEvery is enough.
// The tick log is not synced itself, and nothing is owed to it: its rows wait for
// the next checkpoint or the next sync of the journal's, whichever comes first. The
// file is whole after either: WAL mode never writes a page in place before the log
// that can restore it is synced.
//
// # Bounds
//
// The WAL is folded in every 1000 pages and cut to at most 64 MiB once no reader
// holds on to it; Close leaves none. Trades, quotes and one-second candles are
// deleted when they are older than Config.KeepTicks, in small transactions between
// those of the followers; freed pages are used again, so that the file stops
// growing. Everything else is kept for good.
//
// # Ownership
//
// One mutex orders the users of the writer connection: the two followers and the
// pruner, a goroutine of the Store. Readers never wait for it. Other processes may
// read while this one writes, and a second writer is not corrupted but refused by
// position.
//
// # Dump and restore
//
// Dump writes the content as SQL text, Restore reads it into an empty file; backups
// are made of the two.
//
// # Imports
//
// core, core/history, persist/store, persist/migrate.
package sqlite
