package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"qcat/core/identity"
)

// Bounds of the texts of an entry, in bytes. What is longer is cut, with a mark.
const (
	maxName   = 256
	maxTarget = 1 << 10
	maxDetail = 4 << 10
	maxChange = 16 << 10
)

// text is one of an entry's texts: its column, its bound and where it is.
type text struct {
	column string
	max    int
	of     func(*identity.AuditEntry) *string
}

// texts are all of them, in the order in which they are hashed.
var texts = [...]text{
	{"actor", maxName, func(e *identity.AuditEntry) *string { return &e.Actor }},
	{"role", maxName, func(e *identity.AuditEntry) *string { return &e.Role }},
	{"via", maxName, func(e *identity.AuditEntry) *string { return &e.Via }},
	{"key_id", maxName, func(e *identity.AuditEntry) *string { return &e.Key }},
	{"address", maxName, func(e *identity.AuditEntry) *string { return &e.Address }},
	{"action", maxName, func(e *identity.AuditEntry) *string { return &e.Action }},
	{"target", maxTarget, func(e *identity.AuditEntry) *string { return &e.Target }},
	{"outcome", maxName, func(e *identity.AuditEntry) *string { return &e.Outcome }},
	{`"before"`, maxChange, func(e *identity.AuditEntry) *string { return &e.Before }},
	{`"after"`, maxChange, func(e *identity.AuditEntry) *string { return &e.After }},
	{"detail", maxDetail, func(e *identity.AuditEntry) *string { return &e.Detail }},
}

// clean makes every text one that both databases give back as it was stored: UTF-8
// without NUL, within its bound.
func clean(e *identity.AuditEntry) {
	for i := range texts {
		s := texts[i].of(e)
		*s = bounded(cleanText(*s), texts[i].max)
	}
}

// cleanText puts U+FFFD for NUL and for what is not UTF-8.
func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// bounded cuts s between two characters so that it and the mark fit.
func bounded(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	mark := fmt.Sprintf("…[cut: it had %d bytes]", len(s))
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// hash is of an entry and everything before it.
type hash = [sha256.Size]byte

// entryMagic begins what is hashed: nothing else that this program hashes does so.
const entryMagic = "QCATAUD1"

// digest is the hash of an entry that follows the one whose hash is prev. The bytes are
// those of docs/format/audit-log.md: no two entries have the same.
func digest(prev hash, e *identity.AuditEntry) hash {
	size := len(entryMagic) + len(prev) + 3*8
	for i := range texts {
		size += 4 + len(*texts[i].of(e))
	}
	b := append(make([]byte, 0, size), entryMagic...)
	b = append(b, prev[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.N))    //nolint:gosec // the bits as they are
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Time)) //nolint:gosec // the bits as they are
	b = binary.LittleEndian.AppendUint64(b, e.Journal)
	for i := range texts {
		s := *texts[i].of(e)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // bounded by clean
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

// link is the end of a chain: how many entries, and the hash of the last. The zero value
// is that of an empty log.
type link struct {
	n    int64
	hash hash
}
