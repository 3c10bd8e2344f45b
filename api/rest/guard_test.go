package rest_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/api/auth/password"
	"qcat/api/auth/signature"
	"qcat/api/auth/signing"
	"qcat/api/rest"
	"qcat/core"
	"qcat/core/history"
	"qcat/core/identity"
)

const pass = "correct horse battery"

var (
	hasher = password.NewHasher(2, 64)
	root   = auth.System("root@test", "cli")
	hashed = sync.OnceValue(func() string {
		h, err := hasher.Hash(context.Background(), pass)
		if err != nil {
			panic(err)
		}
		return h
	})
)

// guarded is a server that asks everybody who they are. The account demo, with the
// strategies default, maker and taker, is one's own; other is somebody else's.
type guarded struct {
	*server
	clock   *core.ManualClock
	store   *authtest.Store
	log     *authtest.Log
	gate    *auth.Gate
	svc     *auth.Service
	archive *archive
	nonce   int
	fresh   int // makes names and numbers that were not there before
	known   map[string]caller
}

// person is a user of every guarded server.
type person struct {
	name, scope string
	role        identity.Role
}

var people = []person{
	{"adam", "*", identity.Admin},
	{"chief", "*", identity.Risk},
	{"rita", "demo", identity.Risk},
	{"tom", "demo", identity.Trader},
	{"vera", "demo", identity.Viewer},
	{"otto", "other", identity.Trader},
	{"mia", "demo/maker", identity.Trader},
}

func guard(t testing.TB, tune ...func(*rest.Config)) *guarded {
	t.Helper()
	g := identities(t, people)
	g.server = serve(t, append([]func(*rest.Config){func(c *rest.Config) {
		c.Gate, c.Service, c.Recorder, c.History, c.Clock = g.gate, g.svc, g.log, g.archive, g.clock
	}}, tune...)...)
	return g
}

// identities are users, and what decides by them, without a server.
func identities(t testing.TB, who []person) *guarded {
	t.Helper()
	g := &guarded{clock: core.NewManualClock(start), archive: &archive{}, known: map[string]caller{}}
	g.store, g.log = authtest.NewStore(g.clock), authtest.NewLog(g.clock)
	ctx := t.Context()
	for _, p := range who {
		g.must(t, g.store.CreateUser(ctx, &identity.User{Name: p.name, Role: p.role, Scope: scope(t, p.scope), Password: hashed(), Created: start, Changed: start}))
	}
	dir, err := auth.OpenDirectory(ctx, g.store, authtest.Vault{}, g.clock, nil)
	g.must(t, err)
	g.gate, err = auth.NewGate(auth.Config{Directory: dir, Auditor: g.log, Hasher: hasher, Began: 1})
	g.must(t, err)
	g.svc = &auth.Service{Store: g.store, Auditor: g.log, Opener: authtest.Vault{}, Clock: g.clock, Hasher: hasher, Directory: dir, Gate: g.gate}
	g.must(t, g.svc.EnsureSigningKey(ctx))
	return g
}

