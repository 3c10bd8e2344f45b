package snapshot

import (
	"bytes"
	"encoding/binary"
	"testing"

	"qcat/persist/vfs"
)

// statePayload is 32 MiB that compress as a state does: records of 300 bytes of
// which a tenth differs from one to the next.
func statePayload() []byte {
	const record = 300
	b := make([]byte, 0, 32<<20)
	for i := uint64(0); len(b)+record <= cap(b); i++ {
		at := len(b)
		b = append(b, make([]byte, record)...)
		for off := 0; off < record; off += 80 {
			binary.LittleEndian.PutUint64(b[at+off:], i*0x9E3779B97F4A7C15>>uint(off%17))
		}
	}
	return b
}

// BenchmarkWrite compresses, writes and syncs a payload of 32 MiB.
func BenchmarkWrite(b *testing.B) {
	payload, d := statePayload(), b.TempDir()
	b.SetBytes(int64(len(payload)))
	var stored int64
	for b.Loop() {
		_, n, err := Write(vfs.OS{}, d, metaOf(1), payload)
		if err != nil {
			b.Fatal(err)
		}
		stored = n
	}
	b.ReportMetric(float64(stored), "stored-bytes")
}

// BenchmarkLoad reads it, and checks what it reads.
func BenchmarkLoad(b *testing.B) {
	payload, d := statePayload(), b.TempDir()
	path, _, err := Write(vfs.OS{}, d, metaOf(1), payload)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(payload)))
	var got []byte
	for b.Loop() {
		if _, got, err = Load(vfs.OS{}, path); err != nil {
			b.Fatal(err)
		}
	}
	if !bytes.Equal(got, payload) {
		b.Fatal("another payload")
	}
}
