package replay_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"qcat/core"
	"qcat/core/book"
	"qcat/core/market"
	"qcat/feed"
	"qcat/feed/binance"
	"qcat/feed/replay"
)

// bubbleClock is the clock of a synctest bubble.
type bubbleClock struct{}

func (bubbleClock) Now() core.Nanos { return core.Nanos(time.Now().UnixNano()) }

// player writes the tape to a file and returns a player of it.
func player(t *testing.T, p tape, configure func(*replay.PlayerConfig)) (*replay.Player, replay.Binding) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capture.zst")
	if err := os.WriteFile(path, zstandard(t, p.text()), 0o600); err != nil {
		t.Fatal(err)
	}
	binding, err := replay.Probe(path, bindBinance(p.venue))
	if err != nil {
		t.Fatal(err)
	}
	cfg := replay.PlayerConfig{
		Path: path, Binding: binding, Speed: replay.RealTime, Clock: bubbleClock{},
		Lane: feed.LaneConfig{Name: "replay", Quotes: market.NewQuoteTable(4)},
	}
	configure(&cfg)
	pl, err := replay.NewPlayer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return pl, binding
}

// TestPlayerPaces: frames come at the distances they were recorded with, divided
// by the speed, stamped with the clock's time; the tape's frames are 1 ms apart.
func TestPlayerPaces(t *testing.T) {
	tape := synthetic(binance.SpotVenue, 100)
	recorded := time.Duration(len(tape.lines)-1) * time.Millisecond
	for speed, want := range map[replay.Speed]time.Duration{
		replay.RealTime: recorded, 10 * replay.RealTime: recorded / 10,
		replay.RealTime / 2: 2 * recorded, replay.MaxSpeed: 0,
	} {
		t.Run(speed.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := player(t, tape, func(c *replay.PlayerConfig) { c.Speed = speed })
				reader := p.Source().Ring.NewReader()
				begin := bubbleClock{}.Now()
				if err := p.Run(context.Background()); err != nil {
					t.Fatal(err)
				}
				if took := time.Duration(bubbleClock{}.Now() - begin); took != want {
					t.Errorf("took %v, want %v", took, want)
				}
				events := make([]core.Event, 1<<14)
				n, _ := reader.Read(events)
				trades := 0
				for _, ev := range events[:n] {
					if ev.Kind != core.EventTrade {
						continue
					}
					trades++
					// The first frame of all is a depth message; trade i is frame 3i+2, or one
					// later once the snapshot has been.
					frame := int64(3*trades - 1)
					if trades > 4 {
						frame++
					}
					due := begin
					if speed != replay.MaxSpeed {
						due += core.Nanos(frame * int64(time.Millisecond) * int64(replay.RealTime) / int64(speed))
					}
					if ev.ReceiveTime != due || ev.ExchangeTime != 1_700_000_000_000*1_000_000 {
						t.Fatalf("trade %d: received at %d, want %d; exchange time %d", trades, ev.ReceiveTime, due, ev.ExchangeTime)
					}
				}
				if trades != 100 || p.Position().Frames != uint64(len(tape.lines)) || p.Position().Passes != 1 {
					t.Errorf("%d trades, position %+v", trades, p.Position())
				}
				if s := p.Stats(); s.Stale != 1 || s.DepthApplied != 96 {
					t.Errorf("stats after the end: %+v", s)
				}
			})
		})
	}
}

// TestPlayerLoops: each pass starts stale and gets live with the capture's own
// snapshot, without a gap; a consumer follows to the same book.
func TestPlayerLoops(t *testing.T) {
	tape := synthetic(binance.USDMVenue, 100)
	synctest.Test(t, func(t *testing.T) {
		p, binding := player(t, tape, func(c *replay.PlayerConfig) { c.AtEnd = replay.Loop })
		tap := market.NewTap([]market.Source{p.Source()}, nil)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		stale := 0
		var hashes []uint64
		for p.Position().Passes < 3 {
			time.Sleep(100 * time.Microsecond)
			tap.Poll(func(ev *core.Event, r *book.Replica) {
				if ev.Kind == core.EventStatus && ev.Flags.Has(core.FlagStale) {
					stale++
					hashes = append(hashes, r.Book().Hash())
				}
			})
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
		s := p.Stats()
		if s.DepthGaps != 0 || s.TradeGaps != 0 || s.SnapshotsApplied != 3 || stale != 3 {
			t.Errorf("stale %d times, %+v", stale, s)
		}
		if len(slices.Compact(hashes)) != 1 {
			t.Errorf("the passes end with different books: %x", hashes)
		}
		if tap.Book(binding.Instrument) == nil {
			t.Error("the consumer saw nothing")
		}
	})
}

// TestPlayerServesSnapshots: a consumer that comes late gets its snapshot while
// the capture is silent.
func TestPlayerServesSnapshots(t *testing.T) {
	tape := synthetic(binance.SpotVenue, 10)
	last := len(tape.lines)
	tape.lines = append(tape.lines, "1700000000000000000 {}", "1700000100000000000 {}") // 100 s of silence
	synctest.Test(t, func(t *testing.T) {
		p, binding := player(t, tape, func(*replay.PlayerConfig) {})
		go func() { _ = p.Run(t.Context()) }()
		time.Sleep(time.Duration(last+2)*time.Millisecond + time.Second)
		tap := market.NewTap([]market.Source{p.Source()}, nil)
		tap.Request(binding.Instrument)
		synctest.Wait()
		tap.Poll(func(*core.Event, *book.Replica) {})
		if r := tap.Book(binding.Instrument); r.Stale() {
			t.Error("no snapshot")
		}
		time.Sleep(200 * time.Second)
	})
}

// TestPlayerErrors: what cannot be played is refused or reported.
func TestPlayerErrors(t *testing.T) {
	tape := synthetic(binance.SpotVenue, 10)
	if _, err := replay.NewPlayer(replay.PlayerConfig{}); err == nil {
		t.Error("a player without a binding")
	}
	var path string
	p, _ := player(t, tape, func(c *replay.PlayerConfig) { c.Speed, path = replay.MaxSpeed, c.Path })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(context.Background()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(context.Background()); !errors.Is(err, replay.ErrCapture) {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := replay.Probe(path, bindBinance(tape.venue)); !errors.Is(err, replay.ErrCapture) {
		t.Errorf("probing an empty file: %v", err)
	}
}
