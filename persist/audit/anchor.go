package audit

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"qcat/core"
)

// HeadFile is the name of the anchors' file in a data directory.
const HeadFile = "audit.head"

// The file is text: a header, and a line of fixed width for each anchor.
//
//	qcat-audit-head 1 <key id, 16 hex digits>
//	<n, 20 digits> <time in ns, 20 digits> <hash, 64 hex digits> <seal, 64 hex digits>
const (
	headMagic  = "qcat-audit-head 1 "
	headerSize = len(headMagic) + 2*keyIDSize + 1
	lineSize   = 20 + 1 + 20 + 1 + 64 + 1 + 64 + 1
	keyIDSize  = 8
)

// minMaster is the shortest master key, in bytes.
const minMaster = 32

// Errors of the anchors' file. Verify reports what they stand for; Alarm returns them.
var (
	ErrNoHead     = errors.New("the anchors' file of the audit log is missing")
	ErrHeadKey    = errors.New("the anchors' file of the audit log was sealed with another master key")
	ErrHeadBroken = errors.New("the anchors' file of the audit log was changed")
	// ErrRewritten is an anchor that the log contradicts.
	ErrRewritten = errors.New("the audit log is not what was anchored")
)

// tampered reports whether an error is about what the file says, and not about the file
// system or the database.
func tampered(err error) bool {
	return errors.Is(err, ErrNoHead) || errors.Is(err, ErrHeadKey) || errors.Is(err, ErrHeadBroken) || errors.Is(err, ErrRewritten)
}

// anchor says that the log's entry n had that hash at a time.
type anchor struct {
	link
	time core.Nanos
}

// seal authenticates an anchor and the seal of the anchor before it.
type seal = [sha256.Size]byte

// headKey seals anchors. It is derived of the master key, which does not follow from it.
type headKey struct {
	key [32]byte
	id  [keyIDSize]byte // tells keys apart and gives nothing away
}

func anchorKey(master []byte) (k headKey, err error) {
	if len(master) < minMaster {
		return k, fmt.Errorf("audit: a master key of %d bytes: want %d", len(master), minMaster)
	}
	for info, into := range map[string][]byte{"qcat audit.head seal 1": k.key[:], "qcat audit.head id 1": k.id[:]} {
		b, err := hkdf.Key(sha256.New, master, nil, info, len(into))
		if err != nil {
			return headKey{}, fmt.Errorf("audit: %w", err)
		}
		copy(into, b)
	}
	return k, nil
}

// seal is that of a behind an anchor with the seal prev; behind none it is of zeros.
func (k *headKey) seal(prev seal, a anchor) (s seal) {
	m := hmac.New(sha256.New, k.key[:])
	b := append(make([]byte, 0, 128), headMagic...)
	b = append(b, prev[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(a.n))    //nolint:gosec // the bits as they are
	b = binary.LittleEndian.AppendUint64(b, uint64(a.time)) //nolint:gosec // the bits as they are
	b = append(b, a.hash[:]...)
	m.Write(b)
	m.Sum(s[:0])
	return s
}

func (k *headKey) header() []byte {
	return fmt.Appendf(nil, "%s%x\n", headMagic, k.id)
}

// appendLine appends the line of an anchor.
func appendLine(b []byte, a anchor, s seal) []byte {
	return fmt.Appendf(b, "%020d %020d %x %x\n", a.n, int64(a.time), a.hash, s)
}

// parseLine reads what appendLine writes, and nothing else.
func parseLine(line []byte) (a anchor, s seal, ok bool) {
	f := bytes.Split(line, []byte(" "))
	if len(line) != lineSize || len(f) != 4 {
		return a, s, false
	}
	n, err1 := strconv.ParseInt(string(f[0]), 10, 64)
	t, err2 := strconv.ParseInt(string(f[1]), 10, 64)
	if err1 != nil || err2 != nil || len(f[2]) != 2*len(a.hash) || len(f[3]) != 2*len(s)+1 {
		return a, s, false
	}
	a.n, a.time = n, core.Nanos(t)
	if _, err := hex.Decode(a.hash[:], f[2]); err != nil {
		return a, s, false
	}
	if _, err := hex.Decode(s[:], f[3][:2*len(s)]); err != nil {
		return a, s, false
	}
	return a, s, bytes.Equal(appendLine(nil, a, s), line)
}

// heads is what a file of anchors holds.
type heads struct {
	anchors []anchor // those whose seal is right
	broken  []int    // the numbers, from 1 on, of the lines whose seal is not
	last    seal     // as it stands in the last whole line
	size    int      // in bytes, up to the last whole line
}

// parseHeads reads a file. What a crash can leave at its end, a part of a line or NULs, is
// not in size, and is no damage: it is an anchor that was not written.
//
// Errors: ErrHeadBroken if it is no such file, ErrHeadKey.
func parseHeads(b []byte, k *headKey) (h heads, err error) {
	if len(b) < headerSize || !bytes.HasPrefix(b, []byte(headMagic)) || b[headerSize-1] != '\n' {
		return h, fmt.Errorf("%w: it has no header", ErrHeadBroken)
	}
	if !bytes.Equal(b[:headerSize], k.header()) {
		return h, ErrHeadKey
	}
	lines := bytes.TrimRight(b[headerSize:], "\x00")
	lines = lines[:len(lines)/lineSize*lineSize]
	h.size = headerSize + len(lines)
	for i := 1; len(lines) > 0; i, lines = i+1, lines[lineSize:] {
		a, s, ok := parseLine(lines[:lineSize])
		want := k.seal(h.last, a)
		rises := len(h.anchors) == 0 || a.n > h.anchors[len(h.anchors)-1].n
		if ok && rises && hmac.Equal(want[:], s[:]) {
			h.anchors = append(h.anchors, a)
		} else {
			h.broken = append(h.broken, i)
		}
		if h.last = s; !ok {
			h.last = seal{} // whose successor cannot be told from one that was changed
		}
	}
	if len(h.anchors)+len(h.broken) == 0 {
		return h, fmt.Errorf("%w: it has no anchor", ErrHeadBroken)
	}
	return h, nil
}

// err is nil if every line is as it was written.
func (h *heads) err() error {
	if len(h.broken) == 0 {
		return nil
	}
	return fmt.Errorf("%w: line %d of %d", ErrHeadBroken, h.broken[0], len(h.broken)+len(h.anchors))
}

// render is the file of anchors.
func render(k *headKey, anchors []anchor) []byte {
	b := k.header()
	var s seal
	for _, a := range anchors {
		s = k.seal(s, a)
		b = appendLine(b, a, s)
	}
	return b
}

// Of maxAnchors, the keepAnchors newest are kept as they are; the older ones are thinned.
const (
	maxAnchors  = 4096
	keepAnchors = 2048
)

// thin halves the older anchors and keeps the first: however long a log is, anchors of
// all its ages stay.
func thin(anchors []anchor) []anchor {
	old := len(anchors) - keepAnchors
	kept := make([]anchor, 0, maxAnchors)
	for i, a := range anchors {
		if i >= old || i%2 == 0 {
			kept = append(kept, a)
		}
	}
	return kept
}
