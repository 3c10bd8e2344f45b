package replay_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"qcat/core"
	"qcat/feed/binance"
	"qcat/feed/replay"
)

// captureDir returns the directory of the recorded captures, or skips the test.
func captureDir(t testing.TB) string {
	dir := captureDirIfAny()
	if dir == "" {
		t.Skip("QCAT_CAPTURES is not set: no recorded market data to test against")
	}
	return dir
}

func captureDirIfAny() string { return os.Getenv("QCAT_CAPTURES") }

// bindBinance binds a capture of one Binance symbol.
func bindBinance(venue string) replay.Bind {
	directory := core.NewDirectory()
	return func(frame []byte) (replay.Binding, bool, error) {
		found, err := binance.Discover(venue, slices.Values([][]byte{frame}))
		if errors.Is(err, binance.ErrNothingDiscovered) {
			return replay.Binding{}, false, nil
		}
		if err != nil {
			return replay.Binding{}, false, err
		}
		in, err := directory.AddInstrument(found[0])
		if err != nil {
			return replay.Binding{}, false, err
		}
		m, _ := binance.MarketOf(venue)
		d, err := binance.NewDecoder(m, []*core.Instrument{in})
		return replay.Binding{Decoder: d, Continuity: m.Continuity(), Instrument: in.ID}, err == nil, err
	}
}

// captures are the recorded files and what is known of them.
var captures = []struct {
	venue, file string
	want        replay.Report
}{
	{binance.SpotVenue, "spot-btcusdt-20240808.gz", replay.Report{
		Messages: 41249, DepthApplied: 3449, Snapshots: 1, BBOChecked: 564, BBOMatched: 564,
	}},
	{binance.USDMVenue, "usdm-btcusdt-20240808.gz", replay.Report{
		Messages: 93954, DepthApplied: 6547, Snapshots: 1, BBOChecked: 629, BBOMatched: 629,
	}},
}

func runCapture(t testing.TB, path, venue string) replay.Report {
	t.Helper()
	r, err := replay.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	report, err := replay.Run(context.Background(), r, bindBinance(venue), nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestCaptures runs the recorded captures and compares with what is known.
func TestCaptures(t *testing.T) {
	dir := captureDir(t)
	for _, c := range captures {
		t.Run(c.venue, func(t *testing.T) {
			got := runCapture(t, filepath.Join(dir, "binance", c.file), c.venue)
			t.Logf("%+v", got)
			if len(got.BookHash) != 16 {
				t.Errorf("book hash %q", got.BookHash)
			}
			want := c.want
			want.Trades, want.Quotes, want.DepthMessages = got.Trades, got.Quotes, got.DepthMessages
			want.BookHash, want.ElapsedNs = got.BookHash, got.ElapsedNs
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}
