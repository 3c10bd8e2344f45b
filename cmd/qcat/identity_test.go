package main

import (
	"bytes"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/persist/migrate"
)

// TestSecurityCommandsOfTheManual are those of its chapter 7, word for word, without a
// server and beside one.
func TestSecurityCommandsOfTheManual(t *testing.T) {
	t.Parallel()
	sites(t, func(t *testing.T, s *site) {
		manual := func() {
			t.Helper()
			s.run(0, "tokens are signed with the new key", "rotate-jwt")
			s.run(0, "secrets are under key version", "rotate-keys")
			s.run(0, "adam", "list-users")
			s.run(0, "keys.rotate", "audit-logs", "--days", "7")
			s.run(0, "STATE", "list-apikeys")
			s.run(0, "nothing is wrong", "audit-logs", "--verify")
		}
		s.run(0, "user adam is created: role admin, scope *", "create-user", "adam", "--admin")
		s.run(0, "role trader, scope demo", "create-user", "tina", "--role", "trader", "--scope", "demo")
		k := s.key("strategy one", "--user", "tina", "--permissions", "read,trade", "--address", "127.0.0.0/8", "--expires", "90d")
		manual()
		p := s.serve()
		if _, h := p.health(); h.Components["identity"].Status != "ok" || h.Components["audit"].Status != "ok" {
			t.Errorf("health: %+v", h)
		}
		manual()
		h := client.NewHTTPWith(p.addr, client.HTTPOptions{Auth: client.HMACKey(k.ID, k.Secret)})
		defer h.Close()
		s.run(0, k.ID, "list-apikeys")
		// For its first second a server takes no stamps that an earlier one may have seen.
		eventually(t, "the key works after two rotations", func() bool { return h.Call(http.MethodGet, "orders", nil, nil) == nil })
		manual()
		s.run(0, "is revoked", "revoke-apikey", k.ID)
		eventually(t, "the key is refused", func() bool { return h.Call(http.MethodGet, "orders", nil, nil) != nil })
		if list := s.run(0, "", "list-apikeys"); strings.Contains(list, k.ID) {
			t.Errorf("listed after it was revoked:\n%s", list)
		}
		s.run(0, "revoked 20", "list-apikeys", "--all")
		if code := p.stop(); code != 0 {
			t.Fatalf("exit code %d:\n%s", code, p.stderr.String())
		}
		manual()
	})
}

