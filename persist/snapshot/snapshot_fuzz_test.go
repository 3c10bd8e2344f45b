package snapshot

import (
	"path/filepath"
	"testing"

	"qcat/persist/vfs/faultfs"
)

// FuzzLoad reads any bytes as a snapshot: they are refused, or say what they hold.
func FuzzLoad(f *testing.F) {
	fsys := faultfs.New()
	for seq := range uint64(2) {
		b, err := fsys.ReadFile(write(f, fsys, seq))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		fsys := faultfs.New()
		path := filepath.Join(dir, "snapshot")
		if err := fsys.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		fsys.WriteFile(path, b)
		_, payload, err := Load(fsys, path)
		h, headErr := parseHeader(b)
		if err == nil && (headErr != nil || uint64(len(payload)) != h.length || uint64(len(b)) != headerLen+h.stored) {
			t.Errorf("%d bytes were read as %d", len(b), len(payload))
		}
	})
}

// FuzzPayload reads any bytes as a compressed payload of any length, behind sound
// checksums.
func FuzzPayload(f *testing.F) {
	var h header
	stored, err := h.encode(payloadOf(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored, uint64(len(payloadOf(1))))
	f.Add([]byte{}, uint64(0))
	f.Fuzz(func(t *testing.T, stored []byte, length uint64) {
		fsys := faultfs.New()
		path := filepath.Join(dir, "snapshot")
		h := header{encoding: encodingZstd, length: length % (1 << 24), stored: uint64(len(stored)), crc: checksum(stored)}
		if err := fsys.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		fsys.WriteFile(path, append(h.append(nil), stored...))
		if _, payload, err := Load(fsys, path); err == nil && uint64(len(payload)) != h.length {
			t.Errorf("%d bytes instead of %d", len(payload), h.length)
		}
	})
}
