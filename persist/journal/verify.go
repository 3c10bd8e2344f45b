package journal

import (
	"errors"
	"io/fs"

	"qcat/core"
	"qcat/persist/vfs"
)

// Report is what Verify found.
type Report struct {
	ID          ID
	First, Last uint64 // sequences; Last is First-1 when there is none
	Records     uint64
	Batches     uint64
	Bytes       int64 // of headers and batches
	Durable     uint64
	Closed      bool // the log ends in the mark of an orderly Close
	Segments    []SegmentReport
	Torn        []Cut // what the next Open would cut
}

// SegmentReport is one segment of a Report.
type SegmentReport struct {
	File        string
	First, Last uint64
	Records     uint64
	Batches     uint64
	Bytes       int64 // of its header and batches
	Size        int64 // of the file
	Created     core.Nanos
	LastTime    core.Nanos
}

// Verify reads a whole log and checks every checksum, sequence and time, and
// changes nothing. A server may go on writing: what it writes meanwhile is not
// looked at.
//
// Errors: ErrNone; a DamageError, with what was found before it in the report; the
// file system's.
func Verify(fsys vfs.FS, dir, name string) (Report, error) {
	var report Report
	var err error
	for range openTries {
		if report, err = verify(&files{fsys, dir, name}); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return report, err
}

func verify(files *files) (r Report, err error) {
	indexes, err := files.someSegments()
	if err != nil {
		return r, err
	}
	v, err := take(files, indexes)
	if err != nil {
		return r, err
	}
	r.ID, r.First, r.Last = v.id, v.headers[0].first, v.headers[0].first-1
	var s scanner
	for i := range v.headers {
		seg, err := v.scan(&s, i, func() {})
		if err != nil {
			return r, err
		}
		r.add(&s, seg)
	}
	r.Durable, r.Closed = s.durable, s.closed
	end := s.end
	if r.Torn, err = v.judge(&s); err == nil && len(r.Torn) == 0 {
		return r, nil
	}
	// Torn, damaged, or still being written: then there is a whole batch by now.
	moved, movedErr := v.movedOn(end)
	if movedErr != nil {
		return r, errors.Join(err, movedErr)
	}
	if moved {
		r.Torn, err = nil, nil
	}
	return r, err
}

// movedOn reports whether the log has been written to since its newest segment
// ended at end.
func (v *survey) movedOn(end int64) (bool, error) {
	newest := len(v.headers) - 1
	s := scanner{seq: v.headers[newest].first - 1, time: v.headers[newest].floor}
	if _, err := v.scan(&s, newest, func() {}); err != nil || s.end > end {
		return err == nil, err
	}
	for _, u := range v.unused {
		why, err := v.readHeader(&s, fileName(v.files.name, u.index))
		if err != nil || why == "" {
			return err == nil, err
		}
	}
	return false, nil
}

func (r *Report) add(s *scanner, seg *segment) {
	r.Segments = append(r.Segments, SegmentReport{File: seg.name, First: seg.first, Last: s.seq, Records: s.records,
		Batches: s.batches, Bytes: s.end, Size: s.size, Created: s.header.created, LastTime: s.time})
	r.Last = s.seq
	r.Records += s.records
	r.Batches += s.batches
	r.Bytes += s.end
}
