package journal

import (
	"errors"
	"slices"
	"testing"

	"qcat/persist/vfs/faultfs"
)

const smallFile = "/log/journal-0000000001.seg"

// smallLog returns the file of a log whose every batch holds two records, and
// where its batches end; the first end is that of the header. closed: in order, so
// that the last batch is a mark.
func smallLog(t testing.TB, batches int, closed bool) (data []byte, ends []int64) {
	t.Helper()
	disk := faultfs.New()
	l := mustOpen(t, Options{Dir: "/log", FS: disk, SegmentBytes: 4096, BufferBytes: 4096})
	ends = append(ends, l.table.newest().end.Load())
	for i := range uint64(batches) {
		mustAppend(t, l, 2*i+1, 2*i+2)
		mustCommit(t, l, 2*i+2)
		ends = append(ends, l.table.newest().end.Load())
	}
	if closed {
		mustClose(t, l)
		ends = append(ends, l.table.newest().end.Load()+batchHeader)
	}
	data, err := disk.ReadFile(smallFile)
	if err != nil {
		t.Fatal(err)
	}
	if !closed {
		mustClose(t, l)
	}
	return data, ends
}

// smallDisk is a disk that holds data as the only segment.
func smallDisk(data []byte) *faultfs.FS {
	disk := faultfs.New()
	disk.WriteFile(smallFile, data)
	return disk
}

func openSmall(disk *faultfs.FS) (*Log, error) {
	return Open(Options{Dir: "/log", FS: disk, SegmentBytes: 4096, BufferBytes: 4096})
}

// checkCut opens data, requires the records up to last and a cut from offset on (or
// none when that is negative), goes on, and requires that the next start finds
// nothing to cut.
func checkCut(t *testing.T, data []byte, last uint64, offset int64) {
	t.Helper()
	disk := smallDisk(data)
	l, err := openSmall(disk)
	if err != nil {
		t.Fatal(err)
	}
	cuts := l.Opened().Cuts
	switch {
	case offset < 0 && len(cuts) != 0:
		t.Fatalf("a cut: %+v", cuts)
	case offset >= 0 && (len(cuts) != 1 || cuts[0].Offset != offset || cuts[0].After != last || cuts[0].Bytes <= 0 || cuts[0].Why == ""):
		t.Fatalf("cuts %+v, want one at %d after %d", cuts, offset, last)
	}
	checkRecords(t, l, 1, last)
	mustClose(t, l)
	if l, err = openSmall(disk); err != nil {
		t.Fatal(err)
	}
	if len(l.Opened().Cuts) != 0 {
		t.Fatalf("cut again: %+v", l.Opened().Cuts)
	}
	mustAppend(t, l, last+1, last+20)
	mustClose(t, l)
	if l, err = openSmall(disk); err != nil {
		t.Fatal(err)
	}
	checkRecords(t, l, 1, last+20)
	mustClose(t, l)
}

// TestTailCutAtEveryByte is the fault table's "tail cut at every byte offset": the
// valid prefix is kept and the cut is reported.
func TestTailCutAtEveryByte(t *testing.T) {
	const batches = 5
	data, ends := smallLog(t, batches, false)
	for size := ends[batches-2]; size <= ends[batches]; size++ {
		whole := 0
		for ends[whole+1] <= size {
			if whole++; whole == batches {
				break
			}
		}
		offset := ends[whole]
		if size == offset {
			offset = -1
		}
		// The file ends there, or zeros follow, as in a segment that was filled.
		checkCut(t, data[:size], uint64(2*whole), offset)
		filled := make([]byte, len(data))
		copy(filled, data[:size])
		if isZero(filled[ends[whole]:]) {
			offset = -1 // the zero bytes of the batch are all that is left of it
		}
		checkCut(t, filled, uint64(2*whole), offset)
	}
}

