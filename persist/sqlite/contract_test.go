package sqlite_test

import (
	"path/filepath"
	"testing"

	"qcat/core"
	"qcat/persist/sqlite"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// keep is a configuration that deletes nothing.
func keep(path string) sqlite.Config { return sqlite.Config{Path: path, KeepTicks: -1} }

// open opens a store and closes it with the test.
func open(t testing.TB, cfg sqlite.Config) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, _ *core.Directory) store.Store {
		return open(t, keep(filepath.Join(t.TempDir(), "qcat.db")))
	})
}
