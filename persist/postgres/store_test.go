package postgres_test

import (
	"context"
	"testing"
	"time"

	"qcat/core"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// migrated brings the database to this program's schema.
func migrated(t testing.TB, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := postgres.OpenDB(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := migrate.Up(ctx, migrate.Postgres, db); err != nil {
		t.Fatal(err)
	}
	return url
}

func open(t testing.TB, cfg postgres.Config) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, dir *core.Directory) store.Store {
		return open(t, postgres.Config{URL: migrated(t, pgtest.URL(t)), Directory: dir})
	})
}
