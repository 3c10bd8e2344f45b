package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors of Restore.
var (
	// ErrNotEmpty is wrapped when a database that is to be restored into has
	// content.
	ErrNotEmpty = errors.New("sqlite: restore: the database is not empty")
	// ErrRestore is wrapped when a dump cannot be restored; the message says the
	// line. The database is as empty as before.
	ErrRestore = errors.New("sqlite: restore")
)

// maxStatement bounds one statement of a dump in bytes.
const maxStatement = 16 << 20

// Restore runs a dump on an empty database, in one transaction, and stops at the
// first error: then nothing is stored. A dump that ends before its COMMIT is an
// error. Statements that Dump does not write are not run.
func Restore(ctx context.Context, db *sql.DB, r io.Reader) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRestore, err)
	}
	defer func() { _ = c.Close() }() // it goes back to the pool
	var objects int
	if err := c.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return fmt.Errorf("%w: %w", ErrRestore, err)
	}
	if objects > 0 {
		return ErrNotEmpty
	}
	if err := restore(ctx, c, newStatements(r)); err != nil {
		// A transaction that has not begun, or ended by itself, has nothing to roll back.
		_, _ = c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	return nil
}

// restore runs the statements one by one. The COMMIT is run when nothing comes after
// it: what is wrong there is found while it can still be taken back.
func restore(ctx context.Context, c *sql.Conn, in *statements) error {
	for begun, ended := false, false; ; {
		text, line, err := in.next()
		switch {
		case errors.Is(err, io.EOF) && ended:
			text, err = "COMMIT", nil
		case errors.Is(err, io.EOF):
			err = fmt.Errorf("the dump ends before its COMMIT: %w", io.ErrUnexpectedEOF)
		case err != nil:
		case ended:
			err = errors.New("there is more after COMMIT")
		case begun && text == "COMMIT":
			ended = true
			continue
		default:
			err = allowed(text, begun)
		}
		if err == nil {
			_, err = c.ExecContext(ctx, text)
		}
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrRestore, line, err)
		}
		if ended {
			return nil
		}
		begun = true
	}
}

// allowed refuses what Dump does not write.
func allowed(text string, begun bool) error {
	if !begun {
		if text != "BEGIN" {
			return fmt.Errorf("not a dump: it begins with %.40q", text)
		}
		return nil
	}
	for _, verb := range [...]string{"CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX ", "CREATE VIEW ", "INSERT INTO \"", "DELETE FROM " + sequences} {
		if strings.HasPrefix(text, verb) {
			return nil
		}
	}
	if refusing.MatchString(text) {
		return nil
	}
	return fmt.Errorf("%.40q does not belong in a dump", text)
}

// statements cuts SQL text at its semicolons. It knows quotes and comments, and
// holds one statement at a time.
type statements struct {
	r    *bufio.Reader
	line int // of the next byte
	buf  []byte
}

func newStatements(r io.Reader) *statements {
	return &statements{r: bufio.NewReaderSize(r, dumpBytes), line: 1}
}

// next returns the next statement without its semicolon, comments before it left
// out, and the line that it begins in.
//
// Errors: io.EOF when there is none; io.ErrUnexpectedEOF within one, whose line is
// then returned; the reader's.
func (s *statements) next() (text string, line int, err error) {
	s.buf = s.buf[:0]
	line = s.line
	for {
		b, err := s.read()
		if err != nil {
			if len(s.buf) == 0 {
				return "", s.line, err
			}
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return "", line, err
		}
		if len(s.buf) == 0 {
			if b == ' ' || b == '\t' || b == '\r' || b == '\n' {
				continue
			}
			line = s.line
		}
		if b == ';' && !s.within() {
			return string(s.buf), line, nil
		}
		if err := s.take(b); err != nil {
			return "", line, err
		}
	}
}

// within reports whether a semicolon ends a statement of a trigger's and not the trigger
// itself, which ends with END.
func (s *statements) within() bool {
	return bytes.HasPrefix(s.buf, []byte("CREATE TRIGGER ")) && !bytes.HasSuffix(s.buf, []byte("; END"))
}

// take adds b, and the rest of what begins with it: a quoted string or a comment.
func (s *statements) take(b byte) error {
	s.buf = append(s.buf, b)
	switch b {
	case '\'', '"', '`':
		return s.until(string(b), true)
	case '[':
		return s.until("]", true)
	case '-':
		return s.comment('-', "\n")
	case '/':
		return s.comment('*', "*/")
	}
	return s.bounded()
}

// comment takes a comment if second is what follows. One that comes before a
// statement is dropped.
func (s *statements) comment(second byte, end string) error {
	if p, _ := s.r.Peek(1); len(p) == 0 || p[0] != second {
		return nil // an error is met again by the next read
	}
	begins := len(s.buf) == 1
	if _, err := s.read(); err != nil {
		return err
	}
	s.buf = append(s.buf, second)
	if err := s.until(end, !begins); err != nil {
		return err
	}
	if begins {
		s.buf = s.buf[:0]
	}
	return nil
}

// until takes everything up to and with end.
func (s *statements) until(end string, keep bool) error {
	start := len(s.buf)
	for {
		b, err := s.read()
		if errors.Is(err, io.EOF) {
			if end == "\n" {
				return nil
			}
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		s.buf = append(s.buf, b)
		if n := len(s.buf) - len(end); n >= start && string(s.buf[n:]) == end {
			return nil
		}
		if !keep && len(s.buf) > start+len(end) {
			s.buf = append(s.buf[:start], s.buf[len(s.buf)-len(end):]...)
		}
		if err := s.bounded(); err != nil {
			return err
		}
	}
}

// bounded refuses a statement that is too long.
func (s *statements) bounded() error {
	if len(s.buf) > maxStatement {
		return fmt.Errorf("a statement of more than %d bytes", maxStatement)
	}
	return nil
}

// read returns the next byte and counts lines.
func (s *statements) read() (byte, error) {
	b, err := s.r.ReadByte()
	if err == nil && b == '\n' {
		s.line++
	}
	return b, err
}
