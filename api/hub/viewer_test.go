package hub

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/identity"
	"qcat/ringbuf"
	"qcat/risk"
)

// viewer is somebody with a scope.
type viewer struct {
	scope identity.Scope
	dead  atomic.Bool
	names atomic.Uint64 // how often a name was looked at
}

func (v *viewer) Alive() bool  { return !v.dead.Load() }
func (v *viewer) CanAll() bool { return v.Alive() && v.scope.All }

func (v *viewer) CanAccount(a string) bool {
	v.names.Add(1)
	return v.Alive() && v.scope.Account(a)
}

func (v *viewer) CanStrategy(a, s string) bool {
	v.names.Add(1)
	return v.Alive() && v.scope.Strategy(a, s)
}

func viewerOf(t testing.TB, list string) *viewer {
	t.Helper()
	s, err := identity.ParseScope(list)
	if err != nil {
		t.Fatal(err)
	}
	return &viewer{scope: s}
}

// privateRig is a rig with an event ring and so many accounts, a1, a2, …, each with a
// strategy x beside the default one.
func privateRig(t testing.TB, accounts int) (*rig, *core.Directory) {
	t.Helper()
	ring := ringbuf.NewBroadcast[engine.Event](1 << 12)
	r := newRig(t, func(c *Config) { c.Events, c.View = ring, emptyView(0) })
	d := r.cfg.Directory.(*core.Directory)
	for i := range accounts {
		defineAccount(t, d, fmt.Sprintf("a%d", i+1))
	}
	return r, d
}

func defineAccount(t testing.TB, d *core.Directory, name string) *core.Account {
	t.Helper()
	a, err := d.AddAccount(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.AddStrategy(a.ID, "x"); err != nil {
		t.Fatal(err)
	}
	return a
}

// admit subscribes a connection of somebody to all private channels.
func (r *rig) admit(t testing.TB, nc net.Conn, v Viewer) *Conn {
	t.Helper()
	c, err := r.Attach(nc)
	if err != nil {
		t.Fatal(err)
	}
	if v != nil {
		c.Belong(v)
	} else {
		c.Expect(time.Hour)
	}
	cmd := command{conn: c, resume: &resume{from: r.private.last, done: make(chan struct{})}, sight: newSight(c)}
	for ch := range wire.PrivateCount {
		cmd.channels = append(cmd.channels, PrivateChannel(ch))
	}
	if r.private.subscribe(&cmd); cmd.resume.gone {
		t.Fatal("gone")
	}
	return c
}

// tape is a connection that keeps what it is sent.
type tape struct {
	*sinkConn
	mu   sync.Mutex
	sent bytes.Buffer
}

func newTape() *tape { return &tape{sinkConn: newSink()} }

func (t *tape) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent.Write(b)
	return t.sinkConn.Write(b)
}

func (t *tape) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent.String()
}

// anything is a random event of an account and strategy, or of the firm.
func anything(rng *rand.Rand, d *core.Directory, seq uint64) engine.Event {
	strategies := d.Strategies()
	s := strategies[rng.IntN(len(strategies))]
	ev := engine.Event{Seq: seq, Last: true, Kind: engine.EventKind(1 + rng.IntN(int(engine.EventProposal)))}
	ev.Order = core.Order{ID: core.OrderID(seq), Account: s.Account, Strategy: s.ID, Instrument: 1}
	ev.Execution = core.Execution{ID: seq, Account: s.Account, Strategy: s.ID, Instrument: 1}
	ev.Position = engine.PositionState{Account: s.Account, Strategy: s.ID, Instrument: 1}
	ev.Account = engine.AccountEvent{Account: s.Account, Instrument: 1}
	switch rng.IntN(6) {
	case 0:
		ev.Scope = risk.FirmScope()
	case 1:
		ev.Scope = risk.AccountScope(s.Account)
	case 2:
		ev.Scope = risk.Scope{Level: risk.LevelStrategy, Account: s.Account, Strategy: s.ID}
	case 3:
		ev.Scope = risk.InstrumentScope(s.Account, s.ID, 1)
	case 4:
		ev.Scope = risk.InstrumentScope(s.Account, 0, 1)
	case 5:
		ev.Scope = risk.InstrumentScope(0, 0, 1)
	}
	ev.Reason = risk.Reason{Code: risk.MaxQty, Scope: ev.Scope}
	return ev
}

