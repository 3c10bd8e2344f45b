package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"sync/atomic"
	"time"

	"qcat/core"
	"qcat/core/market"
	"qcat/feed"
)

// AtEnd is what a Player does when its capture ends.
type AtEnd uint8

const (
	// Stop ends the run; the lane's instruments are stale from then on, as if the
	// venue had disconnected.
	Stop AtEnd = iota
	// Loop starts the capture again: the instruments are stale until its snapshot
	// comes round.
	Loop
)

// dutyEvery is how often the lane's duties are served when nobody asks.
const dutyEvery = 100 * time.Millisecond

// dutyFrames is after how many frames without a pause they are served.
const dutyFrames = 256

// PlayerConfig is what a Player is made of.
type PlayerConfig struct {
	Path    string
	Binding Binding
	// Lane is the configuration of the lane to play into. The Player sets Decoder,
	// Continuity, Instruments and Wake itself.
	Lane  feed.LaneConfig
	Speed Speed
	AtEnd AtEnd
	// Clock stamps the frames' receive time. Default: the system's.
	Clock core.Clock
}

// Player plays a capture into a Lane as if it were live: frames come at the
// distances in which they were received, divided by the speed, and are stamped
// with the clock's time. Exchange times stay as they were.
//
// Run is the owner of the lane. The other methods may be called from any
// goroutine.
type Player struct {
	cfg   PlayerConfig
	lane  *feed.Lane
	wake  chan struct{}
	timer *time.Timer

	started bool
	first   core.Nanos // receive time of the pass's first frame
	begin   core.Nanos // when it was played

	frames, passes atomic.Uint64
	read, size     atomic.Int64
}

// NewPlayer returns a player with its lane; Run starts it.
func NewPlayer(cfg PlayerConfig) (*Player, error) {
	switch {
	case cfg.Binding.Decoder == nil || cfg.Binding.Instrument == 0:
		return nil, errors.New("replay: a player needs a binding")
	case cfg.Speed < 0 || cfg.Speed > fastest:
		return nil, fmt.Errorf("%w: speed %d", ErrSpec, cfg.Speed)
	}
	if cfg.Clock == nil {
		cfg.Clock = core.SystemClock()
	}
	p := &Player{cfg: cfg, wake: make(chan struct{}, 1)}
	lane := cfg.Lane
	lane.Decoder = cfg.Binding.Decoder
	lane.Continuity = cfg.Binding.Continuity
	lane.Instruments = []core.InstrumentID{cfg.Binding.Instrument}
	lane.Wake = p.Wake
	var err error
	if p.lane, err = feed.NewLane(lane); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return p, nil
}

// Source returns what a market.Tap follows the player's lane by.
func (p *Player) Source() market.Source { return p.lane.Source() }

// Stats returns the lane's counters.
func (p *Player) Stats() feed.Stats { return p.lane.Stats() }

// Wake makes Run serve the lane's duties soon.
func (p *Player) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Position says how far a Player is.
type Position struct {
	Frames uint64 // played, all passes together
	Passes uint64 // complete ones
	Read   int64  // bytes of the file in this pass
	Size   int64  // of the file, 0 if not known
}

// Position returns how far the player is.
func (p *Player) Position() Position {
	return Position{p.frames.Load(), p.passes.Load(), p.read.Load(), p.size.Load()}
}

// Run plays until the capture ends (AtEnd says whether it does) or ctx is done.
// It leaves the lane disconnected.
//
// Errors: ctx's, and those of Open and Reader.Next. Bad frames are counted by the
// lane and are no error.
func (p *Player) Run(ctx context.Context) error {
	p.timer = time.NewTimer(time.Hour)
	defer p.timer.Stop()
	defer func() { p.lane.Disconnected(p.cfg.Clock.Now()) }()
	for {
		if err := p.pass(ctx); err != nil {
			return err
		}
		p.passes.Add(1)
		if p.cfg.AtEnd == Stop {
			return nil
		}
		p.lane.Disconnected(p.cfg.Clock.Now())
		p.lane.Connected()
	}
}

// pass plays the capture once.
func (p *Player) pass(ctx context.Context) error {
	r, err := Open(p.cfg.Path)
	if err != nil {
		return err
	}
	defer r.Close()
	p.started = false
	for {
		rx, frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			if !p.started {
				return fmt.Errorf("%w: %s is empty", ErrCapture, p.cfg.Path)
			}
			return nil
		}
		if err != nil {
			return err
		}
		now, err := p.await(ctx, rx)
		if err != nil {
			return err
		}
		// A bad frame is counted by the lane; live data would go on as well.
		_ = p.lane.Frame(frame, p.cfg.Binding.Instrument, now)
		if p.frames.Add(1)%dutyFrames == 0 {
			p.read.Store(r.source.n)
			p.size.Store(r.size)
			if err := ctx.Err(); err != nil {
				return err
			}
			p.lane.Duty() // one instrument: no more is left to send
		}
	}
}

// await waits until the frame received at rx is due and returns the time. It
// serves the lane's duties meanwhile.
func (p *Player) await(ctx context.Context, rx core.Nanos) (core.Nanos, error) {
	now := p.cfg.Clock.Now()
	if !p.started {
		p.started, p.first, p.begin = true, rx, now
		return now, ctx.Err()
	}
	if p.cfg.Speed == MaxSpeed {
		return now, nil
	}
	due := p.due(rx)
	for now < due {
		p.lane.Duty()
		p.timer.Reset(min(time.Duration(due-now), dutyEvery))
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-p.wake:
		case <-p.timer.C:
		}
		now = p.cfg.Clock.Now()
	}
	return now, nil
}

// due returns when a frame received at rx is to be played. Receive times that go
// back are due at once, as is what would overflow.
func (p *Player) due(rx core.Nanos) core.Nanos {
	after := rx - p.first
	if after <= 0 {
		return p.begin
	}
	hi, lo := bits.Mul64(uint64(after), uint64(RealTime))
	if hi >= uint64(p.cfg.Speed) {
		return p.begin
	}
	scaled, _ := bits.Div64(hi, lo, uint64(p.cfg.Speed))
	if scaled > math.MaxInt64-uint64(p.begin) {
		return p.begin
	}
	return p.begin + core.Nanos(scaled)
}
