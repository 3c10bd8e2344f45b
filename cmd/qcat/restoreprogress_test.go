package main

import (
	"strings"
	"testing"
	"time"

	"qcat/persist/backup"
)

// TestRestoreTellsHowFarItIs wants a line a phase and one every two seconds of it,
// not one a piece.
func TestRestoreTellsHowFarItIs(t *testing.T) {
	var out strings.Builder
	at := time.Unix(1, 0)
	tell := plainProgress(&out, func() time.Time { return at })
	for done := range int64(5) {
		tell(backup.Progress{Phase: "database", Done: done << 20, Total: 4 << 20})
		at = at.Add(time.Second)
	}
	tell(backup.Progress{Phase: "comparing the content"})
	want := "restore: database\nrestore: database: 50%, 2.0MiB of 4.0MiB\nrestore: database: 100%, 4.0MiB of 4.0MiB\nrestore: comparing the content\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
