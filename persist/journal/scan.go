package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"qcat/core"
	"qcat/core/record"
	"qcat/persist/vfs"
)

// scanner reads a segment from its beginning, batch by batch, and checks all that
// can be checked: header, checksums, sequences, times.
type scanner struct {
	window
	file string
	size int64
	seed uint32

	header  header
	end     int64      // behind the last batch that is whole
	seq     uint64     // of the last record in it
	time    core.Nanos // of that record
	durable uint64     // the highest sequence that a header in it, or the segment's own, proves synced
	proven  int64      // up to here everything, the header included, is proven synced
	batches uint64
	records uint64
	closed  bool   // the last batch is a mark
	tear    string // why the batch at end does not count: "" when there is none
}

// open begins a segment and returns why its header is none: "" when it is one.
// The log's id is taken from it; the caller compares.
func (s *scanner) open(f vfs.File, file string) (why string, err error) {
	s.reset(f)
	s.file, s.end, s.batches, s.records = file, segmentHeader, 0, 0
	s.tear, s.closed, s.proven = "", false, 0
	if s.size, err = f.Size(); err != nil {
		return "", err
	}
	b, err := s.view(0, segmentHeader, s.size)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "shorter than a segment's header", nil
	}
	if err != nil {
		return "", err
	}
	if why = parseHeader(b, &s.header); why != "" {
		return why, nil
	}
	s.seed = s.header.id.seed()
	s.seq, s.time, s.durable = s.header.first-1, s.header.floor, s.header.first-1
	return "", nil
}

// next reads one batch and returns false at the end of what is whole: tear then
// says whether something broken begins there.
//
// Errors: a DamageError for records whose checksum is right and whose sequence or
// time is not; the file's.
func (s *scanner) next() (bool, error) {
	b, err := s.view(s.end, batchHeader, s.size)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil // no batch fits there; what does is looked at with the rest
	}
	if err != nil {
		return false, err
	}
	if isZero(b) {
		return false, nil
	}
	var h batch
	if s.tear = parseBatch(b, s.seed, &h); s.tear != "" {
		return false, nil
	}
	start := s.end
	switch {
	case h.first != s.seq+1:
		s.tear = fmt.Sprintf("a batch of record %d after record %d", h.first, s.seq)
	case start+batchHeader+int64(h.length) > s.size:
		s.tear = "the file ends within a batch"
	}
	if s.tear != "" {
		return false, nil
	}
	if ok, err := s.frames(start+batchHeader, &h); !ok {
		return false, err
	}
	if s.durable = max(s.durable, h.durable); h.durable == h.first-1 && h.first > s.header.first {
		s.proven = start
	}
	s.end = start + batchHeader + int64(h.length)
	s.batches++
	s.closed = h.count == 0
	return true, nil
}

// frames checks the records of a batch, which lie at off.
func (s *scanner) frames(off int64, h *batch) (ok bool, err error) {
	end := off + int64(h.length)
	seq, last := s.seq, s.time
	for range h.count {
		frame, why, err := s.frame(off, end)
		if why != "" || err != nil {
			s.tear = why
			return false, err
		}
		rec := frame[frameHeader:]
		if recordSeq(rec) != seq+1 || recordTime(rec) < last {
			return false, &DamageError{s.file, off, seq, fmt.Sprintf("record %d of time %d after record %d of time %d",
				recordSeq(rec), recordTime(rec), seq, last)}
		}
		seq, last, off = seq+1, recordTime(rec), off+int64(len(frame))
	}
	if off != end {
		return false, &DamageError{s.file, off, seq, "bytes left over in a batch"}
	}
	s.records += uint64(h.count)
	s.seq, s.time = seq, last
	return true, nil
}

// frameAt returns the frame at off, of a batch that ends at end, or why there is
// none.
func (w *window) frameAt(off, end int64, seed uint32) (frame []byte, why string, err error) {
	if off+frameHeader+record.HeaderLen > end {
		return nil, "a record beyond the end of its batch", nil
	}
	b, err := w.view(off, 4, end)
	if err != nil {
		return nil, "", err
	}
	n := int64(le.Uint32(b))
	if n < record.HeaderLen || off+frameHeader+n > end {
		return nil, "length of a record", nil
	}
	if frame, err = w.view(off, int(frameHeader+n), end); err != nil {
		return nil, "", err
	}
	if le.Uint32(frame[4:]) != frameSum(frame, seed) {
		return nil, "checksum of a record", nil
	}
	return frame, "", nil
}

func (s *scanner) frame(off, end int64) ([]byte, string, error) {
	frame, why, err := s.frameAt(off, end, s.seed)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "the file ends within a batch", nil
	}
	return frame, why, err
}

// rest is what lies behind the last whole batch of a segment.
type rest struct {
	dirty int64  // behind the last byte that is not zero
	proof uint64 // the highest sequence that a batch header there proves synced
	at    int64  // where that header is
}

// readRest looks through the file from off on for bytes that are not zero and for
// headers of batches. Such a header is whole by its checksum, whatever became of
// the bytes around it, and says what had been synced when it was written.
func (s *scanner) readRest(off int64, seed uint32) (rest, error) {
	r := rest{dirty: off}
	const overlap = batchHeader - 1 // a header may lie across two windows
	for at := off; at < s.size; {
		n := int(min(windowBytes, s.size-at))
		b, err := s.view(at, n, s.size)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return r, nil // cut while it was read
		}
		if err != nil {
			return r, err
		}
		if !isZero(b) {
			r.dirty = at + int64(lastNonZero(b)) + 1
			r.findProof(b, at, seed)
		}
		if at+int64(n) >= s.size {
			break
		}
		at += int64(n) - overlap
	}
	return r, nil
}

func (r *rest) findProof(b []byte, off int64, seed uint32) {
	for i := 0; ; i++ {
		k := bytes.Index(b[i:], []byte(batchMagic))
		if k < 0 || i+k+batchHeader > len(b) {
			return
		}
		i += k
		var h batch
		if parseBatch(b[i:i+batchHeader], seed, &h) == "" && h.durable > r.proof {
			r.proof, r.at = h.durable, off+int64(i)
		}
	}
}

// zeros is what a segment is filled with, and compared to.
var zeros [windowBytes]byte

func isZero(b []byte) bool {
	for len(b) > len(zeros) {
		if !bytes.Equal(b[:len(zeros)], zeros[:]) {
			return false
		}
		b = b[len(zeros):]
	}
	return bytes.Equal(b, zeros[:len(b)])
}

func lastNonZero(b []byte) int {
	i := len(b) - 1
	for i >= 0 && b[i] == 0 {
		i--
	}
	return i
}
