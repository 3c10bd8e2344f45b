package backup_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"qcat/persist/backup"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/store"
)

// flip changes one bit of a file.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	change(t, path, func(raw []byte) []byte { raw[at] ^= 0x10; return raw })
}

func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, f(raw), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Damage to any file of a backup is found by verify and refused by restore, which
// leaves the machine as it was: one that is empty, and one that is not.
func TestDamage(t *testing.T) {
	damages := []struct {
		name string
		want error
		do   func(t *testing.T, path func(suffix string) string)
	}{
		{"dump cut", backup.ErrDamaged, func(t *testing.T, p func(string) string) {
			change(t, p(".sql.gz"), func(raw []byte) []byte { return raw[:len(raw)*2/3] })
		}},
		{"dump flipped", backup.ErrDamaged, func(t *testing.T, p func(string) string) { flip(t, p(".sql.gz"), 700) }},
		{"dump's end flipped", backup.ErrDamaged, func(t *testing.T, p func(string) string) {
			change(t, p(".sql.gz"), func(raw []byte) []byte { raw[len(raw)-1] ^= 1; return raw })
		}},
		{"dump empty", backup.ErrDamaged, func(t *testing.T, p func(string) string) {
			change(t, p(".sql.gz"), func([]byte) []byte { return nil })
		}},
		{"dump another", backup.ErrDamaged, func(t *testing.T, p func(string) string) {
			change(t, p(".sql.gz"), func([]byte) []byte { return zipped([]byte("SELECT 1;\n")) })
		}},
		{"dump gone", backup.ErrIncomplete, func(t *testing.T, p func(string) string) { remove(t, p(".sql.gz")) }},
		{"data cut", backup.ErrDamaged, func(t *testing.T, p func(string) string) {
			change(t, p(".data.tar.gz"), func(raw []byte) []byte { return raw[:len(raw)/2] })
		}},
		{"data flipped", backup.ErrDamaged, func(t *testing.T, p func(string) string) { flip(t, p(".data.tar.gz"), 900) }},
		{"data gone", backup.ErrIncomplete, func(t *testing.T, p func(string) string) { remove(t, p(".data.tar.gz")) }},
		{"manifest gone", backup.ErrIncomplete, func(t *testing.T, p func(string) string) { remove(t, p(".json")) }},
		{"manifest cut", backup.ErrDamaged, func(t *testing.T, p func(string) string) {
			change(t, p(".json"), func(raw []byte) []byte { return raw[:len(raw)/2] })
		}},
		{"manifest's sums cut", backup.ErrDamaged, func(t *testing.T, p func(string) string) {
			edit(t, p(".json"), func(m *backup.Manifest) { m.Tables[3].Sum = "12" })
		}},
		{"manifest of a journal that is too short", backup.ErrDamaged, func(t *testing.T, p func(string) string) {
			edit(t, p(".json"), func(m *backup.Manifest) { m.Data.Last-- })
		}},
		{"schema of the future", store.ErrSchema, func(t *testing.T, p func(string) string) {
			edit(t, p(".json"), func(m *backup.Manifest) { m.Schema++ })
		}},
		{"content another than the sums'", backup.ErrDiffers, func(t *testing.T, p func(string) string) { forge(t, p) }},
	}
	slow := []string{"dump cut", "dump's end flipped", "data cut", "content another than the sums'"}
	each(t, func(t *testing.T, b *bed) {
		b.trade(60)
		b.snapshot()
		m := b.create()
		whole, empty := b.dir, b.target()
		full := b.target()
		_, err := full.restore(m.Name)
		b.must(err)
		for _, d := range damages {
			if b.kind == backup.KindPostgres && !slices.Contains(slow, d.name) {
				continue // the same for both
			}
			b.dir = t.TempDir()
			b.must(os.CopyFS(b.dir, os.DirFS(whole)))
			d.do(t, func(suffix string) string { return filepath.Join(b.dir, m.Name+suffix) })
			needsDatabase := errors.Is(d.want, backup.ErrDiffers) || errors.Is(d.want, store.ErrSchema)
			if _, err := backup.Verify(t.Context(), b.dir, m.Name); !errors.Is(err, d.want) && !needsDatabase {
				t.Errorf("%s: verify: %v", d.name, err)
			}
			for name, target := range map[string]*target{"empty": empty, "full": full} {
				before := target.content()
				c := target.config(m.Name)
				c.Clean = target == full
				if _, err := backup.Restore(t.Context(), c); !errors.Is(err, d.want) {
					t.Errorf("%s: restore into an %s machine: %v", d.name, name, err)
				}
				if after := target.content(); after != before {
					t.Errorf("%s: an %s machine is not as it was:\n%s\n--- before:\n%s", d.name, name, after, before)
				}
			}
		}
	})
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func zipped(text []byte) []byte {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, _ = zip.Write(text) // a buffer
	_ = zip.Close()
	return out.Bytes()
}

func edit(t *testing.T, path string, f func(*backup.Manifest)) {
	t.Helper()
	change(t, path, func(raw []byte) []byte {
		m := new(backup.Manifest)
		if err := json.Unmarshal(raw, m); err != nil {
			t.Fatal(err)
		}
		f(m)
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	})
}

// forge changes one name in the dump, and all checksums of the dump with it.
func forge(t *testing.T, path func(string) string) {
	t.Helper()
	var forged []byte
	change(t, path(".sql.gz"), func(raw []byte) []byte {
		zip, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(zip)
		if err != nil || !bytes.Contains(text, []byte("demo")) {
			t.Fatalf("no such name: %v", err)
		}
		forged = zipped(bytes.Replace(text, []byte("demo"), []byte("dame"), 1))
		return forged
	})
	sum := sha256.Sum256(forged)
	text := hex.EncodeToString(sum[:])
	edit(t, path(".json"), func(m *backup.Manifest) { m.Dump.SHA256, m.Dump.Bytes = text, int64(len(forged)) })
	change(t, path(".sql.gz.sha256"), func([]byte) []byte { return []byte(text + "  x\n") })
}

// A missing checksum file makes a backup incomplete; restore has the manifest's.
func TestMissingChecksum(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	m := b.create()
	remove(t, filepath.Join(b.dir, m.Data.Name+".sha256"))
	if _, err := backup.Verify(t.Context(), b.dir, m.Name); !errors.Is(err, backup.ErrIncomplete) {
		t.Errorf("verify: %v", err)
	}
	list, err := backup.List(b.dir)
	b.must(err)
	if len(list) != 1 || list[0].State != backup.StateIncomplete || !strings.Contains(list[0].Why, ".sha256 is missing") {
		t.Errorf("list: %+v", list)
	}
	_, err = b.target().restore(m.Name)
	b.must(err)
}

// What is there is not covered without a word, and moved aside with one.
func TestNotEmpty(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.trade(30)
		b.snapshot()
		m := b.create()
		target := b.target()
		_, err := target.restore(m.Name)
		b.must(err)
		b.must(os.WriteFile(filepath.Join(target.dataDir, "LOCK"), []byte("1\n"), 0o600))
		before := target.content()
		if _, err := target.restore(m.Name); !errors.Is(err, backup.ErrNotEmpty) || !strings.Contains(err.Error(), "--clean") {
			t.Errorf("got %v", err)
		}
		if after := target.content(); after != before {
			t.Error("a refused restore changed something")
		}
		cfg := target.config(m.Name)
		cfg.Clean = true
		out, err := backup.Restore(t.Context(), cfg)
		b.must(err)
		if len(out.Aside) == 0 {
			t.Error("nothing was moved aside")
		}
		got, err := b.open(target.dataDir, target.url).Digest(t.Context())
		b.must(err)
		want, err := b.store.Digest(t.Context())
		b.must(err)
		if !want.Equal(got) {
			t.Errorf("restored content differs in %v", want.Diff(got))
		}
		aside, err := filepath.Glob(filepath.Join(target.dataDir, "before-restore-*", "journal", "*.seg"))
		if err != nil || len(aside) == 0 {
			t.Errorf("the old journal is not aside: %v", err)
		}
		if _, err := os.Stat(filepath.Join(target.dataDir, "LOCK")); err != nil {
			t.Error("the lock was moved")
		}
		if target.url != "" && !strings.Contains(psql(t, target.url, `SELECT nspname FROM pg_namespace`), "qcat_old_") {
			t.Error("the old tables are not aside")
		}
	})
}

