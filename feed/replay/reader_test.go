package replay_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"qcat/core"
	"qcat/feed/replay"
)

func gzipped(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, b []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

// line is a frame as read.
type line struct {
	rx    core.Nanos
	frame string
	no    int
}

func readAll(r *replay.Reader) (lines []line, err error) {
	for {
		rx, frame, err := r.Next()
		if err != nil {
			return lines, err
		}
		lines = append(lines, line{rx, string(frame), r.Line()})
	}
}

// TestReaderFormats: plain, gzip and zstd read the same; lines longer than the
// buffer, empty lines, CRLF and a last line without its end are all taken.
func TestReaderFormats(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	text := []byte("1 {\"a\":1}\n\n2 b c\r\n3 " + long + "\n4 last")
	want := []line{{1, `{"a":1}`, 1}, {2, "b c", 3}, {3, long, 4}, {4, "last", 5}}
	for name, data := range map[string][]byte{"plain": text, "gzip": gzipped(t, text), "zstd": zstandard(t, text)} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "capture")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := replay.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			got, err := readAll(r)
			if !errors.Is(err, io.EOF) || len(got) != len(want) {
				t.Fatalf("%d lines, %v", len(got), err)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("line %d: %d bytes at %d, number %d", i, len(got[i].frame), got[i].rx, got[i].no)
				}
			}
			if read, size := r.Progress(); read != int64(len(data)) || size != int64(len(data)) {
				t.Errorf("progress %d of %d, want %d", read, size, len(data))
			}
		})
	}
}

// TestReaderErrors: what is wrong is said with the line's number.
func TestReaderErrors(t *testing.T) {
	whole := gzipped(t, []byte(strings.Repeat("1 frame\n", 10_000)))
	for name, c := range map[string]struct {
		data string
		want string
	}{
		"no time":         {"1 a\n\nframe\n", ":3:"},
		"no frame":        {"1 a\n2\n", ":2:"},
		"an empty frame":  {"1 a\n2 \n", ":2:"},
		"no blank":        {"12{}\n", ":1:"},
		"negative":        {"-5 a\n", ":1:"},
		"beyond int64":    {"99999999999999999999 a\n", ":1:"},
		"gzip breaks off": {string(whole[:len(whole)-10]), "breaks off"},
		"bad gzip":        {"\x1f\x8b\x00\x00", "gzip"},
		"bad zstd":        {"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff", ":1:"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := replay.NewReader(strings.NewReader(c.data), 0)
			if err == nil {
				_, err = readAll(r)
				r.Close()
			}
			if !errors.Is(err, replay.ErrCapture) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
	if _, err := replay.Open(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	r, err := replay.NewReader(strings.NewReader(""), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("an empty capture: %v", err)
	}
}

// FuzzReader: no input panics, and what is read of plain text is in it.
func FuzzReader(f *testing.F) {
	f.Add([]byte("1 a\n2 b\n"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte("\x28\xb5\x2f\xfd\x00"))
	f.Add(gzipped(f, []byte("1 a\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := replay.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		defer r.Close()
		for n := 0; n < 1000; n++ {
			rx, frame, err := r.Next()
			if err != nil {
				return
			}
			if rx < 0 || len(frame) == 0 || bytes.IndexByte(frame, '\n') >= 0 {
				t.Fatalf("frame %q at %d", frame, rx)
			}
		}
	})
}

// BenchmarkReader reads 10 000 lines of 200 bytes, gzip-compressed.
func BenchmarkReader(b *testing.B) {
	text := bytes.Repeat([]byte("1723161253937085768 "+strings.Repeat("0123456789", 18)+"\n"), 10_000)
	data := gzipped(b, text)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r, err := replay.NewReader(bytes.NewReader(data), 0)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for {
			if _, _, err := r.Next(); err != nil {
				break
			}
			n++
		}
		if n != 10_000 {
			b.Fatalf("%d lines", n)
		}
		r.Close()
	}
}