// TestNothingLeaks: random events of all kinds and accounts, while accounts are defined,
// connections come, resume and go: nobody is sent a frame that names what is not in their
// scope, and everybody some of what is.
func TestNothingLeaks(t *testing.T) {
	const events = 4000
	r, d := privateRig(t, 3)
	p := &r.private
	rng := rand.New(rand.NewPCG(1, 2))
	scopes := []string{"a1", "a2/x", "a1/default,a3", "a5", "-", "*"}
	tapes := make([][]*tape, len(scopes))
	var last *Conn
	for seq := uint64(1); seq <= events; seq++ {
		if seq%500 == 1 {
			for i, list := range scopes {
				tp := newTape()
				tapes[i] = append(tapes[i], tp)
				last = r.admit(t, tp, viewerOf(t, list))
				if seq > 1000 { // it comes back, from some time ago
					res := &resume{from: position{seq - 700, wholeRecord}, done: make(chan struct{})}
					p.subscribe(&command{conn: last, resume: res, channels: []Channel{PrivateChannel(wire.Orders), PrivateChannel(wire.Risk)}, sight: newSight(last)})
				}
			}
		}
		if seq%700 == 0 {
			defineAccount(t, d, fmt.Sprintf("a%d", len(d.Accounts())+1))
		}
		ev := anything(rng, d, seq)
		r.cfg.Events.Publish(&ev)
		if rng.IntN(8) == 0 {
			p.poll()
			p.flush()
		}
	}
	p.poll()
	p.flush()
	r.mu.Lock()
	conns := slices.Clone(r.conns)
	r.mu.Unlock()
	for _, c := range conns {
		written(t, c)
	}
	for i, list := range scopes {
		v := viewerOf(t, list)
		frames := 0
		for _, tp := range tapes[i] {
			frames += holds(t, tp.text(), v)
		}
		if (frames > 0) != (list != "-") {
			t.Errorf("%s: %d frames", list, frames)
		}
	}
}

// holds counts the frames in a text and holds each against a scope.
func holds(t *testing.T, text string, v *viewer) (frames int) {
	t.Helper()
	for _, f := range strings.Split(text, `{"ch":"`)[1:] {
		frames++
		account, strategy := member(f, "account"), member(f, "strategy")
		if v.scope.All || account != "" && v.scope.Strategy(account, strategy) {
			continue
		}
		t.Fatalf("%s is shown %s", v.scope.String(), f)
	}
	return frames
}

