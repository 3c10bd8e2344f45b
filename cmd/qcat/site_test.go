package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/seal"
	"qcat/persist/sqlite"
)

// secretPhrase is the password of everybody in these tests.
const secretPhrase = "correct horse battery"

// site is where a server keeps its things: a data directory, and for one of the two stores
// a Postgres.
type site struct {
	t   *testing.T
	dir string
	env []string // of every process
	// detect gives its servers the race detector where the tests have it: where things happen
	// to them under load. Elsewhere a site is about identities, which the packages below are
	// raced for, and whose passwords cost the detector seconds each.
	detect bool
}

// sites calls f with each kind of store.
func sites(t *testing.T, f func(*testing.T, *site)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		f(t, &site{t: t, dir: t.TempDir()})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, postgresSite(t))
	})
}

// postgresSite is a site whose settings come from the environment, as in a container.
func postgresSite(t *testing.T) *site {
	t.Helper()
	url := pgtest.URL(t)
	s := &site{t: t, dir: t.TempDir(), env: []string{"DATABASE_URL=" + url, masterEnv + "=" + newMaster(t)}}
	s.run(0, "", "migrate")
	return s
}

// newMaster is a master key's text.
func newMaster(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := seal.MakeFile(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// command is the binary with the site's settings.
func (s *site) command(args ...string) *exec.Cmd {
	cmd := commandOf(s.t, s.detect && isConcurrent(args), args...)
	cmd.Env = append(append(cmd.Env, "QCAT_DATA_DIR="+s.dir, passwordEnv+"="+secretPhrase), s.env...)
	return cmd
}

// run runs a command to its end, wants its exit code and a text in what it prints, and
// returns what it prints.
func (s *site) run(code int, want string, args ...string) string {
	s.t.Helper()
	cmd := s.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Run() // the exit code tells
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(out.String()+errs.String(), want) {
		s.t.Fatalf("qcat %s: exit code %d, want %d and %q:\n%s%s", strings.Join(args, " "), got, code, want, out.String(), errs.String())
	}
	return out.String()
}

// serve starts a server of the site; its accounts are the sample's.
func (s *site) serve(args ...string) *process {
	s.t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--config", sampleFile, "--sim-rate", "20", "--no-tick-log"}, args...)
	return start(s.t, s.dir, s.command(args...))
}

// key makes an API key.
func (s *site) key(args ...string) (k keyRow) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.run(0, "", append([]string{"create-apikey", "--json"}, args...)...)), &k); err != nil {
		s.t.Fatal(err)
	}
	return k
}

// as is a client of a server who logs in.
func as(t *testing.T, p *process, user string) *client.HTTP {
	t.Helper()
	h := client.NewHTTPWith(p.addr, client.HTTPOptions{Auth: client.Login(user, secretPhrase)})
	t.Cleanup(h.Close)
	return h
}

// db opens the site's database.
func (s *site) db() (*sql.DB, migrate.Dialect) {
	s.t.Helper()
	open, dialect := func(ctx context.Context) (*sql.DB, error) { return sqlite.OpenDB(ctx, embeddedPath(s.dir)) }, migrate.SQLite
	for _, kv := range s.env {
		if url, ok := strings.CutPrefix(kv, "DATABASE_URL="); ok {
			open, dialect = func(ctx context.Context) (*sql.DB, error) { return postgres.OpenDB(ctx, url) }, migrate.Postgres
		}
	}
	db, err := open(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	return db, dialect
}
