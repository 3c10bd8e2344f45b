package snapshot

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"qcat/core"
)

// A file is a header and the stored payload, and ends with it. Little-endian.
//
//	  0  8  magic "QCATSNAP"
//	  8  2  version
//	 10  2  encoding of the payload: 0 as it is, 1 zstd
//	 12 16  log id
//	 28  8  sequence
//	 36  8  time
//	 44 32  hash of the state
//	 76  8  length of the payload
//	 84  8  length of the payload as stored
//	 92  4  CRC-32C of the payload as stored
//	 96  4  CRC-32C of the 96 bytes before
//	100  –  payload as stored
const (
	magic     = "QCATSNAP"
	version   = 1
	headerLen = 100
	headCRCAt = 96
)

const (
	encodingPlain = 0
	encodingZstd  = 1
)

// MaxPayload bounds the payload of a snapshot in bytes.
const MaxPayload = 8 << 30

type header struct {
	meta     Meta
	encoding uint16
	length   uint64 // of the payload
	stored   uint64 // of the payload in the file
	crc      uint32 // of the payload in the file
}

var (
	le         = binary.LittleEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func (h *header) append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, magic...)
	dst = le.AppendUint16(dst, version)
	dst = le.AppendUint16(dst, h.encoding)
	dst = append(dst, h.meta.Log[:]...)
	dst = le.AppendUint64(dst, h.meta.Seq)
	dst = le.AppendUint64(dst, uint64(h.meta.Time))
	dst = append(dst, h.meta.Hash[:]...)
	dst = le.AppendUint64(dst, h.length)
	dst = le.AppendUint64(dst, h.stored)
	dst = le.AppendUint32(dst, h.crc)
	return le.AppendUint32(dst, checksum(dst[at:]))
}

// parseHeader reads what append wrote. Magic and version stand where they do in
// every version, and are looked at first.
func parseHeader(b []byte) (h header, err error) {
	switch {
	case len(b) < headerLen:
		return h, fmt.Errorf("%w: %d bytes are shorter than a header", ErrDamaged, len(b))
	case string(b[:8]) != magic:
		return h, fmt.Errorf("%w: offset 0: not the magic of a snapshot", ErrDamaged)
	case le.Uint16(b[8:]) != version:
		return h, fmt.Errorf("%w %d at offset 8", ErrVersion, le.Uint16(b[8:]))
	case checksum(b[:headCRCAt]) != le.Uint32(b[headCRCAt:]):
		return h, fmt.Errorf("%w: offset %d: checksum of the header", ErrDamaged, headCRCAt)
	}
	h.encoding = le.Uint16(b[10:])
	copy(h.meta.Log[:], b[12:])
	h.meta.Seq = le.Uint64(b[28:])
	h.meta.Time = core.Nanos(le.Uint64(b[36:]))
	copy(h.meta.Hash[:], b[44:])
	h.length, h.stored, h.crc = le.Uint64(b[76:]), le.Uint64(b[84:]), le.Uint32(b[92:])
	return h, h.check()
}

func (h *header) check() error {
	switch {
	case h.encoding > encodingZstd:
		return fmt.Errorf("%w: offset 10: encoding %d", ErrDamaged, h.encoding)
	case h.length > MaxPayload || h.stored > MaxPayload:
		return fmt.Errorf("%w: offset 76: %d bytes, stored in %d", ErrTooLarge, h.length, h.stored)
	case h.encoding == encodingPlain && h.length != h.stored:
		return fmt.Errorf("%w: offset 84: %d bytes stored of %d", ErrDamaged, h.stored, h.length)
	}
	return nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
