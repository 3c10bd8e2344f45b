package backup

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"
)

// gzipLevel trades size for time: SQL text shrinks to about a sixth at any level.
const gzipLevel = 3

// sink is a file of a backup in the making: what is written to it is compressed,
// summed and stored under a name that says that it is not finished.
type sink struct {
	path  string // of the finished file
	file  *os.File
	out   *bufio.Writer
	sum   hash.Hash
	zip   *gzip.Writer
	bytes int64
	began time.Time
}

// newSink begins the file at path; there must be none, finished or not.
func newSink(path string) (*sink, error) {
	f, err := os.OpenFile(path+partialSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	s := &sink{path: path, file: f, out: bufio.NewWriterSize(f, 1<<18), sum: sha256.New(), began: time.Now()}
	if s.zip, err = gzip.NewWriterLevel(counted{s}, gzipLevel); err != nil {
		return nil, err // the level is a constant of ours
	}
	return s, nil
}

// counted is where the compressed bytes go.
type counted struct{ s *sink }

func (c counted) Write(b []byte) (int, error) {
	n, err := c.s.out.Write(b)
	c.s.sum.Write(b[:n])
	c.s.bytes += int64(n)
	return n, err
}

// Write implements io.Writer.
func (s *sink) Write(b []byte) (int, error) {
	n, err := s.zip.Write(b)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.path+partialSuffix, err)
	}
	return n, err
}

// finish gives the file its name, and the checksum beside it.
func (s *sink) finish() (File, error) {
	err := s.zip.Close()
	if err == nil {
		err = s.out.Flush()
	}
	if err == nil {
		err = s.file.Sync()
	}
	err = errors.Join(err, s.file.Close())
	if err != nil {
		return File{}, errors.Join(fmt.Errorf("%s: %w", s.path, err), os.Remove(s.path+partialSuffix))
	}
	f := File{Name: filepath.Base(s.path), Bytes: s.bytes, SHA256: hex.EncodeToString(s.sum.Sum(nil)),
		TookNs: time.Since(s.began).Nanoseconds()}
	if err := os.Rename(s.path+partialSuffix, s.path); err != nil {
		return File{}, err
	}
	return f, writeWhole(s.path+sumSuffix, []byte(f.SHA256+"  "+f.Name+"\n"))
}

// abandon removes what was written so far.
func (s *sink) abandon() error {
	return errors.Join(s.file.Close(), os.Remove(s.path+partialSuffix))
}

// writeWhole writes a small file so that it is there whole or not at all.
func writeWhole(path string, content []byte) error {
	tmp := path + partialSuffix
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("backup: %w", err), os.Remove(tmp))
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes names in dir survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// source reads a finished file of a backup: io.EOF comes only when every byte was
// read and its checksum is right.
type source struct {
	path string
	want string
	file *os.File
	sum  hash.Hash
	zip  *gzip.Reader
}

// open begins to read a file; want is its checksum in hexadecimal. tell, when given,
// is called with how many of its bytes have been read, and how many there are.
func open(path, want string, tell func(done, total int64)) (*source, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	s := &source{path: path, want: want, file: f, sum: sha256.New()}
	read := io.Writer(s.sum)
	if info, err := f.Stat(); err == nil && tell != nil {
		read = io.MultiWriter(s.sum, &teller{tell: tell, total: info.Size()})
	}
	if s.zip, err = gzip.NewReader(bufio.NewReaderSize(io.TeeReader(f, read), 1<<18)); err != nil {
		return nil, errors.Join(s.damaged(err), f.Close())
	}
	return s, nil
}

// teller tells how many bytes have passed.
type teller struct {
	tell        func(done, total int64)
	done, total int64
}

// Write implements io.Writer.
func (t *teller) Write(b []byte) (int, error) {
	t.done += int64(len(b))
	t.tell(t.done, t.total)
	return len(b), nil
}

func (s *source) damaged(err error) error { return fmt.Errorf("%w: %s: %w", ErrDamaged, s.path, err) }

// Read implements io.Reader.
func (s *source) Read(b []byte) (int, error) {
	n, err := s.zip.Read(b)
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		return n, s.damaged(err)
	}
	// gzip takes what follows as another member, so that it has read to the end.
	if got := hex.EncodeToString(s.sum.Sum(nil)); got != s.want {
		return n, s.damaged(fmt.Errorf("SHA-256 is %s instead of %s", got, s.want))
	}
	return n, io.EOF
}

// drain reads the rest, for its checksum.
func (s *source) drain() error {
	_, err := io.Copy(io.Discard, s)
	return err
}

// Close implements io.Closer.
func (s *source) Close() error { return s.file.Close() }