// TestDisabledUserIsGone: from the user that is made to the socket that ends.
func TestDisabledUserIsGone(t *testing.T) {
	t.Parallel()
	sites(t, func(t *testing.T, s *site) {
		p := s.serve()
		if a := p.ask("GET", "/api/v1/quotes", nil); a.status != http.StatusUnauthorized || !bytes.Contains(a.body, []byte("qcat create-user")) {
			t.Errorf("without a user: %d %s", a.status, a.body)
		}
		s.run(0, "", "create-user", "adam", "--admin")
		s.run(0, "", "create-user", "tina", "--role", "trader", "--scope", "demo")
		h := as(t, p, "tina")
		eventually(t, "the new user logs in", func() bool { return h.Call(http.MethodGet, "accounts", nil, nil) == nil })
		conn, err := client.Dial(t.Context(), p.addr, client.Options{Auth: client.Login("tina", secretPhrase)})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		eventually(t, "an order is taken", func() bool {
			_, err := conn.Order(t.Context(), client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"})
			return err == nil
		})
		s.run(0, "user tina is disabled", "disable-user", "tina")
		select {
		case <-conn.Done():
		case <-time.After(patience):
			t.Fatal("the socket goes on")
		}
		if err := h.Call(http.MethodGet, "accounts", nil, nil); err == nil {
			t.Error("a disabled user is let in")
		}
		s.run(0, "", "enable-user", "tina")
		again := as(t, p, "tina")
		eventually(t, "the user is let in again", func() bool { return again.Call(http.MethodGet, "accounts", nil, nil) == nil })
		for _, want := range []string{"user.create", "user.disable", "user.enable", "login"} {
			s.run(0, want, "audit-logs", "--days", "1", "--json")
		}
		s.run(0, "nothing is wrong", "audit-logs", "--verify")
	})
}

// within is how soon what a command changes holds in a running server.
const within = time.Second

// TestCommandsHoldWithinASecond: of keys that are revoked one after another, most are refused
// within a second of the command's end. One may meet a machine that is busy; a server that
// looks for changes less often than it says would be late with half of them.
func TestCommandsHoldWithinASecond(t *testing.T) {
	t.Parallel()
	sites(t, func(t *testing.T, s *site) {
		s.run(0, "", "create-user", "adam", "--admin")
		p := s.serve()
		var took []time.Duration
		for range 9 {
			k := s.key("short lived", "--user", "adam", "--permissions", "read")
			h := client.NewHTTPWith(p.addr, client.HTTPOptions{Auth: client.HMACKey(k.ID, k.Secret)})
			eventually(t, "the key works", func() bool { return h.Call(http.MethodGet, "orders", nil, nil) == nil })
			s.run(0, "is revoked", "revoke-apikey", k.ID)
			began := time.Now()
			eventually(t, "the key is refused", func() bool { return h.Call(http.MethodGet, "orders", nil, nil) != nil })
			took = append(took, time.Since(began))
			h.Close()
		}
		if slices.Sort(took); took[len(took)*3/4] > within {
			t.Errorf("keys were good for %v after they had been revoked", took)
		}
	})
}

// TestUnlockedUserLogsIn: whoever has failed too often logs in again as soon as the command is through,
// and the audit log has who did it.
func TestUnlockedUserLogsIn(t *testing.T) {
	t.Parallel()
	sites(t, func(t *testing.T, s *site) {
		s.run(0, "", "create-user", "adam", "--admin")
		s.run(0, "", "create-user", "tina", "--role", "trader", "--scope", "demo")
		p := s.serve()
		try := func(password string) int {
			return p.ask("POST", "/api/v1/auth/login", `{"user":"tina","password":"`+password+`"}`).status
		}
		for range 7 { // far into a lock of some seconds
			eventually(t, "a guess", func() bool { return try("wrong horse battery") == http.StatusUnauthorized })
		}
		if got := try(secretPhrase); got != http.StatusTooManyRequests {
			t.Fatalf("locked: %d", got)
		}
		s.run(0, "user tina is unlocked", "unlock-user", "tina")
		eventually(t, "a login", func() bool { return try(secretPhrase) == http.StatusOK })
		s.run(0, "user.unlock", "audit-logs", "--days", "1", "--action", "user.unlock")
		s.run(1, "", "unlock-user", "nobody")
	})
}

// TestRotateJWT: old tokens stay good, unless all are ended.
func TestRotateJWT(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir()}
	s.run(0, "", "create-user", "adam", "--admin")
	p := s.serve()
	session, access := client.Login("adam", secretPhrase), ""
	session.OnTokens = func(token, _ string) { access = token }
	h := client.NewHTTPWith(p.addr, client.HTTPOptions{Auth: session})
	defer h.Close()
	if err := h.Call(http.MethodGet, "accounts", nil, nil); err != nil {
		t.Fatal(err)
	}
	old := client.NewHTTPWith(p.addr, client.HTTPOptions{Auth: client.Tokens(access, "")})
	defer old.Close()
	kid := func(token string) string {
		claims, _, _ := strings.Cut(token, ".")
		return claims
	}
	first := kid(access)
	s.run(0, "stay good", "rotate-jwt")
	eventually(t, "a new key signs", func() bool {
		other := client.Login("adam", secretPhrase)
		other.OnTokens = func(token, _ string) { access = token }
		o := client.NewHTTPWith(p.addr, client.HTTPOptions{Auth: other})
		defer o.Close()
		return o.Call(http.MethodGet, "accounts", nil, nil) == nil && kid(access) != first
	})
	if err := old.Call(http.MethodGet, "accounts", nil, nil); err != nil {
		t.Errorf("the old token: %v", err)
	}
	s.run(0, "every session has ended", "rotate-jwt", "--revoke-all")
	eventually(t, "the old token is refused", func() bool { return old.Call(http.MethodGet, "accounts", nil, nil) != nil })
}

