package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"qcat/bench/process"
)

// restartPatience is how long a start with a long past may take.
const restartPatience = 30 * time.Minute

// pastFlags are those of a server that goes on with a past: it keeps its open
// orders, and takes no snapshot by itself.
var pastFlags = []string{"--demo", "--sim-rate", "10", "--no-tick-log", "--no-cancel-on-shutdown", "--shutdown-timeout", "5s",
	"--snapshot-records", "1000000000000", "--snapshot-interval", "100000h"}

// restartRows is the scenario restart.
func restartRows(ctx context.Context, w io.Writer, set settings) error {
	base, err := os.MkdirTemp("", "qcat-restart-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(base) }() // scratch
	origin := filepath.Join(base, "past")
	p, err := makePast(ctx, origin, set.records, set.open)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Restart: a journal of %d records (new, amend, cancel, venue reports of %d instruments, %d accounts), %.2f GiB of files (%d B a record, with what is filled ahead), %d open and %d closed orders; written in %v; in the page cache.\n\n",
		p.last, pastInstruments, pastAccounts, gib(p.bytes), p.bytes/int64(p.last), p.open, p.closed, p.took.Round(time.Second))
	fmt.Fprintln(w, "| start | snapshot at | replayed | until /ready | records/s | peak RSS |\n|---|---:|---:|---:|---:|---:|")
	whole, err := startOn(ctx, set.binary, filepath.Join(base, "whole"), &p)
	if err != nil {
		return err
	}
	_ = whole.Kill()
	if err := whole.row(w, "whole journal", &p, 0); err != nil {
		return err
	}
	half := p.last / 2
	if err := p.snapshotAt(half); err != nil {
		return err
	}
	mid, err := startOn(ctx, set.binary, filepath.Join(base, "half"), &p)
	if err != nil {
		return err
	}
	if err := mid.Stop(); err != nil { // in order, with a snapshot of the end
		return err
	}
	if err := mid.row(w, "snapshot half-way", &p, half); err != nil {
		return err
	}
	last, err := startAgain(ctx, set.binary, mid.Dir)
	if err != nil {
		return err
	}
	_ = last.Kill()
	return last.row(w, "after an orderly stop", nil, last.Recovered.JournalSeq)
}

// timed is a server whose start was timed.
type timed struct {
	*process.Server
	took time.Duration
	peak int64 // bytes
}

// startOn starts the server on a copy of a past.
func startOn(ctx context.Context, binary, dir string, p *past) (timed, error) {
	if err := copyPast(dir, p.dir); err != nil {
		return timed{}, err
	}
	return startAgain(ctx, binary, dir)
}

// startAgain starts the server on a directory and measures until it is ready.
func startAgain(ctx context.Context, binary, dir string) (t timed, err error) {
	began := time.Now()
	if t.Server, err = process.Start(ctx, process.Options{Binary: binary, Dir: dir, Patience: restartPatience, Args: pastFlags}); err != nil {
		return t, err
	}
	if err := t.WaitReady(ctx, restartPatience); err != nil {
		return t, errors.Join(err, t.Kill())
	}
	t.took = time.Since(began)
	if t.peak, err = peakRSS(t.Pid()); err != nil {
		err = errors.Join(err, t.Kill())
	}
	return t, err
}

// row prints a start, and requires that it began with the snapshot of record
// snapshotAt and came to the state of p, where that is known.
func (t *timed) row(w io.Writer, what string, p *past, snapshotAt uint64) error {
	r := t.Recovered
	if r.SnapshotSeq != snapshotAt || r.Replayed != r.JournalSeq-snapshotAt {
		return fmt.Errorf("%s: it began with the snapshot of record %d, and replayed %d", what, r.SnapshotSeq, r.Replayed)
	}
	if p != nil && (r.JournalSeq != p.last || r.StateHash != hex.EncodeToString(p.hash[:])) {
		return fmt.Errorf("%s: recovered state %s of record %d, want %x of %d", what, r.StateHash, r.JournalSeq, p.hash, p.last)
	}
	rate := "–"
	if r.Replayed > 0 {
		rate = fmt.Sprintf("%.2f M", float64(r.Replayed)/t.took.Seconds()/1e6)
	}
	fmt.Fprintf(w, "| %s | %d | %d | %.2f s | %s | %.0f MiB |\n", what, r.SnapshotSeq, r.Replayed, t.took.Seconds(), rate, float64(t.peak)/(1<<20))
	return nil
}

// peakRSS is VmHWM of a process in bytes.
func peakRSS(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return statusBytes(status, "VmHWM:")
}

// copyPast gives a server a data directory of its own with the past of another. Full
// journal files do not change any more and are linked; the last two are copied.
func copyPast(to, from string) error {
	for _, sub := range []string{"journal", "snapshots"} {
		entries, err := os.ReadDir(filepath.Join(from, sub))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.MkdirAll(filepath.Join(to, sub), 0o750)
		}
		if err != nil {
			return err
		}
		slices.SortFunc(entries, func(a, b os.DirEntry) int { return bytes.Compare([]byte(a.Name()), []byte(b.Name())) })
		for i, e := range entries {
			copyOne := os.Link
			if i >= len(entries)-2 || filepath.Ext(e.Name()) != ".seg" {
				copyOne = copyFile
			}
			if err := copyOne(filepath.Join(from, sub, e.Name()), filepath.Join(to, sub, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }
