package attack_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/api/auth/password"
	"qcat/api/auth/signing"
	"qcat/api/hub"
	"qcat/api/metrics"
	"qcat/api/rest"
	"qcat/api/ws"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/identity"
	"qcat/core/market"
	"qcat/risk"
)

// venue is a gateway that acknowledges everything at once.
type venue struct{ submit func(*engine.Command) bool }

func (v *venue) Ready() bool { return true }

func (v *venue) Submit(c *core.VenueCommand) bool {
	r := core.ExecReport{Order: c.Order, Instrument: c.Instrument, Time: c.Time}
	switch c.Op {
	case core.VenueNew:
		r.Type = core.ExecNew
	case core.VenueCancel:
		r.Type = core.ExecCancelled
	case core.VenueAmend:
		r.Type, r.Price, r.Qty = core.ExecReplaced, c.Price, c.Qty
	}
	return v.submit(&engine.Command{Kind: engine.CmdReport, Report: r})
}

// server is all of the API over an engine that runs, on a socket of its own.
type server struct {
	t      testing.TB
	addr   string
	dir    *core.Directory
	engine *engine.Engine
	view   *engine.View
	store  *authtest.Store
	log    *authtest.Log
	gate   *auth.Gate
	svc    *auth.Service
}

const (
	pass       = "correct horse battery"
	ordersPath = "/api/v1/orders"
	limitsPath = "/api/v1/risk/limits"
)

// people are the users of every server, all with the same password.
var people = []struct {
	name     string
	role     identity.Role
	scope    string
	disabled bool
}{
	{"ann", identity.Trader, "demo", false},
	{"olga", identity.Trader, "other", false},
	{"vera", identity.Viewer, "demo", false},
	{"rob", identity.Risk, "demo", false},
	{"rita", identity.Risk, "*", false},
	{"adam", identity.Admin, "*", false},
	{"dora", identity.Trader, "demo", true},
}

// hasher is everybody's, and stored the hash of pass, so that not each user costs one.
var (
	hasher = password.NewHasher(2, 64)
	stored = sync.OnceValues(func() (string, error) { return hasher.Hash(context.Background(), pass) })
)

// serve starts a server; tune may change its bounds.
func serve(t testing.TB, tune ...func(*rest.Config, *ws.Config)) *server {
	t.Helper()
	clock := core.SystemClock()
	s := &server{t: t, dir: core.NewDirectory(), store: authtest.NewStore(clock), log: authtest.NewLog(clock)}
	s.identities(clock)
	quotes := market.NewQuoteTable(8)
	v := &venue{}
	s.engine = engine.New(engine.Config{Directory: s.dir, Clock: clock, Quotes: quotes, Gateways: map[string]engine.Gateway{"sim": v},
		Journal: engine.NewMemoryJournal(1 << 20), MaxOpenOrders: 1 << 10, KeepClosedOrders: 1 << 8})
	v.submit = s.engine.Submit
	s.define(clock, quotes)
	s.view = engine.NewView(s.engine, engine.ViewConfig{KeepOrders: 1 << 8})
	h := hub.New(hub.Config{Directory: s.dir, Clock: clock, Events: s.engine.Events(), View: view{s.view}, StartSeq: s.engine.Seq(),
		Tick: 10 * time.Millisecond, Linger: 200 * time.Millisecond})
	sockets := ws.Config{Hub: h, Directory: s.dir, Clock: clock, Engine: s.engine, Orders: s.view, Gate: s.gate, Auditor: s.log, Recorder: s.log}
	requests := rest.Config{Directory: s.dir, Engine: s.engine, View: s.view, Quotes: quotes, Market: h, Metrics: metrics.New(), Clock: clock,
		Gate: s.gate, Service: s.svc, Recorder: s.log}
	for _, f := range tune {
		f(&requests, &sockets)
	}
	requests.Socket = ws.New(sockets).Handle
	s.run(h, rest.New(requests))
	return s
}

// view is the engine's view as the hub wants it.
type view struct{ *engine.View }

// Seq is the journal sequence that the view shows.
func (v view) Seq() uint64 { return v.Applied() }

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// identities makes everybody.
func (s *server) identities(clock core.Clock) {
	s.t.Helper()
	hash, err := stored()
	s.must(err)
	for _, p := range people {
		scope, err := identity.ParseScope(p.scope)
		s.must(err)
		s.must(s.store.CreateUser(s.t.Context(), &identity.User{Name: p.name, Role: p.role, Scope: scope, Password: hash, Disabled: p.disabled}))
	}
	directory, err := auth.OpenDirectory(s.t.Context(), s.store, authtest.Vault{}, clock, nil)
	s.must(err)
	s.gate, err = auth.NewGate(auth.Config{Directory: directory, Auditor: s.log, Hasher: hasher, Began: 1})
	s.must(err)
	s.svc = &auth.Service{Store: s.store, Auditor: s.log, Opener: authtest.Vault{}, Clock: clock, Hasher: hasher, Directory: directory, Gate: s.gate}
	s.must(s.svc.EnsureSigningKey(s.t.Context()))
}