// member is a text in a frame, "" if there is none.
func member(frame, name string) string {
	_, rest, found := strings.Cut(frame, `"`+name+`":"`)
	if !found {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// TestNamesAreLookedAtOnce: what an event costs does not depend on names: each account
// and strategy is looked at once for a connection, and a new one when it is defined.
func TestNamesAreLookedAtOnce(t *testing.T) {
	r, d := privateRig(t, 3)
	v := viewerOf(t, "a2")
	r.admit(t, newSink(), v)
	first := v.names.Load()
	rng := rand.New(rand.NewPCG(3, 4))
	for seq := uint64(1); seq <= 2000; seq++ {
		if seq == 1000 {
			defineAccount(t, d, "late")
		}
		ev := anything(rng, d, seq)
		r.cfg.Events.Publish(&ev)
		r.private.poll()
		r.private.flush()
	}
	if more := v.names.Load() - first; first != 9 || more != 3 {
		t.Errorf("%d names at first and %d later, want 9 and 3", first, more)
	}
}

// TestNobodySeesNothing: a connection that waits for who it belongs to is shown nothing,
// and one that nothing was said of everything.
func TestNobodySeesNothing(t *testing.T) {
	r, d := privateRig(t, 1)
	nobody := r.admit(t, newSink(), nil)
	ev := anything(rand.New(rand.NewPCG(1, 1)), d, 1)
	ev.Kind = engine.EventOrder
	if nobody.sight.event(wire.Orders, &ev) || nobody.sight.node(risk.FirmScope()) || nobody.sight.owner(0, 0) {
		t.Error("nobody is shown something")
	}
	c := r.attach(t, newSink())
	if !newSight(c).event(wire.Orders, &ev) {
		t.Error("a connection that belongs to no one in particular is shown nothing")
	}
	if id := (&idSet{}); id.has(0) || id.has(1<<31) {
		t.Error("an empty set has something")
	}
}

// TestEndOfAViewer: from that moment no event is sent, and the keeper ends who is sent none.
func TestEndOfAViewer(t *testing.T) {
	r, d := privateRig(t, 1)
	v, idle := viewerOf(t, "*"), viewerOf(t, "a1")
	tp := newTape()
	c, quiet := r.admit(t, tp, v), r.admit(t, newSink(), idle)
	v.dead.Store(true)
	ev := anything(rand.New(rand.NewPCG(1, 1)), d, 1)
	ev.Kind = engine.EventOrder
	r.cfg.Events.Publish(&ev)
	r.private.poll()
	r.private.flush()
	if c.Reason() != SessionEnded || strings.Contains(tp.text(), `"orders"`) {
		t.Errorf("%v: %q", c.Reason(), tp.text())
	}
	if r.sweep(r.cfg.Clock.Now()); quiet.Reason() != (Disconnect{}) {
		t.Error(quiet.Reason())
	}
	idle.dead.Store(true)
	if r.sweep(r.cfg.Clock.Now()); quiet.Reason() != SessionEnded {
		t.Error(quiet.Reason())
	}
	late, err := r.Attach(newSink())
	if err != nil {
		t.Fatal(err)
	}
	late.Expect(time.Second)
	if r.sweep(r.cfg.Clock.Now()); late.Reason() != (Disconnect{}) {
		t.Error(late.Reason())
	}
	if r.sweep(r.cfg.Clock.Now() + 2e9); late.Reason() != AuthTimeout {
		t.Error(late.Reason())
	}
}

// TestExposuresOfAScope: who may not see every node is sent those they may, in frames of
// their own, and is told when that was all.
func TestExposuresOfAScope(t *testing.T) {
	r, _ := privateRig(t, 3)
	tree := risk.NewTree(risk.Config{})
	for id := range core.AccountID(3) {
		if reason := tree.DefineAccount(id + 1); !reason.OK() {
			t.Fatal(reason)
		}
	}
	want := map[string][]string{"a2": {"a2"}, "*": {"firm", "a1", "a2", "a3"}, "-": {}}
	tapes := map[string]*tape{}
	for list := range want {
		tapes[list] = newTape()
		r.admit(t, tapes[list], viewerOf(t, list))
	}
	x := &r.exposures
	x.walk = true
	complete := x.look(tree, 7, true)
	x.nodes, x.ends = x.nodes[:0], append(x.ends[:0], 0)
	for i := range x.levels.Len() {
		x.nodes = x.levels.Append(x.nodes, r.cfg.Directory, i)
		x.ends = append(x.ends, len(x.nodes))
	}
	r.private.publishExposures(true, complete)
	r.private.flush()
	r.mu.Lock()
	conns := slices.Clone(r.conns)
	r.mu.Unlock()
	for _, c := range conns {
		written(t, c)
	}
	for list, names := range want {
		text := tapes[list].text()
		var got []string
		for _, node := range strings.Split(text, `{"scope":`)[1:] {
			name := member(node, "account")
			if name == "" {
				name = member(node, "level")
			}
			got = append(got, name)
		}
		slices.Sort(got)
		slices.Sort(names)
		got = slices.Compact(got) // a node that has changed is told beside the others
		if !slices.Equal(got, names) || !complete || strings.Count(text, `"complete":true`) != 1 {
			t.Errorf("%s is shown %v: %s", list, got, text)
		}
	}
}
