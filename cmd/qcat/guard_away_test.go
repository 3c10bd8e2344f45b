package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"qcat/api/client"
	"qcat/persist/postgres/pgtest"
)

// TestIdentitiesAway takes the database away from a running server, and starts one without
// it: known keys go on, nobody logs in, health says so, and afterwards all is well.
func TestIdentitiesAway(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	s := &site{t: t, dir: t.TempDir(), detect: true, env: []string{"DATABASE_URL=" + db.Database(t), masterEnv + "=" + newMaster(t)}}
	s.run(0, "", "migrate")
	s.run(0, "", "create-user", "adam", "--admin")
	k := s.key("k", "--user", "adam", "--permissions", "read")
	p := s.serve("--shutdown-timeout", "2s")
	if err := s.works(p, k); err != nil {
		t.Fatal(err)
	}
	db.Stop(t)
	p.untilComponent("identity", "degraded")
	if err := s.works(p, k); err != nil {
		t.Errorf("a known key: %v", err)
	}
	var r *client.Refusal
	if err := as(t, p, "adam").Call(http.MethodGet, "accounts", nil, nil); !errors.As(err, &r) || r.Status != http.StatusServiceUnavailable {
		t.Errorf("a login: %v", err)
	}
	db.Restart(t)
	p.untilComponent("identity", "ok")
	p.untilComponent("audit", "ok")
	h := as(t, p, "adam")
	eventually(t, "logins are back", func() bool { return h.Call(http.MethodGet, "accounts", nil, nil) == nil })
	if code := p.stop(); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, p.stderr.String())
	}

	db.Stop(t)
	p = s.serve("--shutdown-timeout", "2s")
	if _, h := p.health(); h.Components["identity"].Status != "degraded" {
		t.Errorf("health: %+v", h)
	}
	if a := p.ask("GET", "/api/v1/accounts", nil); a.status != http.StatusUnauthorized || strings.Contains(string(a.body), "create-user") {
		t.Errorf("nobody is known: %d %s", a.status, a.body)
	}
	db.Restart(t)
	p.untilComponent("identity", "ok")
	if err := s.works(p, k); err != nil {
		t.Errorf("after the database came: %v", err)
	}
	s.run(0, "nothing is wrong", "audit-logs", "--verify")
}