// define makes an instrument with a quote, and two accounts with a strategy each.
func (s *server) define(clock core.Clock, quotes *market.QuoteTable) {
	s.t.Helper()
	in, err := s.engine.DefineInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1, MinQty: 1})
	s.must(err)
	now := clock.Now()
	quotes.Store(in.ID, &core.Quote{BidPrice: 10_000, AskPrice: 10_002, BidQty: 1000, AskQty: 1000, LastPrice: 10_000,
		ReceiveTime: now, LastTime: now, Seq: 1})
	for _, name := range []string{"demo", "other"} {
		a, err := s.engine.DefineAccount(name)
		s.must(err)
		_, err = s.engine.DefineStrategy(a.ID, "maker")
		s.must(err)
		var l risk.Limits
		l.Set(risk.LimitMaxOrderQty, 100_000)
		_, err = s.engine.DefineLimits(risk.InstrumentScope(a.ID, 0, in.ID), l)
		s.must(err)
	}
}

// run starts everything and ends it with the test.
func (s *server) run(h *hub.Hub, r *rest.Server) {
	s.t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	s.must(err)
	s.addr = ln.Addr().String()
	orders, stopOrders := context.WithCancel(context.Background())
	readers, stopReaders := context.WithCancel(context.Background())
	var ordering, reading sync.WaitGroup
	reading.Go(func() { s.view.Run(readers) })
	reading.Go(func() { h.Run(readers) })
	ordering.Go(func() {
		if err := s.engine.Run(orders); err != nil {
			s.t.Errorf("engine: %v", err)
		}
	})
	ordering.Go(func() {
		if err := r.Serve(ln); err != nil {
			s.t.Errorf("serve: %v", err)
		}
	})
	s.t.Cleanup(func() {
		stopReaders()
		reading.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Shutdown(ctx); err != nil {
			s.t.Errorf("shutdown: %v", err)
		}
		stopOrders()
		ordering.Wait()
	})
	eventually(s.t, "the engine runs", func() bool { return s.engine.Health() == engine.HealthRunning })
}

// eventually waits for what other goroutines bring about.
func eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// answer is what came of a request.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// code is that of a problem, "" of an answer that is none.
func (a answer) code() string {
	var p struct{ Code string }
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") || json.Unmarshal([]byte(a.body), &p) != nil {
		return ""
	}
	return p.Code
}

// refused requires a problem with this status and, if it is named, this code.
func (a answer) refused(status int, code string) {
	a.t.Helper()
	if got := a.code(); a.status != status || got == "" || code != "" && got != code {
		a.t.Errorf("%s: answered %d %s, want %d %s: %.300s", a.what, a.status, got, status, code, a.body)
	}
}

// ok requires an answer that is no refusal.
func (a answer) ok() answer {
	a.t.Helper()
	if a.status >= http.StatusBadRequest {
		a.t.Fatalf("%s: %d: %.300s", a.what, a.status, a.body)
	}
	return a
}

// into reads the body.
func (a answer) into(out any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), out); err != nil {
		a.t.Fatalf("%s: %v in %.300s", a.what, err, a.body)
	}
}

// ask sends one request; header lines are "Name: value".
func (s *server) ask(method, target, body string, header ...string) answer {
	s.t.Helper()
	var b strings.Builder
	b.WriteString(method + " " + target + " HTTP/1.1\r\n")
	for name, value := range map[string]string{"Host": s.addr, "Connection": "close"} {
		if !strings.Contains("\n"+strings.Join(header, "\n"), "\n"+name+": ") {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	for _, line := range header {
		b.WriteString(line + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	answers := s.raw(b.String() + "\r\n" + body)
	if len(answers) != 1 {
		s.t.Fatalf("%s %.80s: %d answers", method, target, len(answers))
	}
	answers[0].what = method + " " + target[:min(len(target), 100)]
	return answers[0]
}

// dial connects without a word.
func (s *server) dial() *net.TCPConn {
	s.t.Helper()
	c, err := (&net.Dialer{}).DialContext(s.t.Context(), "tcp", s.addr)
	s.must(err)
	s.must(c.SetDeadline(time.Now().Add(20 * time.Second)))
	return c.(*net.TCPConn)
}

// raw sends bytes as they are and nothing behind them, and returns every answer until the server
// hangs up.
func (s *server) raw(text string) (all []answer) {
	s.t.Helper()
	c := s.dial()
	defer c.Close()
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		_, _ = io.WriteString(c, text) // the server may have hung up: its answer tells why
		_ = c.CloseWrite()             // nothing more comes
	}()
	defer func() { <-wrote }()
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return all
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			s.t.Fatalf("%.80q: %v", text, err)
		}
		all = append(all, answer{s.t, strconv.Quote(text[:min(len(text), 100)]), resp.StatusCode, resp.Header, string(body)})
		if resp.Close || resp.StatusCode == http.StatusSwitchingProtocols {
			return all
		}
	}
}

// tokens are those of a session.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func (s *server) login(name string) (t tokens) {
	s.t.Helper()
	s.ask("POST", "/api/v1/auth/login", `{"user":"`+name+`","password":"`+pass+`"}`).ok().into(&t)
	return t
}