// Tables that were moved aside are not in the next backup.
func TestAsideIsNotBackedUp(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindPostgres)
	psql(t, b.url, `CREATE SCHEMA qcat_old_20240101_000000_public; CREATE TABLE qcat_old_20240101_000000_public.x (a int);`)
	m := b.create()
	target := b.target()
	_, err := target.restore(m.Name)
	b.must(err)
	if strings.Contains(psql(t, target.url, `SELECT nspname FROM pg_namespace`), "qcat_old_") {
		t.Error("it was restored")
	}
}

// A running server: its database is not restored into.
func TestServerIsConnected(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindPostgres)
	m := b.create()
	cfg := b.target().config(m.Name)
	cfg.Database, cfg.Clean = backup.Postgres{URL: b.url}, true
	if err := b.store.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), cfg); !errors.Is(err, backup.ErrInUse) {
		t.Errorf("got %v", err)
	}
}

// A restore that is given up leaves the machine as it was.
func TestRestoreIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		m := b.create()
		target := b.target()
		before := target.content()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := backup.Restore(ctx, target.config(m.Name)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if after := target.content(); after != before {
			t.Errorf("not as it was: %s", after)
		}
	})
}

// suicidal is a dump whose reader dies half-way.
type suicidal struct{ io.Reader }