// TestBitFlipAtEveryByte is the fault table's "bit flip: tail / middle": in the last
// batch it is cut, as a torn one is; before it the start is refused with the
// offset. Behind the end it is cleared away.
func TestBitFlipAtEveryByte(t *testing.T) {
	const batches = 4
	data, ends := smallLog(t, batches, false)
	for i := range data {
		flipped := slices.Clone(data)
		flipped[i] ^= 1 << (i % 8)
		at := int64(i)
		switch {
		case at < ends[0]:
			checkRefused(t, flipped, 0, 0)
		case at < ends[batches-1]:
			k := slices.IndexFunc(ends, func(end int64) bool { return at < end })
			checkRefused(t, flipped, ends[k-1], uint64(2*(k-1)))
		case at < ends[batches]:
			checkCut(t, flipped, 2*(batches-1), ends[batches-1])
		case i%97 == 0 || at < ends[batches]+batchHeader:
			checkCut(t, flipped, 2*batches, ends[batches])
		}
	}
}

// TestBitFlipAfterClose: once a log was closed in order, a flipped bit in any of its
// records is damage, for its mark proves that all of them had been synced.
func TestBitFlipAfterClose(t *testing.T) {
	const batches = 3
	data, ends := smallLog(t, batches, true)
	for i := ends[0]; i < ends[batches]; i++ {
		flipped := slices.Clone(data)
		flipped[i] ^= 0x10
		k := slices.IndexFunc(ends, func(end int64) bool { return i < end })
		checkRefused(t, flipped, ends[k-1], uint64(2*(k-1)))
	}
}

// checkRefused requires Open and Verify to name the damage, and to leave the file
// alone.
func checkRefused(t *testing.T, data []byte, offset int64, after uint64) {
	t.Helper()
	disk := smallDisk(data)
	_, err := openSmall(disk)
	var damage *DamageError
	if !errors.Is(err, ErrDamaged) || !errors.As(err, &damage) {
		t.Fatalf("opened with %v", err)
	}
	if damage.File != "journal-0000000001.seg" || damage.Offset != offset || damage.Seq != after {
		t.Fatalf("damage %+v, want offset %d after %d", damage, offset, after)
	}
	if now, _ := disk.ReadFile(smallFile); !slices.Equal(now, data) {
		t.Fatal("the damaged file was changed")
	}
	if _, err := Verify(disk, "/log", "journal"); !errors.Is(err, ErrDamaged) {
		t.Fatalf("verified with %v", err)
	}
}

// TestTornBatchWithLaterSectors is a tear of which a later part survived: batches
// that follow the torn one do not come back, not even once the new records have
// grown up to where they lie.
func TestTornBatchWithLaterSectors(t *testing.T) {
	disk := faultfs.New()
	o := Options{Dir: "/log", FS: disk, Sync: SyncOS, SegmentBytes: 4096, BufferBytes: 4096}
	l := mustOpen(t, o)
	appendOne := func(seq uint64, size int) {
		t.Helper()
		if _, err := l.Append(testRecord(nil, seq, size)); err != nil {
			t.Fatal(err)
		}
		mustCommit(t, l, seq)
	}
	for seq := uint64(1); seq <= 3; seq++ {
		appendOne(seq, 100)
	}
	data, err := disk.ReadFile(smallFile)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	batchLen := batchHeader + frameHeader + 100
	clear(data[segmentHeader+batchLen : segmentHeader+2*batchLen]) // the second of three is lost
	o.FS = smallDisk(data)
	l = mustOpen(t, o)
	if got := l.Opened(); got.Last != 1 || len(got.Cuts) != 1 || got.Cuts[0].Bytes <= int64(batchLen) {
		t.Fatalf("opened: %+v", got)
	}
	appendOne(2, 100) // the third one lies right behind this
	disk = o.FS.(*faultfs.FS).Clone()
	mustClose(t, l)
	o.FS = disk
	l = mustOpen(t, o)
	defer l.Close()
	if got := l.Opened(); got.Last != 2 || len(got.Cuts) != 0 {
		t.Fatalf("a ghost: %+v", got)
	}
}

// segmentsLog is a closed log of at least four segments.
func segmentsLog(t *testing.T) *faultfs.FS {
	t.Helper()
	disk := faultfs.New()
	l, err := openSmall(disk)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, 1, 150)
	mustClose(t, l)
	if l.table.newest().index < 4 {
		t.Fatalf("only %d segments", l.table.newest().index)
	}
	return disk
}

