package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"qcat/api/spec/spectest"
)

// injections are texts that a statement put together of them would obey.
var injections = []string{
	`x' OR '1'='1' --`, `'; DROP TABLE users; --`, `' UNION SELECT name FROM users --`, `'||(SELECT pg_sleep(300))||'`, `%`,
}

// samples are what the requests of an attack name otherwise.
var samples = spectest.Known{
	"account": "demo", "instrument": btc, "strategy": "default", "user": "tina", "owner": "tina", "currency": "USDT", "amount": "1.00",
	"POST /api/v1/users name": "fresh", "GET /api/v1/users/{name} name": "tina", "PATCH /api/v1/users/{name} name": "tina",
	"POST /api/v1/orders price": "59000.00", "POST /api/v1/orders qty": "0.001", "POST /api/v1/orders/check price": "59000.00", "qty": "0.001",
	"POST /api/v1/risk/state scope": "account", "PUT /api/v1/risk/limits scope": "account", "PATCH /api/v1/risk/limits scope": "account",
	"PATCH /api/v1/risk/limits limits": map[string]any{"max_open_orders": "9000"}, "PUT /api/v1/risk/limits limits": map[string]any{"max_open_orders": "9000"},
	"PUT /api/v1/accounts/{account}/margin leverage": "5", "rate": "0.0001", "timeout_ms": 0,
}

// attacker is an admin who puts texts where they do not belong.
type attacker struct {
	p      *process
	token  string
	hashed bool // a password was looked at, which is slow on purpose
	sent   atomic.Int64

	mu     sync.Mutex
	stored []string // texts that were taken where any text is
}

// attack starts a server of a site and logs in.
func attack(t *testing.T, s *site) *attacker {
	t.Helper()
	s.run(0, "", "create-user", "adam", "--admin")
	s.run(0, "", "create-user", "tina", "--role", "trader", "--scope", "demo")
	a := &attacker{p: s.serve("--trusted-proxies", "127.0.0.0/8", "--address-rate", "0", "--request-rate", "0")}
	var tokens struct {
		Access string `json:"access_token"`
	}
	answer := a.ask("POST", "/api/v1/auth/login", []byte(`{"user":"adam","password":"`+secretPhrase+`"}`))
	if answer.into(t, &tokens); tokens.Access == "" {
		t.Fatalf("%d %s", answer.status, answer.body)
	}
	a.token = tokens.Access
	return a
}

// ask sends a request, each from an address of its own: what fails locks no other out.
func (a *attacker) ask(method, target string, body []byte) (got answer) {
	a.p.t.Helper()
	n := a.sent.Add(1)
	ctx, cancel := context.WithTimeout(a.p.t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+a.p.addr+target, bytes.NewReader(body))
	if err != nil {
		a.p.t.Errorf("%s %s: %v", method, target, err)
		return got
	}
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.%d.%d", 113+n/250, 1+n%250))
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.p.t.Errorf("%s %s: %v", method, target, err)
		return got
	}
	got.status, got.header = resp.StatusCode, resp.Header
	got.body, err = io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		a.p.t.Errorf("%s %s: %v", method, target, err)
	}
	return got
}

// everywhere puts a text into every place of every request that the document has, many at once.
func (a *attacker) everywhere(slots []spectest.Slot, text string) {
	var several sync.WaitGroup
	next := make(chan *spectest.Slot)
	for range 8 {
		several.Go(func() {
			for slot := range next {
				a.at(slot, text)
			}
		})
	}
	for i := range slots {
		if slow := slots[i].Name == "password" || slots[i].Name == "user"; !slow || !a.hashed {
			next <- &slots[i]
		}
	}
	close(next)
	several.Wait()
	a.hashed = true
}

// at puts a text into one place and looks at the answer: it is no fault of the server, does not
// speak of a database and comes before a statement has slept, and what the text selects are rows with this text.
func (a *attacker) at(slot *spectest.Slot, text string) {
	t := a.p.t
	target, body, err := slot.Fill(text, samples)
	if err != nil {
		t.Error(err)
		return
	}
	got := a.ask(slot.Method, target, body)
	what := fmt.Sprintf("%s %s, %s %q is %q: %d %.300s", slot.Method, slot.Path, slot.In, slot.Name, text, got.status, got.body)
	if got.status >= 500 || got.status == http.StatusTooManyRequests && slot.Path != "/api/v1/auth/login" {
		t.Error(what)
	}
	for _, word := range []string{"sqlstate", "syntax error at", "sqlite", "sql logic", "pgx", "near \""} {
		if bytes.Contains(bytes.ToLower(got.body), []byte(word)) {
			t.Errorf("it speaks of %s: %s", word, what)
		}
	}
	if slot.Method == http.MethodGet && slot.In == "query" && got.status == http.StatusOK {
		var rows []map[string]any
		_ = json.Unmarshal(got.body, &rows) // what is no list selects nothing
		for _, row := range rows {
			if row[slot.Name] != text {
				t.Errorf("it selects %v: %s", row, what)
			}
		}
	}
	if slices.Contains([]string{"reason", "name", "client_order_id"}, slot.Name) && slot.Method == http.MethodPost && got.status < 300 {
		a.mu.Lock()
		a.stored = append(a.stored, text)
		a.mu.Unlock()
	}
}