func (s suicidal) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		return n, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return n, err
}

// A restore that is killed half-way leaves the database as it was.
func TestKilledWhileRestoring(t *testing.T) {
	t.Parallel()
	const half = "CREATE TABLE half (a int);\nCOPY half FROM stdin;\n1\n2\n"
	if url := os.Getenv("QCAT_RESTORE_TEST_CHILD"); url != "" {
		_, err := backup.Postgres{URL: url}.Restore(t.Context(), suicidal{strings.NewReader(half)}, "", false)
		t.Fatalf("survived: %v", err)
	}
	url := pgtest.URL(t)
	child := exec.Command(os.Args[0], "-test.run=^TestKilledWhileRestoring$")
	child.Env = append(os.Environ(), "QCAT_RESTORE_TEST_CHILD="+url)
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v: %s", err, out)
	}
	for strings.TrimSpace(psql(t, url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'qcat-backup'")) != "0" {
		time.Sleep(10 * time.Millisecond) // psql lives a little longer
	}
	if tables := psql(t, url, "SELECT relname FROM pg_class WHERE relname = 'half'"); tables != "" {
		t.Errorf("half a dump was committed: %s", tables)
	}
}

// The database alone: the journal, which has more, brings it up to date.
func TestDatabaseAlone(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindPostgres)
	cfg := b.createConfig()
	cfg.DataDir = ""
	m, err := backup.Create(t.Context(), cfg)
	b.must(err)
	target := b.target()
	if _, err := target.restore(m.Name); !errors.Is(err, backup.ErrIncomplete) {
		t.Errorf("with a data directory: %v", err)
	}
	c := target.config(m.Name)
	c.DataDir = ""
	_, err = backup.Restore(t.Context(), c)
	b.must(err)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: target.url})
	b.must(err)
	defer s.Close()
	p, err := s.Position(t.Context(), store.Journal)
	b.must(err)
	if p.Seq != m.Seq() || p.Seq == 0 {
		t.Errorf("position %+v, manifest %d", p, m.Seq())
	}
}

func TestOtherKind(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	m := b.create()
	c := b.target().config(m.Name)
	c.Database = backup.Postgres{URL: "postgres://x@127.0.0.1:1/x"}
	if _, err := backup.Restore(t.Context(), c); err == nil || !strings.Contains(err.Error(), "cannot be restored into postgres") {
		t.Errorf("got %v", err)
	}
}
