package journal

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"qcat/core"
	"qcat/core/record"
)

// The tables of docs/format/journal-segments.md, in code.
const (
	segmentMagic   = "QCATLOG1"
	segmentVersion = 1
	segmentHeader  = 512 // a sector of its own, written once

	batchMagic  = "QBAT"
	batchHeader = 32
	frameHeader = 8

	// maxBatch bounds the frames of a batch, in bytes, and so what a reader has to
	// believe of a length.
	maxBatch = 1 << 20
	// maxRecord is what fits into a batch.
	maxRecord = maxBatch - frameHeader

	// roomEnd is kept free at the end of a segment for the mark of an orderly Close.
	roomEnd = batchHeader
)

var (
	le         = binary.LittleEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// ID names a log: random, the same in each of its segments.
type ID [16]byte

// String returns 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// seed is where the checksums of a log begin: what another log has written is
// never valid in this one.
func (id *ID) seed() uint32 { return crc32.Checksum(id[:], castagnoli) }

// fileName names segment index of a log.
func fileName(name string, index uint64) string { return fmt.Sprintf("%s-%010d.seg", name, index) }

// spareName is a segment that is not finished yet.
func spareName(name string) string { return name + "-next.tmp" }

// fileIndex is the reverse of fileName, and false for other files.
func fileIndex(name, file string) (uint64, bool) {
	digits, ok := strings.CutPrefix(file, name+"-")
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, ".seg"); !ok {
		return 0, false
	}
	index, err := strconv.ParseUint(digits, 10, 64)
	return index, err == nil && index > 0 && fileName(name, index) == file
}

// header is what a segment begins with.
type header struct {
	id      ID
	index   uint64     // 1, 2, 3, …, as in the file's name
	first   uint64     // sequence of its first record
	floor   core.Nanos // time of the record before that, 0 when there is none
	created core.Nanos
}

func (h *header) put(b []byte) {
	clear(b[:segmentHeader])
	copy(b, segmentMagic)
	le.PutUint32(b[8:], segmentVersion)
	le.PutUint32(b[12:], segmentHeader)
	copy(b[16:], h.id[:])
	le.PutUint64(b[32:], h.index)
	le.PutUint64(b[40:], h.first)
	le.PutUint64(b[48:], uint64(h.floor))
	le.PutUint64(b[56:], uint64(h.created))
	le.PutUint32(b[segmentHeader-4:], crc32.Checksum(b[:segmentHeader-4], castagnoli))
}

// parseHeader returns why b is no header: "" when it is one.
func parseHeader(b []byte, h *header) (why string) {
	switch {
	case len(b) < segmentHeader:
		return "shorter than a segment's header"
	case string(b[:8]) != segmentMagic:
		return "no segment header"
	case le.Uint32(b[segmentHeader-4:]) != crc32.Checksum(b[:segmentHeader-4], castagnoli):
		return "checksum of the segment header"
	case le.Uint32(b[8:]) != segmentVersion || le.Uint32(b[12:]) != segmentHeader:
		return fmt.Sprintf("segment version %d is not known", le.Uint32(b[8:]))
	}
	copy(h.id[:], b[16:])
	h.index, h.first = le.Uint64(b[32:]), le.Uint64(b[40:])
	h.floor, h.created = core.Nanos(le.Uint64(b[48:])), core.Nanos(le.Uint64(b[56:]))
	return ""
}

// batch is what was written by one commit. A batch without records is the mark of
// an orderly Close.
type batch struct {
	length  uint32 // of its frames, in bytes
	count   uint32 // of its records
	first   uint64 // sequence of the first; of the next one, in a mark
	durable uint64 // last sequence that was synced when this was written
}

func (b *batch) put(dst []byte, seed uint32) {
	copy(dst, batchMagic)
	le.PutUint32(dst[4:], b.length)
	le.PutUint64(dst[8:], b.first)
	le.PutUint64(dst[16:], b.durable)
	le.PutUint32(dst[24:], b.count)
	le.PutUint32(dst[28:], crc32.Update(seed, castagnoli, dst[:28]))
}

// parseBatch returns why src is no batch header of the log: "" when it is one. A
// header can be believed when its length lies within the file.
func parseBatch(src []byte, seed uint32, b *batch) (why string) {
	switch {
	case string(src[:4]) != batchMagic:
		return "no batch header"
	case le.Uint32(src[28:]) != crc32.Update(seed, castagnoli, src[:28]):
		return "checksum of the batch header"
	}
	b.length, b.first = le.Uint32(src[4:]), le.Uint64(src[8:])
	b.durable, b.count = le.Uint64(src[16:]), le.Uint32(src[24:])
	if b.first == 0 || b.durable >= b.first || b.length > maxBatch ||
		uint64(b.length) < uint64(b.count)*(frameHeader+record.HeaderLen) || (b.count == 0) != (b.length == 0) {
		return "impossible batch header"
	}
	return ""
}

// last is the sequence of the last record; that before the mark, of a mark.
func (b *batch) last() uint64 { return b.first + uint64(b.count) - 1 }

// frameSum is the checksum of a frame: of its length and its record.
func frameSum(frame []byte, seed uint32) uint32 {
	return crc32.Update(crc32.Update(seed, castagnoli, frame[:4]), castagnoli, frame[frameHeader:])
}

// recordSeq and recordTime read the header that every record begins with.
func recordSeq(rec []byte) uint64      { return le.Uint64(rec[4:]) }
func recordTime(rec []byte) core.Nanos { return core.Nanos(le.Uint64(rec[12:])) }
