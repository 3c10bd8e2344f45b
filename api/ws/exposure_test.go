package ws_test

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"qcat/api/hub"
	"qcat/api/spec/spectest"
	"qcat/api/ws"
	"qcat/core"
	"qcat/risk"
)

// lockedTree is a limit tree that others read between two changes.
type lockedTree struct {
	mu      sync.Mutex
	tree    *risk.Tree
	seq     uint64
	queries int
}

func newLockedTree(t *testing.T, accounts int) *lockedTree {
	t.Helper()
	l := &lockedTree{tree: risk.NewTree(risk.Config{})}
	for a := 1; a <= accounts; a++ {
		if r := l.tree.DefineAccount(core.AccountID(a)); !r.OK() {
			t.Fatal(r)
		}
	}
	return l
}

func (l *lockedTree) Query(f func(*risk.Tree, uint64)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queries++
	f(l.tree, l.seq)
}

// change counts as a journal record.
func (l *lockedTree) change(f func(*risk.Tree)) (seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	f(l.tree)
	return l.seq
}

func (l *lockedTree) asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queries
}

// exposureFrame is a frame of the risk channel.
type exposureFrame struct {
	Seq  uint64
	Data struct {
		Kind     string
		Seq      uint64
		Complete bool
		More     bool
		Scopes   []struct {
			Scope struct{ Level, Account string }
			State string
		}
	}
}

// exposure returns the next exposure frame.
func exposure(t *testing.T, c *websocket.Conn) (f exposureFrame) {
	t.Helper()
	for {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, b, err := c.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		f = exposureFrame{}
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		if f.Data.Kind == "exposure" {
			return f
		}
	}
}

// picture joins exposure frames up to the one that completes what is told: a look at the
// tree that takes too long goes on at the next tick.
func picture(t *testing.T, c *websocket.Conn) exposureFrame {
	t.Helper()
	whole := exposure(t, c)
	for !whole.Data.Complete {
		f := exposure(t, c)
		f.Data.Scopes = append(whole.Data.Scopes, f.Data.Scopes...)
		whole = f
	}
	return whole
}

// TestExposures: who subscribes is told every node, then what has changed and nothing
// else, as of one sequence; nobody is asked while nobody listens.
func TestExposures(t *testing.T) {
	tree := newLockedTree(t, 3)
	s := serve(t, func(h *hub.Config, _ *ws.Config) { h.Exposure, h.ExposureEvery = tree, time.Millisecond })
	c := rawDial(t, s)
	ask(t, c, `{"op":"ping"}`)
	if n := tree.asked(); n != 0 {
		t.Errorf("%d looks at the tree for nobody", n)
	}
	ask(t, c, `{"op":"subscribe","channels":["risk"]}`)
	f := picture(t, c)
	var levels []string
	for _, x := range f.Data.Scopes {
		levels = append(levels, x.Scope.Level)
	}
	slices.Sort(levels)
	if levels = slices.Compact(levels); f.Data.More || len(f.Data.Scopes) < 4 || !slices.Equal(levels, []string{"account", "firm"}) {
		t.Fatalf("%+v", f)
	}
	for i := range 20 {
		state := risk.TradingState(1 + i%2)
		seq := tree.change(func(t *risk.Tree) { t.SetState(risk.AccountScope(1), state) })
		f := picture(t, c)
		if len(f.Data.Scopes) != 1 || f.Data.Seq != seq || f.Data.Scopes[0].Scope.Account != "demo" || f.Data.Scopes[0].State != state.String() {
			t.Fatalf("change %d: %+v", i, f)
		}
	}
	// The frame's own seq is that of the last event, so that resuming misses none.
	at := s.engine.enter()
	ask(t, c, `{"op":"ping"}`)
	tree.change(func(t *risk.Tree) { t.SetState(risk.FirmScope(), risk.StateReducing) })
	if f := exposure(t, c); f.Seq > at {
		t.Errorf("a frame is at %d, the last event at %d", f.Seq, at)
	}
	other := rawDial(t, s)
	ask(t, other, `{"op":"subscribe","channels":["risk"]}`)
	if f := picture(t, other); len(f.Data.Scopes) < 4 {
		t.Errorf("who comes later is told everything too: %+v", f)
	}
}

// TestExposuresOfALargeTree: more nodes than one look copies come in several, each as
// of one sequence, until the picture is complete; and it is right.
func TestExposuresOfALargeTree(t *testing.T) {
	const accounts = 2500
	tree := newLockedTree(t, accounts)
	s := serve(t, func(h *hub.Config, _ *ws.Config) { h.Exposure, h.ExposureEvery = tree, time.Millisecond })
	c := rawDial(t, s)
	ask(t, c, `{"op":"subscribe","channels":["risk"]}`)
	frames, nodes := 0, 0
	for complete := false; !complete; frames++ {
		f := exposure(t, c)
		if len(f.Data.Scopes) > 100 {
			t.Fatalf("a frame of %d nodes", len(f.Data.Scopes))
		}
		nodes += len(f.Data.Scopes)
		complete = f.Data.Complete
	}
	if nodes < accounts+1 || frames < accounts/100 {
		t.Errorf("complete after %d nodes in %d frames", nodes, frames)
	}
}

// TestSlowExposures: who does not read is not disconnected for exposures, and is told
// everything when it reads again.
func TestSlowExposures(t *testing.T) {
	tree := newLockedTree(t, 200)
	s := serve(t, func(h *hub.Config, _ *ws.Config) {
		h.Exposure, h.ExposureEvery, h.HardBound, h.SocketBuffer = tree, time.Millisecond, 128<<10, 4<<10
	})
	c := rawDial(t, s)
	if tcp, ok := spectest.Unwatched(c.NetConn()).(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10)
	}
	ask(t, c, `{"op":"subscribe","channels":["risk"]}`)
	for i := range 2000 {
		tree.change(func(t *risk.Tree) {
			for a := core.AccountID(1); a <= 200; a++ {
				t.SetState(risk.AccountScope(a), risk.TradingState(i%2))
			}
		})
		if s.hub.Stats().Conflated > 0 {
			break
		}
		before := tree.asked()
		eventually(t, "another look", func() bool { return tree.asked() > before })
	}
	if s.hub.Stats().Conflated == 0 {
		t.Fatal("the client never lagged")
	}
	seq := tree.change(func(t *risk.Tree) { t.SetState(risk.FirmScope(), risk.StateHalted) })
	states := map[string]string{}
	for {
		f := exposure(t, c)
		for _, x := range f.Data.Scopes {
			states[fmt.Sprint(x.Scope)] = x.State
		}
		if f.Data.Complete && f.Data.Seq >= seq {
			break
		}
	}
	if states["{firm }"] != "halted" {
		t.Errorf("the firm is %q", states["{firm }"])
	}
}
