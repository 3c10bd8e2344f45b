package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/core"
	"qcat/feed/binance"
	"qcat/feed/fakevenue"
)

// exchange is a fake venue, the binary connected to it, and a client that
// rebuilds the book of each of its instruments.
type exchange struct {
	*process
	venue *fakevenue.Server
	src   *fakevenue.Source
	ctx   context.Context
	books map[string]*rebuilt // by symbol
}

// connect starts all of it and waits until the books are live.
func connect(t *testing.T, src *fakevenue.Source, args ...string) *exchange {
	t.Helper()
	venue, err := fakevenue.New(src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = venue.Close() })
	var symbols []string
	for i := range src.Instruments {
		symbols = append(symbols, src.Instruments[i].Symbol)
	}
	name := src.Market.Venue()
	args = append([]string{"--feed", name + ":" + strings.Join(symbols, ","),
		"--" + name + "-ws-url", venue.WS(), "--" + name + "-rest-url", venue.REST()}, args...)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	x := &exchange{process: serve(t, append([]string{"--demo"}, args...)...), venue: venue, src: src, ctx: ctx, books: map[string]*rebuilt{}}
	if err := venue.WaitSubscribed(ctx, 1); err != nil {
		t.Fatalf("%v:\n%s", err, x.stderr.String())
	}
	c := dial(t, x.addr)
	for i := range src.Instruments {
		x.books[symbols[i]] = rebuild(t, c, src.Instruments[i].Name())
	}
	x.until("the books are live", func() bool {
		for _, b := range x.books {
			if !b.live() {
				return false
			}
		}
		return true
	})
	return x
}

// until plays on, a frame at a time, until cond is true: a market does not stop
// while somebody looks.
func (x *exchange) until(what string, cond func() bool) {
	x.t.Helper()
	eventuallyOr(x.t, func() string { return what + ":\n" + tail(x.stderr.String()) }, func() bool {
		if cond() {
			return true
		}
		x.venue.Step(1)
		return false
	})
}

// play plays frames as fast as they are taken.
func (x *exchange) play(n int) {
	x.t.Helper()
	x.venue.Step(n)
	if err := x.venue.Barrier(x.ctx); err != nil {
		x.t.Fatal(err)
	}
}

// inTruth waits until the client's books are the venue's, and compares them level
// by level.
func (x *exchange) inTruth() {
	x.t.Helper()
	for i := range x.src.Instruments {
		in := &x.src.Instruments[i]
		bids, asks, _ := x.venue.Truth(in.Symbol)
		b := x.books[in.Symbol]
		for deadline := time.Now().Add(patience); !b.equals(in, bids, asks) && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		b.check(x.t, in, bids, asks)
	}
}

// TestClientRebuildsTheBook plays frames at full speed, through the venue's
// sockets into the binary and out of it to a client.
func TestClientRebuildsTheBook(t *testing.T) {
	t.Parallel()
	messages := 20_000
	if raceEnabled {
		messages = 5_000 // more of the same
	}
	for _, market := range []binance.Market{binance.USDM, binance.Spot} {
		src := fakevenue.Synthetic(fakevenue.SyntheticConfig{Market: market, Seed: 21, Messages: messages})
		rebuildsAtFullSpeed(t, src)
	}
}

