// Package audit keeps the audit log: who did what, from where, and what it changed. It
// is an identity.Auditor over either database, Postgres or the embedded one.
//
//	log, err := audit.Open(ctx, audit.Config{DB: db, Dialect: migrate.Postgres,
//		Master: master, Head: filepath.Join(dataDir, audit.HeadFile)})
//	err = log.Audit(ctx, &identity.AuditEntry{Actor: "anna", Action: "limits.change", …})
//	report, err := log.Verify(ctx, nil)
//
// The table is audit_log. The table audit is another: a projection of the order journal,
// which a Follower copies from.
//
// # Chain and anchors
//
// Entries are numbered from 1 without a gap, and each holds the hash of itself and of the
// entry before it (docs/format/audit-log.md). A chain alone proves little: whoever can
// write the table can make all of it anew. So the newest entry's number and hash are
// anchored in a file outside the database, sealed with a key that comes from the master
// key. Who changes the past of the log must change the file too, and needs the key for it.
//
//	Audit ── transaction: lock the head, insert, COMMIT ──► anchor: append a line, fsync ──► returns
//
// An anchor is written before Audit returns; of calls at the same time, one writes for
// all. After a crash the anchors may be behind by what was committed last, which is
// normal and said by Verify; they are never ahead, which is an alarm. An anchor that
// cannot be written does not undo the entry: Audit returns nil, Alarm and the program's
// log say why, and nothing is anchored on top of a file that was tampered with.
//
// # What waits, and what does not
//
// Audit waits for the database and the disk, some milliseconds, and for at most Timeout
// when the database is away. It is for what a person or a command does, where no entry
// means that it must not be done. A Recorder is for what must not wait, such as a kill, or
// what others can make happen as often as they like, such as a login that fails: it queues
// a bounded number of entries, and counts, in the log itself, those that found no room.
// Neither belongs on a market-data or order lane: what those do is in the order journal,
// and comes into the log by a Follower.
//
// # Several processes
//
// Appends take turns by the lock of the head's row (Postgres) or of the database (SQLite),
// anchors by flock on a file beside theirs. Processes on one machine share the file; one
// elsewhere has no Head, and leaves anchoring to the others: Anchor, called by a ticker in
// the server, covers its entries.
//
// # Nothing is ever deleted
//
// There is no retention. An entry is about 500 bytes unless it says before and after, each
// of which is cut at 16 KiB.
//
// # Ownership
//
// A Log and a Recorder are for any goroutine; a Follower is for one at a time. A Recorder
// has one goroutine of its own, which Close ends.
//
// # Imports
//
// core, core/identity; persist/migrate (the dialect) and persist/vfs (the lock).
package audit
