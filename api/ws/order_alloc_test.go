//go:build !race

package ws

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"qcat/api/auth"
	"qcat/api/auth/authtest"
	"qcat/api/auth/signature"
	"qcat/api/auth/signing"
	"qcat/api/hub"
	"qcat/api/limit"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/identity"
)

// takesAll is an order lane that takes every command and never answers.
type takesAll struct{ taken int }

func (e *takesAll) Put(*engine.Command) bool                             { e.taken++; return true }
func (e *takesAll) Submit(*engine.Command) bool                          { return true }
func (e *takesAll) Serve()                                               {}
func (e *takesAll) RegisterSink(engine.ReplySink) (engine.ReplyTo, bool) { return 1, true }
func (e *takesAll) UnregisterSink(engine.ReplyTo)                        {}
func (e *takesAll) Answered() uint64                                     { return 0 }

// keyOf returns what the key of a new trader of one strategy may.
func keyOf(t testing.TB) auth.Principal {
	t.Helper()
	clock := core.SystemClock()
	store := authtest.NewStore(clock)
	scope := identity.Scope{Accounts: []string{"desk9"}, Strategies: []string{"desk8/default", "desk1/default"}}
	if err := store.CreateUser(t.Context(), &identity.User{Name: "tom", Role: identity.Trader, Scope: scope}); err != nil {
		t.Fatal(err)
	}
	dir, err := auth.OpenDirectory(t.Context(), store, authtest.Vault{}, clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	gate, err := auth.NewGate(auth.Config{Directory: dir, Auditor: authtest.NewLog(clock), Began: 1})
	if err != nil {
		t.Fatal(err)
	}
	svc := &auth.Service{Store: store, Auditor: authtest.NewLog(clock), Opener: authtest.Vault{}, Clock: clock, Directory: dir, Gate: gate}
	if err := svc.EnsureSigningKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	k, secret, err := svc.CreateKey(t.Context(), auth.System("test", "cli"), auth.NewKey{Owner: "tom", Permissions: identity.Trade, Scope: scope})
	if err != nil {
		t.Fatal(err)
	}
	p, err := gate.Signed(signedBy(k.ID, secret), p0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// orderer is a session of somebody with a limiter on everything, and an order as it is sent.
func orderer(t testing.TB, p auth.Principal) (s *session, step func()) {
	t.Helper()
	d := core.NewDirectory()
	if _, err := d.AddInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 4, ContractSize: 1, TickSize: 1, StepSize: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.AddAccount("desk1"); err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Config{Directory: d})
	ctx, stop := context.WithCancel(context.Background())
	go h.Run(ctx)
	a, b := net.Pipe()
	conn, err := h.Attach(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = b.Close(); conn.Close() })
	all := limit.NewLimiter(limit.Rate{PerSecond: 1e9, Burst: 1 << 20})
	srv := New(Config{Hub: h, Directory: d, Engine: &takesAll{}, Clients: all, Addresses: all, Cancels: all})
	s = &session{srv: srv, cfg: &srv.cfg, conn: conn}
	s.arrive(&visitor{address: p0, who: p})
	order := []byte(`{"op":"order","id":17,"account":"desk1","instrument":"sim:BTCUSDT","side":"buy","type":"limit","price":"1.00","qty":"0.001","client_order_id":"w-1"}`)
	return s, func() {
		s.request(order)
		s.desk.withdraw(s.cmd.Token)
	}
}

// TestOrderAllocatesNothing: the way of an order to the engine, of everybody and of a key
// whose rights, scope and rate are looked at.
func TestOrderAllocatesNothing(t *testing.T) {
	for name, p := range map[string]auth.Principal{"demo": auth.Demo(), "key": keyOf(t)} {
		s, step := orderer(t, p)
		step()
		if n := testing.AllocsPerRun(1000, step); n != 0 {
			t.Errorf("%s: %v allocations an order", name, n)
		}
		if n := s.cfg.Engine.(*takesAll).taken; n != 1002 {
			t.Errorf("%s: %d orders were taken", name, n)
		}
	}
}

// BenchmarkOrder is the reader's part of an order.
func BenchmarkOrder(b *testing.B) {
	for name, p := range map[string]auth.Principal{"demo": auth.Demo(), "key": keyOf(b)} {
		b.Run(name, func(b *testing.B) {
			_, step := orderer(b, p)
			step()
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}

var p0 = netip.MustParseAddr("127.0.0.1")

// signedBy is an auth operation of this moment.
func signedBy(id, secret string) *signature.Request {
	r := &signature.Request{
		Key: []byte(id), Timestamp: strconv.AppendInt(nil, time.Now().UnixMilli(), 10), Nonce: []byte("n"),
		Method: signature.SocketMethod, Target: signature.SocketTarget, Socket: true,
	}
	r.Signature = signing.HMAC([]byte(secret), r.Append(nil))
	return r
}
