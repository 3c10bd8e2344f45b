package hub

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/market"
	"qcat/ringbuf"
)

// sinkConn is a connection that takes everything and counts it.
type sinkConn struct {
	bytes, writes atomic.Uint64
	block         chan struct{} // writes wait until it is closed, if not nil
	closed        chan struct{}
}

func newSink() *sinkConn { return &sinkConn{closed: make(chan struct{})} }

func (s *sinkConn) Write(b []byte) (int, error) {
	if s.block != nil {
		select {
		case <-s.block:
		case <-s.closed:
			return 0, net.ErrClosed
		}
	}
	s.writes.Add(1)
	s.bytes.Add(uint64(len(b)))
	return len(b), nil
}

func (s *sinkConn) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}
func (s *sinkConn) Read([]byte) (int, error)         { <-s.closed; return 0, net.ErrClosed }
func (s *sinkConn) LocalAddr() net.Addr              { return nil }
func (s *sinkConn) RemoteAddr() net.Addr             { return nil }
func (s *sinkConn) SetDeadline(time.Time) error      { return nil }
func (s *sinkConn) SetReadDeadline(time.Time) error  { return nil }
func (s *sinkConn) SetWriteDeadline(time.Time) error { return nil }

// rig is a hub whose market goroutine is the caller: one lane, one instrument.
type rig struct {
	*Hub
	in   *core.Instrument
	ring *ringbuf.Broadcast[core.Event]
}

func newRig(t testing.TB, tune func(*Config)) *rig {
	t.Helper()
	d := core.NewDirectory()
	in, err := d.AddInstrument(core.Instrument{Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: core.Linear, PriceScale: 2, QtyScale: 3, SettleScale: 4, ContractSize: 1, TickSize: 1, StepSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{in: in, ring: ringbuf.NewBroadcast[core.Event](1 << 12)}
	cfg := Config{Directory: d, Sources: []market.Source{{Ring: r.ring, RequestSnapshot: func(core.InstrumentID) {}}}}
	if tune != nil {
		tune(&cfg)
	}
	r.Hub = New(cfg)
	t.Cleanup(func() {
		r.market.flush() // whoever was given something is written to before it ends
		r.private.flush()
		r.mu.Lock()
		conns := append([]*Conn(nil), r.conns...)
		r.mu.Unlock()
		for _, c := range conns {
			c.nc.Close()
			c.Close()
		}
		r.market.commands()
		r.market.tap.Close()
	})
	return r
}

// attach adds a connection on nc that is subscribed to kinds.
func (r *rig) attach(t testing.TB, nc net.Conn, kinds ...Kind) *Conn {
	t.Helper()
	c, err := r.Attach(nc)
	if err != nil {
		t.Fatal(err)
	}
	var channels []Channel
	for _, k := range kinds {
		channels = append(channels, Channel{Kind: k, Instrument: r.in.ID})
	}
	if err := c.Subscribe(channels, From{}, func(bool) []byte { return nil }); err != nil {
		t.Fatal(err)
	}
	r.market.commands()
	r.market.flush()
	return c
}

// written waits until everything that a connection was given is written.
func written(t testing.TB, c *Conn) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		idle := c.idle
		c.mu.Unlock()
		if idle {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it is not written")
		}
	}
}

// cycle is one duty cycle of the market goroutine.
func (r *rig) cycle() {
	r.market.commands()
	r.market.tap.Poll(r.market.handle)
	r.market.flush()
}

// book publishes a snapshot of one level a side.
func (r *rig) book(flags core.EventFlags, price core.Price) {
	for i, side := range []core.Side{core.Buy, core.Sell} {
		ev := core.Event{Kind: core.EventLevel, Instrument: r.in.ID, Side: side, Price: price + core.Price(i), Qty: 1, Flags: flags}
		if i == 0 {
			ev.Flags |= core.FlagFirst
		} else {
			ev.Flags |= core.FlagLast
		}
		r.ring.Publish(&ev)
	}
}

// quoteOf is a quote whose frame has about 150 bytes.
func quoteOf(in core.InstrumentID, at core.Nanos) core.Event {
	return core.Event{Kind: core.EventQuote, Instrument: in, Price: 5000000, Qty: 1000, AskPrice: 5000001, AskQty: 2000,
		ExchangeTime: at, ReceiveTime: at}
}