// TestClientRebuildsTheRecordedBook does so with recorded frames.
func TestClientRebuildsTheRecordedBook(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(capturesEnv)
	if dir == "" {
		t.Skip(capturesEnv + " is not set: no recorded market data")
	}
	limit := 0 // all
	if raceEnabled {
		limit = 20_000
	}
	f, err := os.Open(filepath.Join(dir, "binance", "usdm-btcusdt-20240808.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	src, err := fakevenue.CaptureOf(binance.USDM, f, limit)
	if err != nil {
		t.Fatal(err)
	}
	rebuildsAtFullSpeed(t, src)
}

func rebuildsAtFullSpeed(t *testing.T, src *fakevenue.Source) {
	t.Helper()
	x := connect(t, src)
	if err := x.venue.Play(x.ctx, 0); err != nil {
		t.Fatal(err)
	}
	if x.venue.Position() != x.venue.Len() {
		t.Fatalf("played %d of %d frames", x.venue.Position(), x.venue.Len())
	}
	x.inTruth()
	for symbol, b := range x.books {
		frames, snapshots, stale := b.counts()
		t.Logf("%s %s: %d depth frames, %d of them whole books", src.Market, symbol, frames, snapshots)
		if frames == snapshots || stale > 0 {
			t.Errorf("%s: %d frames, %d snapshots, stale %d times: nothing was rebuilt", symbol, frames, snapshots, stale)
		}
	}
	if n := x.venue.Stats().Connections; n != 1 {
		t.Errorf("%d connections to the venue, want 1", n)
	}
}

// marketOrder buys a little at the market.
func marketOrder(in *core.Instrument) client.Order {
	return client.Order{Account: "demo", Instrument: in.Name(), Side: "buy", Type: "market", Qty: "0.010"}
}

// TestFaultsOfAVenue does something bad to BTCUSDT while snapshots are held
// back, so that what is true meanwhile can be looked at in peace.
func TestFaultsOfAVenue(t *testing.T) {
	src := fakevenue.Synthetic(fakevenue.SyntheticConfig{Seed: 22, Messages: 20_000})
	for _, tt := range []struct {
		name  string
		fault func(*fakevenue.Server)
		both  bool // ETHUSDT is concerned as well
	}{
		{name: "skip", fault: func(s *fakevenue.Server) { s.SkipDepth("BTCUSDT", 1) }},
		{name: "reorder", fault: func(s *fakevenue.Server) { s.SwapDepth("BTCUSDT") }},
		{name: "too many requests", fault: func(s *fakevenue.Server) {
			s.RespondStatus(http.StatusTooManyRequests, time.Second, 1)
			s.SkipDepth("BTCUSDT", 1)
		}},
		{name: "drop", both: true, fault: func(s *fakevenue.Server) { s.DropConnections() }},
		{name: "drop and refuse", both: true, fault: func(s *fakevenue.Server) {
			s.RefuseConnections(2)
			s.DropConnections()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := connect(t, src, "--demo")
			in, eth := &src.Instruments[0], &src.Instruments[1]
			x.play(500)
			x.accepted(marketOrder(in))
			if status, h := x.health(); status != http.StatusOK || h.Status != "ok" {
				t.Fatalf("before: %d, %+v", status, h)
			}

			_, before, _ := x.books[eth.Symbol].counts()
			release := x.venue.HoldSnapshots()
			tt.fault(x.venue)
			x.until("the quote is stale", func() bool { return x.quote(in.Name()).Stale })
			x.whileStale(in, eth, tt.both)
			release()

			x.until("the quote is live again", func() bool { return !x.quote(in.Name()).Stale })
			x.until("the other one, too", func() bool { return !x.quote(eth.Name()).Stale })
			x.until("health is good again", func() bool { _, h := x.health(); return h.Status == "ok" })
			x.accepted(marketOrder(in))
			x.play(2_000)
			x.inTruth()
			_, snapshots, stale := x.books[eth.Symbol].counts()
			// A client that lagged on a busy machine is sent a snapshot for its own sake.
			lagged := x.metric("qcat_ws_depth_resyncs_total") > 0
			if !tt.both && (stale > 0 || (snapshots > before && !lagged)) {
				t.Errorf("%s was stale %d times, with %d snapshots instead of %d: it has nothing to do with it", eth.Symbol, stale, snapshots, before)
			}
			if _, _, stale := x.books[in.Symbol].counts(); stale == 0 {
				t.Errorf("the client was not told that %s was stale", in.Symbol)
			}
		})
	}
}

// whileStale looks at the server while the book of in is stale.
func (x *exchange) whileStale(in, eth *core.Instrument, both bool) {
	x.t.Helper()
	r := x.refused(marketOrder(in))
	if r.Code != "risk.stale_reference" {
		x.t.Errorf("order while stale: %+v", r)
	}
	status, h := x.health()
	lane := h.Components[fmt.Sprintf("feed_%s-0", x.src.Market)]
	if both {
		if status != http.StatusServiceUnavailable || h.Status != "down" || h.Components["market_data"].Status != "down" {
			x.t.Errorf("health while nothing is live: %d, %+v", status, h)
		}
		if r := x.refused(marketOrder(eth)); r.Code != "risk.stale_reference" {
			x.t.Errorf("order while stale: %+v", r)
		}
		return
	}
	if status != http.StatusOK || h.Status != "degraded" || lane.Detail != "1 of 2 instruments wait for a snapshot" {
		x.t.Errorf("health while %s is stale: %d, %+v", in.Symbol, status, h)
	}
	x.accepted(marketOrder(eth))
	if x.quote(eth.Name()).Stale {
		x.t.Errorf("%s is stale by what was done to %s", eth.Symbol, in.Symbol)
	}
}

// TestUnknownSymbol is a venue that does not have what is asked for.
func TestUnknownSymbol(t *testing.T) {
	t.Parallel()
	venue, err := fakevenue.New(fakevenue.Synthetic(fakevenue.SyntheticConfig{Messages: 1}))
	if err != nil {
		t.Fatal(err)
	}
	defer venue.Close()
	code, _, errs := inProcess(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--feed", "binance-usdm:BTCUSD",
		"--binance-usdm-rest-url", venue.REST(), "--binance-usdm-ws-url", venue.WS())
	if code != 1 || !strings.Contains(errs, "did you mean BTCUSDT") {
		t.Errorf("exit code %d, %q", code, errs)
	}
}

// TestVenueThatWantsToBeLeftAlone: a 429 to the first question of a start is waited
// out, not the end of it.
func TestVenueThatWantsToBeLeftAlone(t *testing.T) {
	t.Parallel()
	src := fakevenue.Synthetic(fakevenue.SyntheticConfig{Messages: 1})
	venue, err := fakevenue.New(src)
	if err != nil {
		t.Fatal(err)
	}
	defer venue.Close()
	venue.RespondStatus(http.StatusTooManyRequests, time.Second, 1)
	p := serve(t, "--demo", "--feed", "binance-usdm:"+src.Instruments[0].Symbol, "--binance-usdm-rest-url", venue.REST(), "--binance-usdm-ws-url", venue.WS())
	if !strings.Contains(p.stderr.String(), "no trading rules yet, trying again") {
		t.Errorf("the first answer was not a 429:\n%s", p.stderr.String())
	}
}

// TestTwoCapturesAtOnce: feeds of one kind are told apart by their lanes' names.
func TestTwoCapturesAtOnce(t *testing.T) {
	t.Parallel()
	usdm := fileWith(t, "usdm", newSynthetic(t, binance.USDM, 20_000).bytes())
	spot := fileWith(t, "spot", newSynthetic(t, binance.Spot, 20_000).bytes())
	p := serve(t, "--demo", "--feed", "replay:"+usdm+"@1x", "--feed", "replay:"+spot+"@1x")
	p.live("binance-usdm:BTCUSDT")
	p.live("binance-spot:BTCUSDT")
	if _, h := p.health(); h.Components["feed_replay"].Status != "ok" || h.Components["feed_replay-2"].Status != "ok" {
		t.Errorf("health: %+v", h)
	}
}

// TestReplayFeedServesAsIfLive trades against a capture that is being played.
func TestReplayFeedServesAsIfLive(t *testing.T) {
	t.Parallel()
	const name = "binance-usdm:BTCUSDT"
	capture := fileWith(t, "capture", newSynthetic(t, binance.USDM, 20_000).bytes()) // 100 s
	config := yamlFile(t, `
feed: replay:`+capture+`@1x
accounts:
  - name: desk
    limits: {price_collar_buy_up: 2%, max_notional: 100000}
    instruments:
      `+name+`: {max_qty: 1}
`)
	p := serve(t, "--demo", "--config", config)
	was := p.live(name)
	eventually(t, "the quote moves", func() bool {
		q := p.quote(name)
		return q.Seq > was.Seq && q.RTS > was.RTS && q.BidPrice != was.BidPrice
	})
	if age := time.Since(time.Unix(0, p.live(name).RTS)); age > time.Hour {
		t.Errorf("the quote is of %v ago: it is stamped with the capture's time", age)
	}
	o := client.Order{Account: "desk", Instrument: name, Side: "buy", Type: "market", Qty: "0.010"}
	st := p.accepted(o)
	eventually(t, "the order is filled", func() bool {
		var now client.OrderState
		p.ask("GET", fmt.Sprintf("/api/v1/orders/%d", st.OrderID), nil).into(t, &now)
		return now.Status == "filled" && now.CumQty == "0.010"
	})
	o.Qty = "1.001"
	if r := p.refused(o); r.Code != "risk.max_qty" {
		t.Errorf("too large: %+v", r)
	}
	if status, h := p.health(); status != http.StatusOK || h.Components["feed_replay"].Status != "ok" {
		t.Errorf("health: %d, %+v", status, h)
	}
}

// TestReplayFeedEnds plays a short capture: the server goes on, without a price.
func TestReplayFeedEnds(t *testing.T) {
	t.Parallel()
	const name = "binance-usdm:BTCUSDT"
	capture := fileWith(t, "capture", newSynthetic(t, binance.USDM, 500).bytes())
	p := serve(t, "--demo", "--feed", "replay:"+capture+"@max")
	eventually(t, "the capture ends", func() bool { return p.logged("capture ended").Msg != "" && p.quote(name).Stale })
	if r := p.refused(client.Order{Account: "demo", Instrument: name, Side: "buy", Type: "market", Qty: "0.010"}); r.Code != "risk.stale_reference" {
		t.Errorf("refused with %+v", r)
	}
	if status, h := p.health(); status != http.StatusServiceUnavailable || h.Components["market_data"].Status != "down" {
		t.Errorf("health: %d, %+v", status, h)
	}

	loop := serve(t, "--demo", "--feed", "replay:"+capture+"@max", "--replay-loop")
	eventually(t, "it plays again and again", func() bool {
		metrics := string(loop.ask("GET", "/metrics", nil).body)
		i := strings.Index(metrics, `qcat_feed_snapshots_total{feed="replay"} `)
		return i > 0 && len(strings.TrimSpace(strings.SplitN(metrics[i:], "\n", 2)[0])) > len(`qcat_feed_snapshots_total{feed="replay"} `)+1
	})
}