func segmentFile(index uint64) string { return "/log/" + fileName("journal", index) }

// TestDamagedSegments are the ways in which whole segments go wrong: all are
// refused, with the file.
func TestDamagedSegments(t *testing.T) {
	other := segmentsLog(t)
	for name, c := range map[string]struct {
		harm func(disk *faultfs.FS)
		file string
	}{
		"one in the middle is missing": {func(d *faultfs.FS) { d.Remove(segmentFile(2)) }, fileName("journal", 2)},
		"header in the middle": {func(d *faultfs.FS) {
			data, _ := d.ReadFile(segmentFile(2))
			data[40] ^= 1
			d.WriteFile(segmentFile(2), data)
		}, fileName("journal", 2)},
		"header of the last, with records that were synced": {func(d *faultfs.FS) {
			names, _ := d.List("/log")
			last := "/log/" + names[len(names)-1]
			data, _ := d.ReadFile(last)
			data[0] ^= 1
			d.WriteFile(last, data)
		}, ""},
		"one of another log": {func(d *faultfs.FS) {
			data, _ := other.ReadFile(segmentFile(2))
			d.WriteFile(segmentFile(2), data)
		}, fileName("journal", 2)},
		"two exchanged": {func(d *faultfs.FS) {
			d.Rename(segmentFile(2), "/log/x")
			d.Rename(segmentFile(3), segmentFile(2))
			d.Rename("/log/x", segmentFile(3))
		}, fileName("journal", 2)},
		"one cut short": {func(d *faultfs.FS) {
			data, _ := d.ReadFile(segmentFile(2))
			d.WriteFile(segmentFile(2), data[:2000])
		}, fileName("journal", 2)},
		"the first without a header": {func(d *faultfs.FS) {
			d.WriteFile(segmentFile(1), make([]byte, 4096))
		}, fileName("journal", 1)},
	} {
		disk := segmentsLog(t)
		c.harm(disk)
		_, err := openSmall(disk)
		var damage *DamageError
		if !errors.As(err, &damage) || (c.file != "" && damage.File != c.file) {
			t.Errorf("%s: opened with %v", name, err)
		}
	}
}

// TestUnusedSegmentsAreDropped: the segment that was made ahead, and one whose
// first batch never reached the disk, are cleared away.
func TestUnusedSegmentsAreDropped(t *testing.T) {
	for name, tail := range map[string][]byte{
		"made ahead": make([]byte, 4096),
		"torn":       append(make([]byte, 700), "the rest of a batch"...),
		"empty":      nil,
	} {
		disk := segmentsLog(t)
		names, _ := disk.List("/log")
		next, _ := fileIndex("journal", names[len(names)-1])
		disk.WriteFile(segmentFile(next+1), tail)
		disk.WriteFile("/log/"+spareName("journal"), []byte("unfinished"))
		l, err := openSmall(disk)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if torn := len(l.Opened().Cuts) == 1; torn != (name == "torn") {
			t.Errorf("%s: %+v", name, l.Opened())
		}
		mustAppend(t, l, 151, 300)
		mustCommit(t, l, 300)
		checkRecords(t, l, 1, 300)
		mustClose(t, l)
	}
}

// TestRecordsOutOfOrder: records whose checksums are right and whose order is not
// are damage, wherever they are.
func TestRecordsOutOfOrder(t *testing.T) {
	data, ends := smallLog(t, 2, false)
	var h header
	parseHeader(data, &h)
	seed := h.id.seed()
	frame := data[ends[1]+batchHeader:]
	frame = frame[:frameHeader+le.Uint32(frame)]
	for name, change := range map[string]func(){
		"sequence": func() { frame[frameHeader+4]++ },
		"time":     func() { frame[frameHeader+12+7]-- },
	} {
		before := slices.Clone(frame)
		change()
		le.PutUint32(frame[4:], frameSum(frame, seed))
		if _, err := openSmall(smallDisk(data)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: opened with %v", name, err)
		}
		copy(frame, before)
	}
}
