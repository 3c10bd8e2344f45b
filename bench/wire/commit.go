package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// groupCommit is the disk without the server: events append to a file that was filled
// ahead, and wait for the fdatasync of a group.
type groupCommit struct {
	dir string
	pid int
}

// run implements loader.
func (g groupCommit) run(ctx context.Context, rate int, length time.Duration) (*outcome, error) {
	before, err := used(g.pid, "")
	if err != nil {
		return nil, err
	}
	s := newSchedule(rate, length/warmShare, length)
	m, span, err := commitAll(ctx, s, g.dir, orderSize)
	if err != nil {
		return nil, err
	}
	after, err := used(g.pid, "")
	n := int64(m.count())
	return &outcome{offered: float64(time.Second) / float64(s.period), expected: int64(s.n), got: n, events: float64(n), span: max(span, s.whole()),
		lat: m.phases[1], spent: after.since(before)}, err
}

// saturated keeps writers goroutines waiting for their records, as fast as it goes.
func (g groupCommit) saturated(writers int) saturated {
	return func(ctx context.Context, length time.Duration) (o *outcome, err error) {
		const records = 1 << 16 // of the file, written from its beginning again
		f, err := filledFile(g.dir, records*orderSize)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
		before, err := used(g.pid, "")
		if err != nil {
			return nil, err
		}
		start := time.Now()
		waiting := make(chan chan struct{}, writers)
		lat := make([]latencies, writers)
		var wg sync.WaitGroup
		for i := range writers {
			lat[i] = newLatencies()
			wg.Go(func() {
				done := make(chan struct{}, 1)
				for time.Since(start) < length && ctx.Err() == nil {
					sent := time.Now()
					waiting <- done
					<-done
					lat[i].record(time.Since(sent))
				}
			})
		}
		go func() { wg.Wait(); close(waiting) }()
		n, err := commitWaiting(f, records, waiting)
		o = &outcome{expected: n, got: n, events: float64(n), span: time.Since(start), lat: newLatencies()}
		for _, l := range lat {
			o.lat.h.Merge(l.h)
		}
		after, uerr := used(g.pid, "")
		o.spent = after.since(before)
		return o, errors.Join(err, uerr, ctx.Err())
	}
}

// commitWaiting writes and syncs the records of all that wait, in groups as they come,
// until waiting is closed; an error is returned then.
func commitWaiting(f *os.File, records int, waiting <-chan chan struct{}) (n int64, err error) {
	group := make([]chan struct{}, 0, cap(waiting))
	block := make([]byte, cap(waiting)*orderSize)
	at := 0
	for first := range waiting {
		group = append(group[:0], first)
		for len(group) < cap(group) && len(waiting) > 0 {
			group = append(group, <-waiting)
		}
		if at+len(group) > records {
			at = 0
		}
		if err == nil {
			_, err = f.WriteAt(block[:len(group)*orderSize], int64(at*orderSize))
		}
		if err == nil {
			err = unix.Fdatasync(int(f.Fd()))
		}
		at += len(group)
		n += int64(len(group))
		for _, done := range group {
			done <- struct{}{}
		}
	}
	return n, err
}

// filledFile is a new file in dir with size bytes that are on the disk.
func filledFile(dir string, size int) (f *os.File, err error) {
	f, err = os.CreateTemp(dir, "qcat-sync-")
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(make([]byte, size)); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}
