// Package backup makes copies of everything that is kept, from which an empty
// machine becomes what the old one was, and proves that it did.
//
//	qcat_backup_20241201_020000.sql.gz             the database as SQL text
//	qcat_backup_20241201_020000.sql.gz.sha256      for sha256sum -c
//	qcat_backup_20241201_020000.data.tar.gz        journal segments, snapshots, anchors of the audit log
//	qcat_backup_20241201_020000.data.tar.gz.sha256
//	qcat_backup_20241201_020000.json               what all that is: the Manifest
//
// The server runs on meanwhile. The database is dumped first and the journal copied
// after it, so that the journal has every record that the database has rows of:
//
//	             snapshot of the database                       end of the copy
//	journal ─────────────┬───────────────────────────────────────────┬──────► time
//	                     └─ Manifest.Positions ≤ Manifest.Data.Last ─┘
//
// # Use
//
//	m, err := backup.Create(ctx, backup.CreateConfig{Dir: dir, DataDir: data, Database: db})
//	r, err := backup.Verify(ctx, dir, m.Name)
//	r, err := backup.Restore(ctx, backup.RestoreConfig{Dir: dir, Name: m.Name, DataDir: data, Database: db})
//
// # Invariants
//
//   - A file is written under another name, synced, then renamed; the manifest comes
//     last. A backup without it is incomplete, and is never restored or counted.
//   - The sums in the manifest are of the very state that was dumped: both are read in
//     one transaction. A restore computes them anew from what it has written.
//   - A restore changes nothing that it cannot take back until everything has been
//     checked. What was there before is moved aside, never deleted.
//   - Only one process at a time writes in a folder of backups (flock).
//
// # Ownership
//
// Every function runs in its caller's goroutine, starts others only while it runs, and
// stops when its context does. Restore wants the data directory for itself: the caller
// holds its lock.
//
// # Imports
//
// persist/audit (the name of its file), persist/journal, persist/snapshot, persist/store, persist/postgres, persist/sqlite.
// pg_dump and psql are found on the machine.
package backup