// as is the header of a new session of a user.
func (s *server) as(name string) string { return bearer(s.login(name).Access) }

func bearer(token string) string { return "Authorization: Bearer " + token }

// key is an API key that signs by HMAC.
type key struct{ id, secret string }

// newKey makes a key of a user's, with no more than its owner may.
func (s *server) newKey(owner string, permissions identity.Permission) key {
	s.t.Helper()
	u, err := s.store.User(s.t.Context(), owner)
	s.must(err)
	k, secret, err := s.svc.CreateKey(s.t.Context(), auth.System("root@test", "cli"),
		auth.NewKey{Owner: owner, Name: "bot", Permissions: permissions, Scope: u.Scope})
	s.must(err)
	return key{k.ID, secret}
}

// sign proves a request as of a moment.
func (k key) sign(method, target, body string, at time.Time) []string {
	stamp, nonce := strconv.FormatInt(at.UnixMilli(), 10), signing.Nonce()
	signed := signing.HMAC([]byte(k.secret), signing.Append(nil, stamp, "", nonce, method, target, body))
	return []string{signing.HeaderKey + ": " + k.id, signing.HeaderTimestamp + ": " + stamp, signing.HeaderNonce + ": " + nonce,
		signing.HeaderSignature + ": " + string(signed)}
}

// order is a limit order that rests.
func order(account, clientID string) string {
	return `{"account":"` + account + `","strategy":"maker","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"99.00","qty":"0.010","client_order_id":"` + clientID + `"}`
}

// place places an order as a user and returns its id.
func (s *server) place(who, account, clientID string) (id uint64) {
	s.t.Helper()
	var o struct {
		OrderID uint64 `json:"order_id"`
	}
	s.ask("POST", ordersPath, order(account, clientID), s.as(who)).ok().into(&o)
	return o.OrderID
}

// socket opens a WebSocket with header lines and no identity but those.
func (s *server) socket(header ...string) (*websocket.Conn, *http.Response, error) {
	s.t.Helper()
	h := http.Header{}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	c, resp, err := (&websocket.Dialer{HandshakeTimeout: 10 * time.Second}).DialContext(s.t.Context(), "ws://"+s.addr+ws.Path, h)
	if err == nil {
		s.t.Cleanup(func() { _ = c.Close() })
		s.must(c.SetReadDeadline(time.Now().Add(20 * time.Second)))
	}
	return c, resp, err
}

// open is socket where nothing may fail.
func (s *server) open(header ...string) *websocket.Conn {
	s.t.Helper()
	c, _, err := s.socket(header...)
	s.must(err)
	return c
}

// told is the answer to a request on a WebSocket.
type told struct {
	OK    bool
	Error struct{ Code, Detail string }
}

// say sends one request, which must have the id 1, and returns its answer.
func (s *server) say(c *websocket.Conn, request string) (got told) {
	s.t.Helper()
	s.must(c.WriteMessage(websocket.TextMessage, []byte(request)))
	for {
		_, b, err := c.ReadMessage()
		if err != nil {
			s.t.Fatalf("%.200s: %v", request, err)
		}
		if bytes.HasPrefix(b, []byte(`{"id":1,`)) {
			s.must(json.Unmarshal(b, &got))
			return got
		}
	}
}

// closes waits for the end of a connection and returns the code of its closing frame, 0 if
// it was cut without one.
func (s *server) closes(c *websocket.Conn) int {
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			var e *websocket.CloseError
			if errors.As(err, &e) {
				return e.Code
			}
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				s.t.Error("the connection was not closed")
			}
			return 0
		}
	}
}

// openAndSay opens a WebSocket and sends a request so many times, without an answer.
func (s *server) openAndSay(request string, times int) *websocket.Conn {
	s.t.Helper()
	c := s.open()
	for range times {
		s.must(c.WriteMessage(websocket.TextMessage, []byte(request)))
	}
	return c
}
