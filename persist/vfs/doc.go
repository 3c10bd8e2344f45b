// Package vfs is the part of a file system that the journal and the snapshots
// need, with the guarantees of each call in its comment: what survives a crash of
// the process, what survives a power cut.
//
// There are two: OS, the machine's, and faultfs.FS, which lives in memory, keeps
// what was not synced apart, and can lose a random part of it.
//
//	var fsys vfs.FS = vfs.OS{}
//	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
//	n, err := f.WriteV([][]byte{head, body}, off)
//	err = f.Datasync()         // the bytes survive
//	err = fsys.SyncDir(dir)    // and so does the name
//
// # What is assumed of a disk
//
// A sector of 512 bytes is written as a whole or not at all. What was synced does
// not change when something beside it is written. Without a sync any part of what
// was written may be there after a power cut, in any order.
//
// # Goroutines
//
// The package starts none and keeps no state.
//
// # Imports
//
// vfs imports nothing of ours.
package vfs
