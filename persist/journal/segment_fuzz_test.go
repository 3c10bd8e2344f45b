package journal

import (
	"errors"
	"hash/crc32"
	"testing"
)

// FuzzSegment gives the readers a segment of any bytes, in front of a good one's
// header or not: they must neither panic nor believe a length, and agree with each
// other. It is the fault table's "malformed frames (fuzzed journal)".
func FuzzSegment(f *testing.F) {
	data := craftSegment(3)
	f.Add(data, uint16(0))
	f.Add(data[segmentHeader:], uint16(3))
	f.Add(data[:segmentHeader+7], uint16(9))
	f.Add(craftSegment(1)[segmentHeader:], uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, mode uint16) {
		if mode%2 == 1 { // behind a good header, so that the batches are looked at
			b = append(append([]byte(nil), data[:segmentHeader]...), b...)
		}
		if mode%4 >= 2 {
			resum(b)
		}
		disk := smallDisk(b)
		report, verifyErr := Verify(disk, "/log", "journal")
		n := 0
		if ro, err := OpenReadOnly("/log", "journal", disk); err == nil {
			for rec, err := range ro.Records(ro.First(), 0) {
				if err != nil {
					t.Fatalf("record %d of %d whole ones: %v", n, ro.Last(), err)
				}
				n++
				if len(rec) < 20 {
					t.Fatalf("a record of %d bytes", len(rec))
				}
			}
		} else if !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		o, err := Options{Dir: "/log", FS: disk}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		l := &Log{o: o, files: files{disk, o.Dir, o.Name}} // Open without its goroutines
		tail, err := l.recoverOrCreate()
		if (err == nil) != (verifyErr == nil) {
			t.Fatalf("opened with %v, verified with %v", err, verifyErr)
		}
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if o := l.Opened(); o.Last != report.Last || o.Last-o.First+1 != uint64(n) {
			t.Fatalf("opened %+v, verified %+v, read %d", o, report, n)
		}
		if err := tail.file.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// craftSegment is a segment of the log with id 0 whose batches hold two records.
func craftSegment(batches int) []byte {
	var id ID
	b := make([]byte, segmentHeader)
	(&header{id: id, index: 1, first: 1}).put(b)
	for i := range uint64(batches) {
		var frames []byte
		for seq := 2*i + 1; seq <= 2*i+2; seq++ {
			frame := append(make([]byte, frameHeader), testRecord(nil, seq, testSize(seq))...)
			le.PutUint32(frame, uint32(len(frame)-frameHeader))
			le.PutUint32(frame[4:], frameSum(frame, id.seed()))
			frames = append(frames, frame...)
		}
		head := make([]byte, batchHeader)
		(&batch{length: uint32(len(frames)), count: 2, first: 2*i + 1, durable: 2 * i}).put(head, id.seed())
		b = append(append(b, head...), frames...)
	}
	return b
}

// resum puts right the checksums of whatever looks like a batch and its frames, so
// that what they guard is fuzzed as well.
func resum(b []byte) {
	var h header
	if len(b) < segmentHeader || parseHeader(b, &h) != "" {
		return
	}
	seed := h.id.seed()
	for at := segmentHeader; at+batchHeader <= len(b) && string(b[at:at+4]) == batchMagic; {
		length := int(le.Uint32(b[at+4:]))
		header := b[at : at+batchHeader]
		le.PutUint32(header[28:], crc32.Update(seed, castagnoli, header[:28]))
		at += batchHeader
		if length > len(b)-at {
			return
		}
		for frames := b[at : at+length]; len(frames) >= frameHeader; {
			n := uint64(frameHeader) + uint64(le.Uint32(frames))
			if n > uint64(len(frames)) {
				break
			}
			le.PutUint32(frames[4:], frameSum(frames[:n], seed))
			frames = frames[n:]
		}
		at += length
	}
}

// TestLengthsAreNotBelieved: a header of any length makes nobody allocate more than
// the file holds.
func TestLengthsAreNotBelieved(t *testing.T) {
	data, ends := smallLog(t, 2, false)
	disk := smallDisk(data)
	f, err := disk.OpenFile(smallFile, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, length := range []uint32{0, 1 << 10, 1 << 20, 1 << 31, ^uint32(0)} {
		le.PutUint32(data[ends[1]+batchHeader:], length)
		if _, err := f.WriteAt(data, 0); err != nil {
			t.Fatal(err)
		}
		var s scanner
		if why, err := s.open(f, "x"); why != "" || err != nil {
			t.Fatal(why, err)
		}
		for {
			if ok, err := s.next(); err != nil {
				t.Fatal(err)
			} else if !ok {
				break
			}
		}
		if s.seq != 2 || cap(s.buf) > 2*len(data) {
			t.Fatalf("length %d: %d records, a buffer of %d bytes", length, s.seq, cap(s.buf))
		}
	}
}
