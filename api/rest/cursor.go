package rest

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
	"slices"
)

// cursor is where a page ended: the key of its last row. It is given to clients as
//
//	version | hash of the list and its filters | key | CRC32C of all that
//	1         8                                  8+8   4
//
// in URL-safe base64, and means the same to every server of the same data.
type cursor struct {
	set bool
	// key is an id or a time; minor orders rows of one key.
	key, minor uint64
}

const (
	cursorVersion = 1
	cursorLen     = 1 + 8 + 8 + 8 + 4
)

var (
	cursorText = base64.RawURLEncoding.Strict()
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// text is the cursor as clients get it, of a list with these filters.
func (k cursor) text(filters uint64) string {
	b := append(make([]byte, 0, cursorLen), cursorVersion)
	b = binary.LittleEndian.AppendUint64(b, filters)
	b = binary.LittleEndian.AppendUint64(b, k.key)
	b = binary.LittleEndian.AppendUint64(b, k.minor)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return cursorText.EncodeToString(b)
}

// parseCursor reads a cursor of a list with these filters; wrong says why it is
// none, "" when it is one.
func parseCursor(text string, filters uint64) (k cursor, wrong string) {
	b, err := cursorText.DecodeString(text)
	if err == nil && len(b) > 0 && b[0] != cursorVersion {
		return k, "damaged, or of another version of the server: start without one"
	}
	if err != nil || len(b) != cursorLen || crc32.Checksum(b[:cursorLen-4], castagnoli) != binary.LittleEndian.Uint32(b[cursorLen-4:]) {
		return k, "not one that this server has given out"
	}
	if binary.LittleEndian.Uint64(b[1:]) != filters {
		return k, "of another list or of other filters: they must stay the same from page to page, except limit"
	}
	return cursor{set: true, key: binary.LittleEndian.Uint64(b[9:]), minor: binary.LittleEndian.Uint64(b[17:])}, ""
}

// filtersOf hashes what selects the rows of a list: the path and all parameters
// but cursor and limit, in any order.
func filtersOf(c exchange) uint64 {
	var all []string
	for key, value := range c.QueryArgs().All() {
		if k := string(key); k != "cursor" && k != "limit" {
			all = append(all, k+"="+string(value))
		}
	}
	slices.Sort(all)
	h := fnv.New64a()
	for _, s := range append(all, string(c.Path())) {
		h.Write(binary.AppendUvarint(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	return h.Sum64()
}
