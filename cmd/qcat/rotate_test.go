package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/core"
	stored "qcat/persist/identity"
	"qcat/persist/seal"
)

// TestRotateKeysKilled kills rotations at random moments while a server takes signed
// requests and keys are made: afterwards every key works, in the server that ran all the
// time and in a new one, and nothing is under an old key.
func TestRotateKeysKilled(t *testing.T) {
	t.Parallel()
	sites(t, func(t *testing.T, s *site) {
		s.detect = true
		s.run(0, "", "create-user", "adam", "--admin")
		flags := [][]string{nil}
		if s.env == nil { // the master key is in a file, which is moved
			flags = append(flags, []string{"--new-master-key"})
		}
		keys := s.fill(40)
		made := s.key("first", "--user", "adam", "--permissions", "read")
		p := s.serve()
		stop := s.load(p, made)
		took := s.timed("rotate-keys")
		for i := range 8 {
			cmd := s.command(append([]string{"rotate-keys"}, flags[i%len(flags)]...)...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(rand.N(took)) // the moment is what is tried
			_ = cmd.Process.Kill()   // it may have ended
			_ = cmd.Wait()           // it says that it was killed
			made = s.key("k"+strconv.Itoa(i), "--user", "adam", "--permissions", "read")
			if err := s.works(p, made); err != nil {
				t.Errorf("a key that was made after kill %d: %v", i, err)
			}
		}
		s.run(0, "secrets are under key version", append([]string{"rotate-keys"}, flags[len(flags)-1]...)...)
		stop()
		s.allUnderOne(keys + 1)
		s.run(0, "nothing is wrong", "audit-logs", "--verify")
		if err := s.works(p, made); err != nil {
			t.Errorf("in the server that ran all the time: %v", err)
		}
		if _, h := p.health(); h.Components["audit"].Status != "ok" {
			eventually(t, "the server anchors again", func() bool { _, h := p.health(); return h.Components["audit"].Status == "ok" })
		}
		if code := p.stop(); code != 0 {
			t.Fatal(code)
		}
		again := s.serve()
		if err := s.works(again, made); err != nil {
			t.Errorf("in a new server: %v", err)
		}
	})
}

// fill makes many keys in one go.
func (s *site) fill(n int) int {
	s.t.Helper()
	db, dialect := s.db()
	store := stored.New(dialect, db, core.SystemClock())
	masters := mastersOf(store, s.source())
	keys, err := stored.OpenKeys(s.t.Context(), store, masters)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := range n {
		sealed, err := keys.Seal(s.t.Context(), stored.TableSigningKeys, "old"+strconv.Itoa(i), []byte(fmt.Sprintf("%032d", i)))
		if err != nil {
			s.t.Fatal(err)
		}
		if err := store.Sign(s.t.Context(), signingKey("old"+strconv.Itoa(i), sealed), int64(core.SystemClock().Now())+int64(time.Hour)); err != nil {
			s.t.Fatal(err)
		}
	}
	return n
}

// source is where the site's master key is.
func (s *site) source() seal.Source {
	for _, kv := range s.env {
		if len(kv) > len(masterEnv) && kv[:len(masterEnv)] == masterEnv {
			return seal.Source{Key: kv[len(masterEnv)+1:]}
		}
	}
	return seal.Source{Dir: s.dir}
}

// timed is how long a command takes.
func (s *site) timed(args ...string) time.Duration {
	s.t.Helper()
	began := time.Now()
	s.run(0, "", args...)
	return time.Since(began)
}

// works asks with a key until the server knows it, and returns why it never did.
func (s *site) works(p *process, k keyRow) (err error) {
	h := client.NewHTTPWith(p.addr, client.HTTPOptions{Auth: client.HMACKey(k.ID, k.Secret)})
	defer h.Close()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err = h.Call(http.MethodGet, "accounts", nil, nil); err == nil {
			return nil
		}
	}
	return err
}

// load asks with a key all the time; the server must never refuse it once it has begun.
func (s *site) load(p *process, k keyRow) (stop func()) {
	s.t.Helper()
	if err := s.works(p, k); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		h := client.NewHTTPWith(p.addr, client.HTTPOptions{Auth: client.HMACKey(k.ID, k.Secret)})
		defer h.Close()
		for ctx.Err() == nil {
			if err := h.Call(http.MethodGet, "accounts", nil, nil); err != nil {
				s.t.Errorf("under load: %v", err)
				return
			}
			time.Sleep(2 * time.Millisecond) // the machine is not the server's alone
		}
	})
	return func() { cancel(); wg.Wait() }
}

// allUnderOne wants one key-encryption key in the database, and every secret under it.
func (s *site) allUnderOne(atLeast int) {
	s.t.Helper()
	db, dialect := s.db()
	store := stored.New(dialect, db, core.SystemClock())
	all, err := store.Load(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var versions, present int64
	if err := db.QueryRowContext(s.t.Context(), "SELECT count(*), max(version) FROM key_versions").Scan(&versions, &present); err != nil || versions != 1 {
		s.t.Fatalf("%d key versions: %v", versions, err)
	}
	found := 0
	for i := range all.Keys {
		if len(all.Keys[i].Secret) == 0 {
			continue
		}
		found++
		if v, err := seal.Version(all.Keys[i].Secret); err != nil || int64(v) != present {
			s.t.Errorf("key %s is under version %d, not %d: %v", all.Keys[i].ID, v, present, err)
		}
	}
	for i := range all.Signing {
		found++
		if v, err := seal.Version(all.Signing[i].Secret); err != nil || int64(v) != present {
			s.t.Errorf("signing key %s is under version %d, not %d: %v", all.Signing[i].ID, v, present, err)
		}
	}
	if found < atLeast {
		s.t.Errorf("%d secrets, there should be %d at least", found, atLeast)
	}
}

// TestMasterKeyOfAFile: a master key that is named is replaced by one that is named, and
// the file that a killed change left is gone on with.
func TestMasterKeyOfAFile(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir()}
	keys := t.TempDir()
	now, next := filepath.Join(keys, "master"), filepath.Join(keys, "other")
	if err := errors.Join(seal.MakeFile(now), seal.MakeFile(next)); err != nil {
		t.Fatal(err)
	}
	s.env = []string{"QCAT_MASTER_KEY_FILE=" + now}
	s.run(0, "", "create-user", "adam", "--admin")
	k := s.key("k", "--user", "adam", "--permissions", "read")
	s.run(0, "give it to the server", "rotate-keys", "--new-master-key-file", next)
	s.run(2, "another master key", "audit-logs", "--verify")
	s.env = []string{"QCAT_MASTER_KEY_FILE=" + next}
	s.run(0, "nothing is wrong", "audit-logs", "--verify")

	// A change that was killed before anything happened but the new file.
	if err := seal.MakeFile(next + nextSuffix); err != nil {
		t.Fatal(err)
	}
	s.run(0, "", "create-apikey", "meanwhile", "--user", "adam", "--permissions", "read")
	s.run(0, "going on with the change", "rotate-keys")
	if _, err := os.Stat(next + nextSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the new key's file is still beside it: %v", err)
	}
	s.run(0, "nothing is wrong", "audit-logs", "--verify")
	p := s.serve()
	if err := s.works(p, k); err != nil {
		t.Error(err)
	}
	s.env = []string{masterEnv + "=" + newMaster(t)}
	s.run(2, "new-master-key: the master key is not read from a file", "rotate-keys", "--new-master-key")
}
