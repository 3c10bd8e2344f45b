package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"qcat/core"
)

// ints are numbers as a state has them.
func ints(vs ...uint64) (b []byte) {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func TestReaderReadsWhatIsThere(t *testing.T) {
	b := append([]byte{7, 1, 0, 4, 3, 2, 1}, ints(math.MaxUint64, math.MaxUint64, 1<<63, 5, math.MaxUint32, 9, 2)...)
	r := NewReader(append(b, "xyz"...))
	if v := r.U8(); v != 7 {
		t.Errorf("8 bits: %d", v)
	}
	if !r.Bit() || r.Bit() {
		t.Error("the flags are 1 and 0")
	}
	if v := r.U32(); v != 0x01020304 {
		t.Errorf("32 bits: %#x", v)
	}
	if v := r.U64(); v != math.MaxUint64 {
		t.Errorf("64 bits: %d", v)
	}
	if v := r.I64(); v != -1 {
		t.Errorf("64 bits with a sign: %d", v)
	}
	if v := r.I128(); v != (core.Int128{Hi: math.MinInt64, Lo: 5}) {
		t.Errorf("128 bits: %v", v)
	}
	if v := r.ID(); v != math.MaxUint32 {
		t.Errorf("an id: %d", v)
	}
	if v := r.UpTo(9); v != 9 {
		t.Errorf("at most 9: %d", v)
	}
	if v := r.Count(1); v != 2 {
		t.Errorf("a count: %d", v)
	}
	if v := r.Take(2); string(v) != "xy" || string(r.Left()) != "z" {
		t.Errorf("bytes: %q, left %q", v, r.Left())
	}
	if what, offset := r.Wrong(); !r.OK() || what != "" || offset != 0 {
		t.Errorf("wrong: %q at %d", what, offset)
	}
}

// After the first thing wrong nothing more is read, and it is the one that is told.
func TestReaderStopsAtTheFirstThingWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		b      []byte
		read   func(*Reader) bool // that it came out as zero
		what   string
		offset int
	}{
		{"bytes", []byte{1, 2}, func(r *Reader) bool { return r.Take(3) == nil }, "bytes are missing", 0},
		{"8 bits", nil, func(r *Reader) bool { return r.U8() == 0 }, "bytes are missing", 0},
		{"32 bits", make([]byte, 3), func(r *Reader) bool { return r.U32() == 0 }, "bytes are missing", 0},
		{"64 bits", make([]byte, 7), func(r *Reader) bool { return r.U64() == 0 }, "bytes are missing", 0},
		{"128 bits", ints(0), func(r *Reader) bool { return r.I128() == core.Int128{} }, "bytes are missing", 8},
		{"a flag", []byte{2, 0}, func(r *Reader) bool { return !r.Bit() }, "a flag is neither 0 nor 1", 1},
		{"an id", ints(math.MaxUint32 + 1), func(r *Reader) bool { return r.ID() == 0 }, "a number is out of its range", 8},
		{"below", ints(math.MaxUint64), func(r *Reader) bool { return r.UpTo(math.MaxInt64) == 0 }, "a number is out of its range", 8},
		{"above", ints(10), func(r *Reader) bool { return r.UpTo(9) == 0 }, "a number is out of its range", 8},
		{"a count", append(ints(3), make([]byte, 23)...), func(r *Reader) bool { return r.Count(8) == 0 }, "a number is out of its range", 8},
		{"a part", []byte{1, 2}, func(r *Reader) bool {
			r.U8()
			r.Part(func(b []byte) ([]byte, error) { return b, errors.New("a part's own") })
			return true
		}, "a part's own", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := NewReader(c.b)
			if !c.read(&r) {
				t.Error("what is wrong was read")
			}
			r.Fail("something later")
			r.Part(func([]byte) ([]byte, error) { t.Error("a part was read after it"); return nil, nil })
			if what, offset := r.Wrong(); r.OK() || what != c.what || offset != c.offset {
				t.Errorf("%q at %d, want %q at %d", what, offset, c.what, c.offset)
			}
			if len(r.Left()) != 0 || r.Take(1) != nil || r.U64() != 0 || r.Bit() || r.Count(1) != 0 {
				t.Error("something is read after it")
			}
		})
	}
}

func TestReaderHandsOnAPart(t *testing.T) {
	r := NewReader([]byte{1, 2, 3})
	r.Part(func(b []byte) ([]byte, error) {
		if !bytes.Equal(b, []byte{1, 2, 3}) {
			t.Errorf("the part gets %v", b)
		}
		return b[2:], nil
	})
	if r.U8() != 3 || !r.OK() {
		t.Error("what follows the part is not read next")
	}
}

// FuzzReader holds that no script of readings takes more than there is, and that counts
// are bounded by what is left.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7}, ints(1, 2, 3, 4, 5, 6, 7, 8))
	f.Fuzz(func(t *testing.T, script, b []byte) {
		r := NewReader(b)
		for _, step := range script {
			left := len(r.Left())
			switch step % 8 {
			case 0:
				r.U8()
			case 1:
				r.Bit()
			case 2:
				r.U32()
			case 3:
				r.I128()
			case 4:
				r.ID()
			case 5:
				r.UpTo(int64(step))
			case 6:
				if n, size := r.Count(1+int(step)), 1+int(step); n*size > max(left-8, 0) {
					t.Fatalf("%d elements of %d bytes in %d", n, size, left)
				}
			case 7:
				r.Take(int(step))
			}
			if len(r.Left()) > left || (!r.OK() && len(r.Left()) > 0) {
				t.Fatalf("%d bytes left of %d", len(r.Left()), left)
			}
		}
	})
}