func (g *guarded) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func scope(t testing.TB, list string) identity.Scope {
	t.Helper()
	s, err := identity.ParseScope(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// caller is somebody who sends requests: it returns the header lines that say who it is.
type caller struct {
	name    string
	who     person
	may     identity.Permission
	session bool // not a key
	header  func(method, target, body string) []string
}

// nobody says nothing of itself.
var nobody = caller{name: "nobody", header: func(_, _, _ string) []string { return nil }}

// user logs somebody in, once.
func (g *guarded) user(name string) caller {
	g.t.Helper()
	if _, known := g.known[name]; !known {
		g.known[name] = g.login(name)
	}
	return g.known[name]
}

// login begins another session of somebody.
func (g *guarded) login(name string) caller {
	g.t.Helper()
	i := slices.IndexFunc(people, func(p person) bool { return p.name == name })
	if i < 0 {
		g.t.Fatalf("nobody is called %s", name)
	}
	return g.loginAs(people[i])
}

func (g *guarded) loginAs(p person) caller {
	g.t.Helper()
	t, err := g.gate.Login(g.t.Context(), auth.Credentials{Name: p.name, Password: pass, Via: "http"})
	g.must(g.t, err)
	return bearer(p, t.Access)
}

func bearer(p person, token string) caller {
	return caller{name: p.name, who: p, may: p.role.Permissions(), session: true, header: func(_, _, _ string) []string { return []string{"Authorization: Bearer " + token} }}
}

// key makes an API key of somebody's, of less than the owner may.
func (g *guarded) key(owner string, may identity.Permission, within string) caller {
	g.t.Helper()
	k, secret, err := g.svc.CreateKey(g.t.Context(), root, auth.NewKey{Owner: owner, Name: "bot", Permissions: may, Scope: scope(g.t, within)})
	g.must(g.t, err)
	return caller{name: "key of " + owner + ", " + k.Permissions.String(), who: person{owner, within, 0}, may: k.Permissions,
		header: func(method, target, body string) []string { return g.signed(k.ID, secret, method, target, body) }}
}

// signed are the header lines of a signed request.
func (g *guarded) signed(id, secret, method, target, body string) []string {
	g.nonce++
	r := signature.Request{Timestamp: strconv.AppendInt(nil, int64(g.clock.Now()/1e6), 10), Nonce: fmt.Appendf(nil, "n%d", g.nonce),
		Method: []byte(method), Target: []byte(target), Body: []byte(body)}
	return []string{"X-QCAT-KEY: " + id, "X-QCAT-TIMESTAMP: " + string(r.Timestamp), "X-QCAT-NONCE: " + string(r.Nonce),
		"X-QCAT-SIGNATURE: " + string(signing.HMAC([]byte(secret), r.Append(nil)))}
}

// as sends a request of somebody.
func (g *guarded) as(c caller, method, path, body string) reply {
	g.t.Helper()
	var u fasthttp.URI
	g.must(g.t, u.Parse(nil, []byte("http://localhost:8082"+path)))
	return g.ask(method, path, body, c.header(method, string(u.RequestURI()), body)...)
}

// both fills both accounts: orders, fills, positions, money, limits, states, proposals, and rows
// of the past. What belongs to demo is named so that it can be found again.
func (g *guarded) both() {
	g.t.Helper()
	adam := g.user("adam")
	do := func(method, path, body string) {
		g.t.Helper()
		if r := g.as(adam, method, path, body); r.status >= 300 {
			g.t.Fatalf("%s %s: %d %s", method, path, r.status, r.body)
		}
	}
	for _, name := range []string{"taker", "theirs"} {
		account := map[string]string{"taker": "demo", "theirs": "other"}[name]
		_, err := g.engine.DefineStrategy(g.dir.AccountNamed(account).ID, name)
		g.must(g.t, err)
	}
	do("POST", "/api/v1/risk/state", `{"scope":"firm","state":"active"}`)
	for account, strategy := range map[string]string{"demo": "maker", "other": "theirs"} {
		do("POST", "/api/v1/accounts/"+account+"/transfers", `{"currency":"USDT","amount":"100000"}`)
		do("PATCH", "/api/v1/risk/limits", `{"scope":"account","account":"`+account+`","limits":{"max_notional":"50000"}}`)
		do("PATCH", "/api/v1/risk/limits", `{"scope":"account","account":"`+account+`","limits":{"max_notional":"60000"}}`) // waits
		do("PATCH", "/api/v1/risk/limits", `{"scope":"strategy","account":"`+account+`","strategy":"`+strategy+`","limits":{"max_open_orders":"500"}}`)
		do("POST", "/api/v1/risk/state", `{"scope":"account","account":"`+account+`","state":"active"}`)
		do("POST", "/api/v1/risk/state", `{"scope":"strategy","account":"`+account+`","strategy":"`+strategy+`","state":"active"}`)
		for i, st := range []string{strategy, "default"} {
			g.order(adam, account, st, fmt.Sprintf("%s-%d", account, i), "limit")
			g.order(adam, account, st, "", "market")
		}
	}
	g.past()
}

// order sends an order and returns its id.
func (g *guarded) order(c caller, account, strategy, name, kind string) uint64 {
	g.t.Helper()
	body := `{"account":"` + account + `","strategy":"` + strategy + `","instrument":"sim:BTCUSDT","side":"buy","qty":"0.010","type":"` + kind + `"`
	if kind == "limit" {
		body += `,"price":"99.00"`
	}
	if name != "" {
		body += `,"client_order_id":"` + name + `"`
	}
	return g.as(c, "POST", ordersPath, body+"}").ordered(201).OrderID
}

// past puts rows of both accounts, and of the firm, into the store.
func (g *guarded) past() {
	g.archive.mu.Lock()
	defer g.archive.mu.Unlock()
	a := g.archive
	for i, name := range []string{"demo", "other", ""} {
		var account core.AccountID
		if name != "" {
			account = g.dir.AccountNamed(name).ID
		}
		at, seq := start+core.Nanos(i)*minute, uint64(i+1)*10
		for j, st := range g.dir.Strategies() {
			if st.Account == account {
				a.events = append(a.events, history.RiskEvent{Seq: seq + uint64(j), Time: at, Kind: history.RiskOrderRefused, Code: 101, Account: account, Strategy: st.ID, Note: name})
			}
		}
		a.events = append(a.events, history.RiskEvent{Seq: seq, Time: at, Kind: history.RiskStateChanged, Account: account, Note: name + " state"})
		a.acts = append(a.acts, history.Audit{Seq: seq, Time: at, Action: "set_limits", Detail: name})
		if account != 0 {
			a.moved = append(a.moved, history.Transfer{Seq: seq, Time: at, Account: account, Currency: "USDT", Amount: 5, Balance: 5, By: name})
			a.equity = append(a.equity, history.Equity{Account: account, Settle: "USDT", Scale: 8, Time: at, Valued: true})
		}
	}
	for i := range core.Nanos(400) { // hours of prices, for reports
		a.bars = append(a.bars, history.Candle{Instrument: 1, Interval: 3600e9, Candle: core.Candle{Open: 10_000, High: 10_100, Low: 9_900,
			Close: core.Price(10_000 + 10*(i%7)), Volume: 3, Trades: 4, Closed: true, OpenTime: start - (400-i)*3600e9}})
	}
}

// logged is how many entries of the audit log have that action and outcome, by that actor.
func (g *guarded) logged(action, outcome, actor string) (n int) {
	g.t.Helper()
	all, err := g.log.Entries(context.Background(), identity.AuditQuery{Limit: 1 << 20})
	g.must(g.t, err)
	for i := range all {
		if all[i].Action == action && all[i].Outcome == outcome && all[i].Actor == actor {
			n++
		}
	}
	return n
}

// member is a member of a JSON object in a body, as text; "" if it is not there.
func (r reply) member(name string) string {
	r.t.Helper()
	var m map[string]any
	r.into(&m)
	if m[name] == nil {
		return ""
	}
	return strings.TrimSuffix(fmt.Sprintf("%v", m[name]), "\n")
}
