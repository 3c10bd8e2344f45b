// Package faultfs is a file system in memory that fails like a real one: it keeps
// what was not synced apart and loses a random part of it in a crash, runs full,
// returns errors, and stops at a chosen call.
//
//	fsys := faultfs.New()
//	fsys.CrashAt(17)                       // the 17th call that changes something is the last
//	…                                      // the program under test meets ErrCrashed
//	disk := fsys.Crash(seed)               // what a power cut leaves
//	…                                      // recover from disk
//	fsys.Revive()                          // or: the process alone died
//
//	fsys.Inject(faultfs.FailSync(3, syscall.EIO))
//	fsys.SetCapacity(1 << 20)              // ENOSPC beyond
//
// # What a crash leaves
//
// Of each sector of 512 bytes one version: any that was written since the last
// Datasync, or the one that it made durable. Sectors are independent of each other.
// The size is any between that of the last Datasync and the present. Of what
// happened to names since the last SyncDir any part: each creation, renaming and
// removal has taken place or not; a renaming is one step. A Datasync that fails
// leaves what it should have written readable and never durable, as Linux does: a
// second one that succeeds does not change that.
//
// # Goroutines
//
// None. Any goroutine may call; a lock serialises the calls, but for the hook.
//
// # Imports
//
// persist/vfs.
package faultfs
