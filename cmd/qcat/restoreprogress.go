package main

import (
	"fmt"
	"io"
	"time"

	"qcat/persist/backup"
)

// restoreProgress tells how far a restore is: a line that is drawn anew on a
// terminal, elsewhere a line a phase and one every few seconds. done ends it.
func restoreProgress(w io.Writer) (tell func(backup.Progress), done func()) {
	if !isTerminal(w) {
		return plainProgress(w, time.Now), func() {}
	}
	phase := ""
	update, end := progressLine(w, "")
	return func(p backup.Progress) {
		if p.Phase != phase {
			end()
			phase = p.Phase
			update, end = progressLine(w, phase)
		}
		update(p.Done, p.Total)
	}, func() { end() }
}

// plainProgress writes a line when a phase begins, and one every progressEvery of it.
func plainProgress(w io.Writer, now func() time.Time) func(backup.Progress) {
	phase, last := "", time.Time{}
	return func(p backup.Progress) {
		switch at := now(); {
		case p.Phase != phase:
			phase, last = p.Phase, at
			fmt.Fprintf(w, "restore: %s\n", phase)
		case p.Total > 0 && at.Sub(last) >= time.Duration(progressEvery):
			last = at
			fmt.Fprintf(w, "restore: %s: %d%%, %s of %s\n", phase, percent(uint64(p.Done), uint64(p.Total)),
				byteSize(p.Done).rounded(), byteSize(p.Total).rounded())
		}
	}
}