// TestAuditLogsVerify finds a row that was changed with SQL.
func TestAuditLogsVerify(t *testing.T) {
	t.Parallel()
	sites(t, func(t *testing.T, s *site) {
		s.run(0, "", "create-user", "adam", "--admin")
		s.run(0, "", "create-user", "mallory", "--role", "risk")
		s.run(0, "nothing is wrong", "audit-logs", "--verify")
		db, dialect := s.db()
		var tamper []string
		if dialect == migrate.Postgres {
			tamper = []string{"ALTER TABLE audit_log DISABLE TRIGGER USER"}
		} else {
			rows, err := db.QueryContext(t.Context(), "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_log'")
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var name string
				if err := rows.Scan(&name); err != nil {
					t.Fatal(err)
				}
				tamper = append(tamper, "DROP TRIGGER "+name)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
		}
		for _, statement := range append(tamper, "UPDATE audit_log SET target = 'nobody' WHERE target = 'mallory'") {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		s.run(1, "FOUND:    ", "audit-logs", "--verify")
		if out := s.run(1, "", "audit-logs", "--verify", "--json"); !strings.Contains(out, `"kind":"changed"`) {
			t.Errorf("found: %s", out)
		}
	})
}

// TestCommandErrors are those of a command line, and what they are answered.
func TestCommandErrors(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir()}
	empty := &site{t: t, dir: t.TempDir()}
	s.run(0, "", "create-user", "adam", "--admin")
	for _, tt := range []struct {
		code int
		want string
		args []string
	}{
		{2, "--role=ROLE or --admin", []string{"create-user", "eve"}},
		{2, `unknown role "boss"`, []string{"create-user", "eve", "--role", "boss"}},
		{2, "not a scope", []string{"create-user", "eve", "--role", "risk", "--scope", "a b"}},
		{2, "not a name", []string{"create-user", "e v e", "--role", "risk"}},
		{1, "there is one of that name already", []string{"create-user", "ADAM", "--admin"}},
		{1, "qcat: it is the last admin who is not disabled\n", []string{"disable-user", "adam"}},
		{1, "there is no such user, key or session", []string{"disable-user", "nobody"}},
		{2, "say what", []string{"change-user", "adam"}},
		{1, "qcat: there is no such user, key or session\n", []string{"revoke-apikey", "nothing"}},
		{2, "--permissions", []string{"create-apikey", "k", "--user", "adam"}},
		{2, "is not a number of days", []string{"create-apikey", "k", "--user", "adam", "--permissions", "read", "--expires", "0d"}},
		{2, "neither a network", []string{"create-apikey", "k", "--user", "adam", "--permissions", "read", "--address", "home"}},
		{2, "PEM", []string{"create-apikey", "k", "--user", "adam", "--permissions", "read", "--ed25519-public-key", "AAAA"}},
		{1, "qcat: there is no user nobody\n", []string{"create-apikey", "k", "--user", "nobody", "--permissions", "read"}},
		{1, "there is no such user, key or session", []string{"revoke-apikey", "nosuch"}},
		{2, "one at least", []string{"audit-logs", "--days", "0"}},
		{2, "no such file", []string{"rotate-keys", "--new-master-key-file", "/no/such/file"}},
	} {
		s.run(tt.code, tt.want, tt.args...)
	}
	for _, name := range []string{"list-users", "list-apikeys", "rotate-jwt", "rotate-keys", "audit-logs"} {
		empty.run(2, "holds no database", name)
	}
	if files, err := os.ReadDir(empty.dir); err != nil || len(files) > 0 {
		t.Errorf("a look left %v behind (%v)", files, err)
	}
	short := s.command("create-user", "eve", "--role", "risk")
	short.Env = append(slices.DeleteFunc(short.Env, func(kv string) bool { return strings.HasPrefix(kv, passwordEnv) }), passwordEnv+"=short")
	if out, err := short.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("shorter than 12 characters")) {
		t.Errorf("a short password: %v, %s", err, out)
	}
}

