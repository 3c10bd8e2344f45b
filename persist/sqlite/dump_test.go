package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/sqlite"
	"qcat/persist/store"
)

// empty opens an empty database.
func empty(t testing.TB) (*sql.DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "restored.db")
	db, err := sqlite.OpenDB(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, path
}

// dumpOf is the dump of a database.
func dumpOf(t testing.TB, db *sql.DB) string {
	t.Helper()
	var out strings.Builder
	if err := sqlite.DumpAny(t.Context(), db, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestDumpAndRestore brings a store back: same digest, same dump to the byte, and a
// store that opens and goes on. Fault: restore of a backup into an empty machine.
func TestDumpAndRestore(t *testing.T) {
	src := script{300 / slowdown}
	s := open(t, keep(filepath.Join(t.TempDir(), "qcat.db")))
	src.fill(t, s, 0, 3)
	extreme := src.batch(store.Journal, 3)
	extreme.Positions = []history.Position{{Account: 1, Strategy: 1, Instrument: 1, Position: core.Position{Qty: math.MinInt64,
		EntryNum: core.Int128{Hi: math.MinInt64, Lo: math.MaxUint64}, EntryDen: math.MaxUint64, Cash: core.Int128{Hi: -1}}}}
	extreme.Audit = append(extreme.Audit, history.Audit{Seq: extreme.To, Action: "'", Detail: "a;b\r\n'c' \x01 ü \U0001F600 --"})
	if err := s.Write(t.Context(), extreme); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	dumped, err := sqlite.Dump(t.Context(), s.DB(), &out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := want.Diff(dumped.Digest); diff != nil {
		t.Errorf("the dump's digest differs in %v", diff)
	}

	db, path := empty(t)
	if err := sqlite.Restore(t.Context(), db, iotest.OneByteReader(strings.NewReader(out.String()))); err != nil {
		t.Fatal(err)
	}
	restored, err := sqlite.Inspect(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if diff := want.Diff(restored.Digest); diff != nil {
		t.Errorf("what was restored differs in %v", diff)
	}
	if restored.Positions != dumped.Positions || restored.Schema != dumped.Schema || restored.Schema == 0 {
		t.Errorf("restored %+v, dumped %+v", restored, dumped)
	}
	if again := dumpOf(t, db); again != out.String() {
		t.Errorf("the dump of what was restored differs at byte %d", differ(again, out.String()))
	}
	if err := sqlite.Restore(t.Context(), db, strings.NewReader(out.String())); !errors.Is(err, sqlite.ErrNotEmpty) {
		t.Errorf("restored over content: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	reopened := open(t, keep(path))
	for stream := range store.NumStreams {
		if err := reopened.Write(t.Context(), src.batch(stream, int(dumped.Positions[stream].Seq)/src.rows)); err != nil {
			t.Error(err)
		}
	}
}

// differ is where two strings differ first.
func differ(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// TestDumpIsOneState dumps while both streams are written to: what comes out is the
// state of some whole batch.
func TestDumpIsOneState(t *testing.T) {
	src := script{100 / slowdown}
	s := open(t, keep(filepath.Join(t.TempDir(), "qcat.db")))
	src.fill(t, s, 0, 2)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		n := 2
		for ; ctx.Err() == nil; n++ {
			for stream := range store.NumStreams {
				if err := s.Write(context.Background(), src.batch(stream, n)); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	for range 2 {
		db, path := empty(t)
		if err := sqlite.Restore(t.Context(), db, strings.NewReader(dumpOf(t, s.DB()))); err != nil {
			t.Error(err)
			break
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		src.mirror().equal(t, open(t, keep(path)))
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestRestoreStopsAtTheFirstError spoils dumps in ways that happen and some that do
// not, and expects the line and a database that is as empty as before.
func TestRestoreStopsAtTheFirstError(t *testing.T) {
	s := open(t, keep(filepath.Join(t.TempDir(), "qcat.db")))
	script{100}.fill(t, s, 0, 1)
	good := dumpOf(t, s.DB())
	lines := strings.SplitAfter(good, "\n")
	half := len(lines) / 2
	for !strings.HasPrefix(lines[half], "INSERT INTO") {
		half++
	}
	for name, c := range map[string]struct {
		text string
		line int
		is   error
	}{
		"cut within a statement": {strings.Join(lines[:half], "") + lines[half][:20], half + 1, sqlite.ErrRestore},
		"cut between two":        {strings.Join(lines[:half], ""), half + 1, sqlite.ErrRestore},
		"cut within a string":    {"BEGIN;\nCREATE TABLE a (x);\nINSERT INTO \"a\" VALUES ('b", 3, sqlite.ErrRestore},
		"a bad statement":        {strings.Join(lines[:half], "") + "INSERT INTO \"nowhere\" VALUES (1);\n" + strings.Join(lines[half:], ""), half + 1, sqlite.ErrRestore},
		"a statement too many":   {good + "INSERT INTO \"accounts\" VALUES (7, 'x');\n", len(lines), sqlite.ErrRestore},
		"another statement":      {"BEGIN;\nPRAGMA writable_schema = 1;\nCOMMIT;\n", 2, sqlite.ErrRestore},
		"an early rollback":      {"BEGIN;\nCREATE TABLE a (x);\nROLLBACK;\nCOMMIT;\n", 3, sqlite.ErrRestore},
		"no BEGIN":               {"CREATE TABLE a (x);\nCOMMIT;\n", 1, sqlite.ErrRestore},
		"nothing":                {"", 1, sqlite.ErrRestore},
		"a doubled row":          {"BEGIN;\nCREATE TABLE a (x PRIMARY KEY);\nINSERT INTO \"a\" VALUES\n(1),\n(1);\nCOMMIT;\n", 3, sqlite.ErrRestore},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := empty(t)
			err := sqlite.Restore(t.Context(), db, strings.NewReader(c.text))
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), fmt.Sprintf("line %d:", c.line)) {
				t.Errorf("not line %d: %v", c.line, err)
			}
			if err := sqlite.Restore(t.Context(), db, strings.NewReader(good)); err != nil {
				t.Errorf("not empty afterwards: %v", err)
			}
		})
	}
}

// TestRestoreErrorsOfTheReader are not taken for the end.
func TestRestoreErrorsOfTheReader(t *testing.T) {
	s := open(t, keep(filepath.Join(t.TempDir(), "qcat.db")))
	good := dumpOf(t, s.DB())
	broken := errors.New("broken pipe")
	for _, n := range []int{0, len(good) / 2, len(good)} {
		db, _ := empty(t)
		err := sqlite.Restore(t.Context(), db, &failing{[]byte(good[:n]), broken})
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// failing is a reader that ends with an error of its own.
type failing struct {
	left []byte
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if len(f.left) == 0 {
		return 0, f.err
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}

// TestTriggersThatRefuse: they come back, last, and do what they did.
func TestTriggersThatRefuse(t *testing.T) {
	db, _ := empty(t)
	const text = "CREATE TABLE a (x); INSERT INTO a VALUES (1); CREATE TRIGGER b BEFORE DELETE ON a\nWHEN OLD.x > 0\nBEGIN SELECT RAISE(ABORT, 'no: never'); END"
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	dump := dumpOf(t, db)
	restored, _ := empty(t)
	if err := sqlite.Restore(t.Context(), restored, strings.NewReader(dump)); err != nil {
		t.Fatal(err)
	}
	if again := dumpOf(t, restored); again != dump {
		t.Errorf("%s\nbecame\n%s", dump, again)
	}
	if _, err := restored.ExecContext(t.Context(), "DELETE FROM a"); err == nil || !strings.Contains(err.Error(), "no: never") {
		t.Errorf("the trigger does not refuse: %v", err)
	}
	for _, change := range [][2]string{{"SELECT RAISE(ABORT, 'no: never')", "DELETE FROM a"}, {"BEFORE", "AFTER"}, {"; END", "; DELETE FROM a; END"}, {"; END;", ";"}} {
		other, _ := empty(t)
		if err := sqlite.Restore(t.Context(), other, strings.NewReader(strings.Replace(dump, change[0], change[1], 1))); !errors.Is(err, sqlite.ErrRestore) {
			t.Errorf("with %s: %v", change[1], err)
		}
	}
}

// TestDumpRefusesWhatItCannotHold has a number with a fraction, a trigger and a writer
// that fails.
func TestDumpRefusesWhatItCannotHold(t *testing.T) {
	for _, text := range []string{
		"CREATE TABLE a AS SELECT 0.5 AS x",
		"CREATE TABLE a (x); CREATE TRIGGER b AFTER INSERT ON a BEGIN DELETE FROM a; END",
		"CREATE TABLE a (x); CREATE TRIGGER b BEFORE INSERT ON a BEGIN SELECT RAISE(ABORT, 'no'); DELETE FROM a; END",
		"CREATE TABLE a (x); CREATE TRIGGER b BEFORE INSERT ON a BEGIN SELECT RAISE(IGNORE); END",
	} {
		db, _ := empty(t)
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		if err := sqlite.DumpAny(t.Context(), db, &bytes.Buffer{}); !errors.Is(err, sqlite.ErrDump) {
			t.Errorf("%s: %v", text, err)
		}
	}
	s := open(t, keep(filepath.Join(t.TempDir(), "qcat.db")))
	script{1000}.fill(t, s, 0, 1)
	for room := range 10 {
		if err := sqlite.DumpAny(t.Context(), s.DB(), &narrow{room << 14}); !errors.Is(err, sqlite.ErrDump) || !errors.Is(err, errNarrow) {
			t.Errorf("with room for %d bytes: %v", room<<14, err)
		}
	}
}

// narrow is a writer with room for so many bytes.
type narrow struct{ room int }

var errNarrow = errors.New("no room")

func (n *narrow) Write(p []byte) (int, error) {
	if n.room -= len(p); n.room < 0 {
		return 0, errNarrow
	}
	return len(p), nil
}
