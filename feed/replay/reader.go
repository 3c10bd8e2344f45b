package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"qcat/core"
)

// MaxLine bounds one line of a capture in bytes, against files that are none.
const MaxLine = 64 << 20

// readBuffer is how much of the decompressed stream is read ahead.
const readBuffer = 1 << 20

// ErrCapture is wrapped by the errors that a capture's content causes.
var ErrCapture = errors.New("capture")

// Reader reads a capture line by line. It belongs to one goroutine and does not
// allocate once it has seen the longest line.
type Reader struct {
	name   string
	source countingReader
	size   int64
	lines  *bufio.Reader
	line   int
	long   []byte // a line longer than the read buffer
	close  []func()
}

// countingReader counts what was read of the file itself, before decompression.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Open opens the capture at path. Close it when done.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	size := int64(0)
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	r, err := newReader(path, f, size)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	r.close = append(r.close, func() { _ = f.Close() })
	return r, nil
}

// NewReader reads a capture from src, whose length in bytes is size, 0 if it is
// not known.
func NewReader(src io.Reader, size int64) (*Reader, error) {
	return newReader("capture", src, size)
}

func newReader(name string, src io.Reader, size int64) (*Reader, error) {
	r := &Reader{name: name, source: countingReader{r: src}, size: size}
	head := bufio.NewReaderSize(&r.source, 64<<10)
	magic, err := head.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var plain io.Reader = head
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(head)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: gzip: %w", ErrCapture, name, err)
		}
		plain = z
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, fmt.Errorf("%w: %s: zstd: %w", ErrCapture, name, err)
		}
		plain = z
		r.close = append(r.close, z.Close)
	}
	r.lines = bufio.NewReaderSize(plain, readBuffer)
	return r, nil
}

// Close frees what the reader holds.
func (r *Reader) Close() {
	for _, f := range r.close {
		f()
	}
	r.close = nil
}

// Line returns the number of the line that Next returned last, from 1.
func (r *Reader) Line() int { return r.line }

// Progress returns how many bytes of the file were read so far and how many it
// has, 0 if that is not known.
func (r *Reader) Progress() (read, size int64) { return r.source.n, r.size }

// Next returns the next frame and when it was received. The frame is valid until
// the next call. Empty lines are skipped.
//
// Errors: io.EOF at the end; ErrCapture, naming the line, for a line that is not
// of the format or a file that breaks off; otherwise that of the file.
func (r *Reader) Next() (core.Nanos, []byte, error) {
	for {
		line, err := r.readLine()
		if err != nil {
			return 0, nil, err
		}
		if len(line) == 0 {
			continue
		}
		return r.split(line)
	}
}

// readLine returns the next line without its end.
func (r *Reader) readLine() ([]byte, error) {
	line, err := r.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.readLong(line)
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF) && len(line) > 0:
		// The last line may lack its end.
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, ErrCapture):
		return nil, err
	default:
		return nil, fmt.Errorf("%w: %s:%d: the file is damaged or breaks off: %w", ErrCapture, r.name, r.line+1, err)
	}
	r.line++
	return bytes.TrimRight(line, "\r\n"), nil
}

// readLong goes on with a line that did not fit the read buffer.
func (r *Reader) readLong(start []byte) ([]byte, error) {
	r.long = append(r.long[:0], start...)
	for {
		part, err := r.lines.ReadSlice('\n')
		r.long = append(r.long, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return r.long, err
		}
		if len(r.long) > MaxLine {
			return nil, fmt.Errorf("%w: %s:%d: a line of more than %d bytes", ErrCapture, r.name, r.line+1, MaxLine)
		}
	}
}

// split parses "<ns> <frame>".
func (r *Reader) split(line []byte) (core.Nanos, []byte, error) {
	var ns int64
	i := 0
	for ; i < len(line); i++ {
		d := line[i] - '0'
		if d > 9 {
			break
		}
		if ns > (math.MaxInt64-9)/10 {
			return 0, nil, r.malformed(line)
		}
		ns = ns*10 + int64(d)
	}
	if i == 0 || i+1 >= len(line) || line[i] != ' ' {
		return 0, nil, r.malformed(line)
	}
	return core.Nanos(ns), line[i+1:], nil
}

func (r *Reader) malformed(line []byte) error {
	const shown = 40
	if len(line) > shown {
		line = line[:shown]
	}
	return fmt.Errorf("%w: %s:%d: want \"<receive time in ns> <frame>\", have %q", ErrCapture, r.name, r.line, line)
}
