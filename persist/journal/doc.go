// Package journal is an append-only log of records in segment files: group-committed
// and synced, recovered after any crash, read while it is written. It holds the
// order journal, where nothing that was acknowledged may be lost, and the tick log,
// which is bounded and not synced. docs/format/journal-segments.md has the tables.
//
//	engine ──Append──► ring of bytes ──Flush──► COMMITTER ──pwritev, fdatasync──► segment
//	   ▲                 bounded                   │
//	   └────────────── Committed, Notify ──────────┤
//	followers ◄─────── Committed, Watch ───────────┘          pread ──► Reader
//
// # What may be lost
//
//	mode    committed means        process crash   power cut, kernel crash
//	always  fdatasync returned     nothing         no record
//	batch   it is in the page      nothing         what was committed since the last sync:
//	        cache                                  BatchInterval (50 ms) and the sync's time
//	os      it is in the page      nothing         what the kernel had not written yet, up to a
//	        cache                                  segment: some 30 s of it as Linux is set up
//
// This is of what was committed; what was appended and not yet committed was
// acknowledged to nobody and may be lost in every mode. What survives is a prefix,
// in every mode. In batch and os a follower that survives the power cut must not run
// ahead of what the log keeps: it reads with NewDurableReader.
//
// # Commit
//
// Append copies a frame into a ring: no lock, no allocation, no system call. Flush
// publishes what was appended. In batch and os it also writes it to the page cache, as a
// rule: that may take as long as the kernel makes a writer wait that is ahead of its disk.
// The committer, or in always who calls Commit, takes everything that waits as one
// batch, fills in the checksums, writes it with one call into a segment that was
// filled with zeros beforehand, so that the sync has no metadata to write, syncs,
// and publishes Committed. Only room on the disk is kept where records come faster
// than zeros can be written. There is one batch in flight at most. While a sync takes
// its time the ring fills; when it is full Append returns ErrFull.
//
// # Invariants
//
//   - A batch header says what had been synced when it was written. So a torn end is
//     told from damage: what is broken is torn, and cut, unless a header behind it
//     proves that it had been synced. Then Open refuses, with file and offset.
//   - A segment that has a header proves that the ones before it are whole: it is
//     begun after they were synced, in every mode, and its header is synced before
//     the next one is.
//   - After a write or sync that failed, nothing is committed, and the descriptor is
//     not used again: a second sync may succeed without having written anything. For
//     the same reason Open writes again what nothing proves to have been synced.
//   - What Append has taken has its room on the disk (in always and batch): a full disk
//     refuses records, it does not lose them.
//   - Records have consecutive sequences and times that never descend, across segments.
//   - A segment is deleted only when every Hold has passed it, and the oldest first.
//
// # Use
//
//	log, err := journal.Open(journal.Options{Dir: dir})
//	log.Opened()                             // what was found, and what was cut
//	for rec, err := range log.Records(log.First(), 0) { … }
//
//	seq, err := log.Append(rec)              // rec begins with a record.Header
//	err = log.Flush()
//	log.Notify(f)                            // called when log.Committed() advances by itself
//
//	hold := log.Hold("postgres")
//	r, err := log.NewReader(position + 1)
//	for rec, ok, err := r.Next(); …          // ok is false when there is nothing yet
//	hold.Advance(stored)
//	err = log.Retain()                       // once all holds are made
//
// # Goroutines
//
//	committer  one a log: writes, syncs, publishes; begins segments. Whoever commits holds its lock
//	keeper     one a log: makes the next segment ahead, deletes old ones
//	appending  one at a time, of the caller's: Append, Flush, Publish, Close
//	any        Commit: one batch, written and synced where there is nobody at it
//	readers    any number, each with its own Reader and descriptor
//
// # Imports
//
// core, core/hist, core/record (for the header's length and ErrFull), ringbuf,
// persist/vfs, zap as an injected logger off the hot path.
package journal
