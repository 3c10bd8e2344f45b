package backup_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"qcat/persist/backup"
)

// Retention removes what is old, complete or not, and never the newest complete one.
func TestCleanup(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	day := func(n int) time.Time { return time.Date(2024, 12, n, 2, 0, 0, 0, time.UTC) }
	names := map[int]string{}
	for _, n := range []int{1, 2, 3, 4, 20} {
		cfg := b.createConfig()
		cfg.Now = func() time.Time { return day(n) }
		m, err := backup.Create(t.Context(), cfg)
		b.must(err)
		names[n] = m.Name
	}
	for _, n := range []int{4, 20} { // incomplete
		remove(t, filepath.Join(b.dir, names[n]+".json"))
	}
	b.must(os.WriteFile(filepath.Join(b.dir, "somebody's.sql.gz"), nil, 0o600))
	removed, err := backup.Cleanup(b.dir, 10*24*time.Hour, day(21))
	b.must(err)
	var got []string
	for _, e := range removed {
		got = append(got, e.Name)
	}
	if want := []string{names[4], names[2], names[1]}; !slices.Equal(got, want) {
		t.Errorf("removed %v instead of %v", got, want)
	}
	left, err := backup.List(b.dir)
	b.must(err)
	if len(left) != 2 || left[0].Name != names[20] || left[0].State != backup.StateIncomplete ||
		left[1].Name != names[3] || left[1].State != backup.StateComplete || left[1].Seq != 3 || left[1].Store != backup.KindEmbedded {
		t.Errorf("left %+v", left)
	}
	files, err := os.ReadDir(b.dir)
	b.must(err)
	if len(files) != 5+4+2 { // a complete one, one without a manifest, the lock, somebody's
		t.Errorf("%d files are left: %v", len(files), files)
	}
	if again, err := backup.Cleanup(b.dir, 10*24*time.Hour, day(21)); err != nil || len(again) > 0 {
		t.Errorf("again: %v %v", again, err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	m := b.create()
	for _, text := range []string{m.Name, m.Name + ".sql.gz", m.Name + ".data.tar.gz.sha256", m.Name + ".json",
		filepath.Join(b.dir, m.Name), filepath.Join(b.dir, m.Name+".sql.gz")} {
		dir, name, err := backup.Find(b.dir, text)
		if err != nil || filepath.Clean(dir) != filepath.Clean(b.dir) || name != m.Name {
			t.Errorf("%s: %q %q %v", text, dir, name, err)
		}
	}
	if _, _, err := backup.Find(b.dir, "qcat_backup_20000101_000000.sql.gz"); !errors.Is(err, backup.ErrNone) {
		t.Errorf("got %v", err)
	}
	if list, err := backup.List(filepath.Join(b.dir, "none")); err != nil || len(list) > 0 {
		t.Errorf("a folder that is not there: %v %v", list, err)
	}
	// A backup may be copied and renamed.
	other := t.TempDir()
	for _, suffix := range []string{".sql.gz", ".sql.gz.sha256", ".data.tar.gz", ".data.tar.gz.sha256", ".json"} {
		raw, err := os.ReadFile(filepath.Join(b.dir, m.Name+suffix))
		b.must(err)
		b.must(os.WriteFile(filepath.Join(other, "backup_file"+suffix), raw, 0o600))
	}
	dir, name, err := backup.Find(b.dir, filepath.Join(other, "backup_file.sql.gz"))
	b.must(err)
	_, err = backup.Verify(t.Context(), dir, name)
	b.must(err)
}
