package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// adminTimeout bounds making and dropping a database.
const adminTimeout = 60 * time.Second

// shared is the server of the test binary.
var shared struct {
	once sync.Once
	s    *Server
	err  error
}

// URL makes an empty database for this test and returns how it is reached. It is
// dropped when the test ends.
func URL(tb testing.TB) string {
	tb.Helper()
	admin := os.Getenv("DATABASE_URL")
	if admin == "" {
		if binaries() == "" {
			need(tb)
		}
		shared.once.Do(func() { shared.s, shared.err = newServer(nil) })
		if shared.err != nil {
			tb.Fatalf("pgtest: %v", shared.err)
		}
		admin = shared.s.URL("postgres")
	}
	made, name := create(tb, admin)
	tb.Cleanup(func() {
		if err := administer(admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("pgtest: drop %s: %v", name, err)
		}
	})
	return made
}

// create makes a database with a name of its own.
func create(tb testing.TB, admin string) (made, name string) {
	tb.Helper()
	name = "qcat_test_" + strings.ToLower(rand.Text())
	if err := administer(admin, "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("pgtest: create %s: %v", name, err)
	}
	u, err := url.Parse(admin)
	if err != nil {
		tb.Fatal("pgtest: DATABASE_URL is no URL") // it may hold a password
	}
	u.Path = "/" + name
	return u.String(), name
}

func administer(admin, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}
