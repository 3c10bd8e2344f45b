package sqlite_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"qcat/persist/sqlite"
)

// FuzzLiteral has SQLite evaluate what a dump writes for a value: the same must come
// back, of the same type, and the text must be one line that a statement can hold.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", "'", "''", "a'b;--\n/*", "\x00", "a\x00b", "\xff\xfe", "ü\u2028", "\r\n", "X'00'", "\x7f", "\""} {
		f.Add(s, int64(len(s)))
	}
	f.Add("x", int64(math.MinInt64))
	f.Add("x", int64(math.MaxInt64))
	db, _ := empty(f)
	f.Fuzz(func(t *testing.T, s string, n int64) {
		var list []string
		for _, v := range []any{s, []byte(s), n, nil} {
			lit, err := sqlite.Literal(v)
			if err != nil || strings.ContainsAny(lit, "\r\n\x00") {
				t.Fatalf("%q: %q, %v", v, lit, err)
			}
			list = append(list, lit)
		}
		var text string
		var blob []byte
		var number int64
		var null any
		var types string
		query := "SELECT " + strings.Join(list, ", ")
		for _, lit := range list {
			query += ", typeof(" + lit + ")"
		}
		var kinds [4]string
		if err := db.QueryRow(query).Scan(&text, &blob, &number, &null, &kinds[0], &kinds[1], &kinds[2], &kinds[3]); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if types = strings.Join(kinds[:], " "); types != "text blob integer null" {
			t.Errorf("types %s", types)
		}
		if text != s || !bytes.Equal(blob, []byte(s)) || number != n || null != nil {
			t.Errorf("%q %d came back as %q %q %d %v", s, n, text, blob, number, null)
		}
	})
}

// FuzzRestore feeds anything to Restore: it must not panic, and what it refuses must
// leave the database empty.
func FuzzRestore(f *testing.F) {
	f.Add("-- qcat sqlite dump 1\nBEGIN;\nCREATE TABLE a (x);\nINSERT INTO \"a\" VALUES\n(1),\n('b;''c');\nCOMMIT;\n")
	f.Add("BEGIN;COMMIT;")
	f.Add("BEGIN; CREATE TABLE [a;b] (\"x;\" /* ; */ -- ;\n); COMMIT; -- end")
	f.Add("/* */ BEGIN;\n/* open")
	f.Add("BEGIN; CREATE TABLE a (x DEFAULT (1; COMMIT;")
	f.Add("BEGIN; CREATE TABLE a (x); CREATE TRIGGER b BEFORE DELETE ON a\nWHEN OLD.x > 1\nBEGIN SELECT RAISE(ABORT, 'no'); END; COMMIT;")
	f.Fuzz(func(t *testing.T, text string) {
		db, _ := empty(t)
		err := sqlite.Restore(t.Context(), db, strings.NewReader(text))
		var objects int
		if e := db.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&objects); e != nil {
			t.Fatal(e)
		}
		if err != nil && objects > 0 {
			t.Errorf("%v, but there are %d tables", err, objects)
		}
	})
}
