package ws_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/api/auth/password"
	"qcat/api/client"
	"qcat/api/hub"
	"qcat/api/ws"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/identity"
	"qcat/risk"
)

// guarded is a server that asks who a client is.
type guarded struct {
	*server
	t     testing.TB
	store *authtest.Store
	log   *authtest.Log
	svc   *auth.Service
	gate  *auth.Gate
	keys  map[string]*client.Key
	ids   map[string]string // of the keys

	desk1, desk2 core.AccountID
	alpha        core.StrategyID // of desk1
}

// who there is. Each has an API key with everything that they may.
var people = []struct {
	name  string
	role  identity.Role
	scope string
}{
	{"olga", identity.Trader, "desk2"}, // another account's trader
	{"vera", identity.Viewer, "desk1"},
	{"tom", identity.Trader, "desk1"},
	{"stan", identity.Trader, "desk1/alpha"},
	{"rita", identity.Risk, "*"},
	{"adam", identity.Admin, "*"},
}

var (
	process = auth.System("test", "cli")
	hasher  = password.NewHasher(2, 16)
	hashed  = func() string {
		h, err := hasher.Hash(context.Background(), secretWord)
		if err != nil {
			panic(err)
		}
		return h
	}()
)

const secretWord = "correct horse battery"

// guard starts a server with people, and the accounts desk1 and desk2.
func guard(t testing.TB, tune func(*hub.Config, *ws.Config)) *guarded {
	t.Helper()
	clock := core.SystemClock()
	g := &guarded{t: t, store: authtest.NewStore(clock), log: authtest.NewLog(clock), keys: map[string]*client.Key{}, ids: map[string]string{}}
	dir, err := auth.OpenDirectory(t.Context(), g.store, authtest.Vault{}, clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	g.gate, err = auth.NewGate(auth.Config{Directory: dir, Auditor: g.log, Hasher: hasher, Began: 1})
	if err != nil {
		t.Fatal(err)
	}
	g.svc = &auth.Service{Store: g.store, Auditor: g.log, Opener: authtest.Vault{}, Clock: clock, Hasher: hasher, Directory: dir, Gate: g.gate}
	if err := g.svc.EnsureSigningKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		g.user(p.name, p.role, p.scope)
	}
	g.server = serve(t, func(h *hub.Config, w *ws.Config) {
		w.Gate, w.Recorder, w.Auditor = g.gate, g.log, g.log
		if tune != nil {
			tune(h, w)
		}
	})
	g.desk1, g.desk2 = g.account("desk1"), g.account("desk2")
	s, err := g.dir.AddStrategy(g.desk1, "alpha")
	if err != nil {
		t.Fatal(err)
	}
	g.alpha = s.ID
	return g
}

func (g *guarded) account(name string) core.AccountID {
	g.t.Helper()
	a, err := g.dir.AddAccount(name)
	if err != nil {
		g.t.Fatal(err)
	}
	return a.ID
}

// user creates somebody and their key.
func (g *guarded) user(name string, r identity.Role, list string) {
	g.t.Helper()
	scope, err := identity.ParseScope(list)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.store.CreateUser(g.t.Context(), &identity.User{Name: name, Role: r, Scope: scope, Password: hashed}); err != nil {
		g.t.Fatal(err)
	}
	k, secret, err := g.svc.CreateKey(g.t.Context(), process, auth.NewKey{Owner: name, Permissions: r.Permissions(), Scope: scope})
	if err != nil {
		g.t.Fatal(err)
	}
	g.keys[name], g.ids[name] = client.HMACKey(k.ID, secret), k.ID
}

// login begins a session.
func (g *guarded) login(name string) auth.Tokens {
	g.t.Helper()
	got, err := g.gate.Login(g.t.Context(), auth.Credentials{Name: name, Password: secretWord, Via: "http"})
	if err != nil {
		g.t.Fatal(err)
	}
	return got
}

// as connects as somebody by their key, and as nobody with "".
func (g *guarded) as(name string) *client.Conn {
	g.t.Helper()
	var opt client.Options
	if name != "" {
		opt.Auth = g.keys[name]
	}
	return g.dial(g.t, opt)
}

// raw connects with headers.
func (g *guarded) raw(header http.Header) (*websocket.Conn, *http.Response, error) {
	c, resp, err := (&websocket.Dialer{NetDialContext: watched(g.t)}).Dial("ws://"+g.addr+"/api/v1/ws", header)
	if err == nil {
		g.t.Cleanup(func() { _ = c.Close() })
	}
	return c, resp, err
}

// bearer connects with an access token.
func (g *guarded) bearer(t *testing.T, token string) *websocket.Conn {
	t.Helper()
	c, _, err := g.raw(http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// publish has the engine tell something.
func (g *guarded) publish(ev engine.Event) uint64 {
	g.engine.mu.Lock()
	defer g.engine.mu.Unlock()
	g.engine.emit(ev)
	return g.engine.seq
}

// order makes an open order without a client.
func (g *guarded) order(a core.AccountID, s core.StrategyID) core.OrderID {
	g.engine.mu.Lock()
	defer g.engine.mu.Unlock()
	g.engine.run(&engine.Command{Kind: engine.CmdNew, Account: a, Strategy: s, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 100, Qty: 1})
	return core.OrderID(len(g.engine.orders))
}

// of is the default strategy of an account.
func (g *guarded) of(a core.AccountID) core.StrategyID {
	if a == 0 {
		return 0
	}
	return g.dir.StrategyNamed(a, core.DefaultStrategy).ID
}

// tells is what each private channel is told of an account and a strategy of it; of the
// risk channel, without an account, of the firm.
var tells = map[string]func(a core.AccountID, s core.StrategyID) engine.Event{
	"orders": func(a core.AccountID, s core.StrategyID) engine.Event {
		return engine.Event{Kind: engine.EventOrder, Order: core.Order{ID: 7, Account: a, Strategy: s, Instrument: 1, Qty: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 1, Status: core.StatusNew}}
	},
	"executions": func(a core.AccountID, s core.StrategyID) engine.Event {
		return engine.Event{Kind: engine.EventExecution, Execution: core.Execution{ID: 1, Order: 7, Account: a, Strategy: s, Instrument: 1, Side: core.Buy, LastQty: 1, LastPx: 1, Liquidity: core.Taker}}
	},
	"positions": func(a core.AccountID, s core.StrategyID) engine.Event {
		return engine.Event{Kind: engine.EventExecution, Position: engine.PositionState{Account: a, Strategy: s, Instrument: 1}}
	},
	"risk": func(a core.AccountID, s core.StrategyID) engine.Event {
		scope := risk.StrategyScope(s)
		switch {
		case a == 0:
			scope = risk.FirmScope()
		case s == 0:
			scope = risk.AccountScope(a)
		}
		return engine.Event{Kind: engine.EventState, Scope: scope, State: risk.StateHalted}
	},
}

// codeOf is the code of a refusal, "" of what was carried out.
func codeOf(t testing.TB, body []byte) string {
	t.Helper()
	var a struct {
		OK    bool
		Error struct{ Code string }
	}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if a.OK == (a.Error.Code != "") {
		t.Fatalf("neither one nor the other: %s", body)
	}
	return a.Error.Code
}

// endsWith waits for the closing frame, and returns its code.
func endsWith(t testing.TB, c *websocket.Conn) int {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			var ce *websocket.CloseError
			if !asClose(err, &ce) {
				t.Fatalf("it ended without a reason: %v", err)
			}
			return ce.Code
		}
	}
}