// lists are those that show what was taken.
var lists = []string{"/api/v1/transfers", "/api/v1/apikeys", "/api/v1/orders?limit=10000", "/api/v1/audit?limit=10000", "/api/v1/risk/limits/proposals", "/api/v1/users"}

// kept fails if a text that was taken is not shown as it was.
func (a *attacker) kept() {
	t := a.p.t
	t.Helper()
	var shown []string
	var gather func(v any)
	gather = func(v any) {
		switch v := v.(type) {
		case string:
			shown = append(shown, v)
		case []any:
			for _, inner := range v {
				gather(inner)
			}
		case map[string]any:
			for _, inner := range v {
				gather(inner)
			}
		}
	}
	for _, list := range lists {
		got := a.ask(http.MethodGet, list, nil)
		var v any
		if err := json.Unmarshal(got.body, &v); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s: %d %v", list, got.status, err)
		}
		gather(v)
	}
	for _, text := range a.stored {
		if !slices.Contains(shown, text) {
			t.Errorf("%q is not shown as it was sent", text)
		}
	}
	if len(a.stored) < 12 {
		t.Errorf("%d texts of %d were taken: the attack has gone nowhere", len(a.stored), a.sent.Load())
	}
}

// TestTextsAreNoStatements: whatever stands in any text of any request, both databases take it
// for a text.
func TestTextsAreNoStatements(t *testing.T) {
	t.Parallel()
	slots, err := spectest.Slots()
	if err != nil {
		t.Fatal(err)
	}
	sites(t, func(t *testing.T, s *site) {
		a := attack(t, s)
		for _, text := range injections {
			a.everywhere(slots, text)
		}
		a.kept()
		db, _ := s.db()
		var users int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM users").Scan(&users); err != nil || users != 3 {
			t.Errorf("%d users, %v: there were two, and one was made", users, err)
		}
		if list := s.run(0, "", "list-users"); !strings.Contains(list, "adam") || strings.Count(list, "admin") != 1 {
			t.Errorf("there was one admin:\n%s", list)
		}
		s.run(0, "nothing is wrong", "audit-logs", "--verify")
		if _, h := a.p.health(); h.Status != "ok" {
			t.Errorf("health: %+v", h)
		}
	})
}

// TestTextsForgeNoLines: whatever stands in any text of any request or command, no line of the log
// and none that a command prints has come from it, and a terminal obeys nothing in it.
func TestTextsForgeNoLines(t *testing.T) {
	t.Parallel()
	slots, err := spectest.Slots()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: t.TempDir()}
	a := attack(t, s)
	for _, trick := range []string{tricks[0], "\u009b2J\u202eforged\ufeff"} {
		a.everywhere(slots, trick)
		header := strings.NewReplacer("\r", "", "\n", "").Replace(trick) // no client sends what ends a header
		for _, name := range []string{"User-Agent", "Referer", "X-Request-Id", "X-Forwarded-For", "Origin", "Authorization", "X-QCAT-KEY", "Cookie"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.p.addr+"/api/v1/orders", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set(name, header)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil || resp.StatusCode < 400 {
				t.Errorf("%s: %d, %v", name, resp.StatusCode, err)
			}
		}
	}
	all := "\r\x1b[2J\u009b2J\u202e\u2028forged"
	s.run(0, "", "create-apikey", all, "--user", "tina", "--permissions", "read", "--as", "who"+all)
	shows(t, "revoke-apikey", s.run(1, "", "revoke-apikey", all))
	shows(t, "create-user", s.run(2, "", "create-user", all, "--role", "viewer"))
	if len(a.stored) < 2 { // names of keys; elsewhere they are refused
		t.Errorf("%d texts were taken: the attack has gone nowhere", len(a.stored))
	}
	server := []string{"--addr", a.p.addr, "--token", a.token}
	for _, args := range [][]string{
		{"audit-logs", "--days", "1"}, {"audit-logs", "--days", "1", "--json"}, {"audit-logs", "--verify"}, {"list-apikeys"}, {"list-apikeys", "--json"}, {"list-users"},
		append([]string{"limits", "proposals"}, server...), append([]string{"limits", "show", "--account", "demo"}, server...),
		append([]string{"accounts"}, server...), append([]string{"accounts", "demo"}, server...),
		append([]string{"check", "--account", "demo", "--instrument", btc, "--side", "buy", "--qty", "0.010"}, server...),
	} {
		shows(t, fmt.Sprint(args), s.run(0, "", args...))
	}
	if code := a.p.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	log := a.p.stderr.String()
	shows(t, "the log", log)
	for line := range strings.Lines(log) {
		var l logLine
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Msg == "" || l.Msg == "forged" {
			t.Errorf("a line of the log: %v: %s", err, line)
		}
	}
}