// TestFirstAdminOfTheEnvironment: he is made once, and his password is in no process's
// environment afterwards.
func TestFirstAdminOfTheEnvironment(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir()}
	s.env = []string{adminUserEnv + "=root", adminPasswordEnv + "=" + secretPhrase}
	p := s.serve()
	if err := as(t, p, "root").Call(http.MethodGet, "accounts", nil, nil); err != nil {
		t.Errorf("the first administrator: %v", err)
	}
	s.run(0, "", "change-user", "root", "--scope", "*", "--password")
	if code := p.stop(); code != 0 {
		t.Fatal(code)
	}
	s.env[1] = adminPasswordEnv + "=another horse battery"
	p = s.serve()
	if err := as(t, p, "root").Call(http.MethodGet, "accounts", nil, nil); err != nil {
		t.Errorf("a second start changed the password: %v", err)
	}
	if list := s.run(0, "root", "list-users"); strings.Count(list, "\n") != 2 {
		t.Errorf("users:\n%s", list)
	}
	if entries := s.run(0, startAction, "audit-logs", "--action", startAction, "--json"); strings.Contains(entries, secretPhrase) ||
		!strings.Contains(entries, "the settings are those of the last start") {
		t.Errorf("starts: %s", entries)
	}
}

// TestPlaceholdersDoNotStart: the secrets of an example file are everybody's.
func TestPlaceholdersDoNotStart(t *testing.T) {
	t.Parallel()
	for _, kv := range []string{
		masterEnv + "=CHANGE_ME", masterEnv + "=your-master-key", adminPasswordEnv + "=change-me-please", "DB_PASSWORD=your_password",
		"REDIS_PASSWORD=<redis password>", "DATABASE_URL=postgres://qcat:changeme@127.0.0.1:1/qcat",
	} {
		s := &site{t: t, dir: t.TempDir(), env: []string{kv}}
		s.run(2, "placeholder", "serve", "--listen", "127.0.0.1:0")
	}
	for _, good := range []string{"", secretPhrase, newMaster(t), "tr0ub4dor&3", "your5ecret"} {
		if strings.HasPrefix(good, "your") != placeholder(good) {
			t.Errorf("%q: %v", good, placeholder(good))
		}
	}
}

// TestListenBeyondLoopback: only with TLS, a proxy, or open eyes.
func TestListenBeyondLoopback(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{{"--trusted-proxies", "10.0.0.0/8"}, {"--insecure-listen"}, {"--tls-cert", "a", "--tls-key", "b"}} {
		c, _ := mustParse(t, append([]string{"serve", "--listen", "0.0.0.0:0"}, flags...)...)
		if err := c.Serve.checkAccess(); err != nil {
			t.Errorf("%v: %v", flags, err)
		}
		c.Serve.Demo = true
		if err := c.Serve.checkAccess(); err == nil {
			t.Errorf("%v: a demo that others reach", flags)
		}
	}
	for _, bad := range [][]string{nil, {"--tls-cert", "a"}, {"--request-rate=-1"}} {
		c, _ := mustParse(t, append([]string{"serve", "--listen", "0.0.0.0:0"}, bad...)...)
		if err := c.Serve.checkAccess(); err == nil {
			t.Errorf("%v: taken", bad)
		}
	}
}

// TestAuditedCommands: what is about neither users nor keys is in the log as well.
func TestAuditedCommands(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir()}
	backups := t.TempDir()
	s.run(0, "", "migrate", "--as", "carol")
	s.run(0, "", "create-user", "adam", "--admin")
	s.run(0, "", "backup", "create", "--only", "database", "--backup-dir", backups)
	out := s.run(0, "", "audit-logs", "--json")
	for _, want := range []string{`"action":"migrate.up"`, `"actor":"carol"`, `"action":"backup.create"`} {
		if !strings.Contains(out, want) {
			t.Errorf("the log lacks %s:\n%s", want, out)
		}
	}
	s.run(0, "nothing is wrong", "audit-logs", "--verify")
	for text, want := range map[string]string{"plain": "plain", "a\x1b[2Jb\n": `a\x1b[2Jb\n`, `say "it"`: `say "it"`} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %s", text, got)
		}
	}
}
