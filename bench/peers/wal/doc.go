// Package wal is the contest of write-ahead logs: persist/journal beside those of
// other projects, on the same disk.
package wal
