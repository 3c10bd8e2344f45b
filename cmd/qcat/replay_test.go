package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"qcat/core"
	"qcat/feed/binance"
	"qcat/feed/fakevenue"
	"qcat/feed/replay"
)

// capturesEnv names a directory of recorded frames.
const capturesEnv = "QCAT_CAPTURES"

// recorded returns the path of a capture, or skips the test.
func recorded(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv(capturesEnv)
	if dir == "" {
		t.Skip(capturesEnv + " is not set: no recorded market data")
	}
	return filepath.Join(dir, "binance", name)
}

// synthetic is a capture made up here, and what is true of it.
type synthetic struct {
	lines [][]byte
	want  replay.Report
}

// frameMillis parts the frames of a synthetic capture in time.
const frameMillis = 5

// newSynthetic returns a capture of one instrument: a snapshot, then frames.
func newSynthetic(t *testing.T, market binance.Market, frames int) synthetic {
	t.Helper()
	src := fakevenue.Synthetic(fakevenue.SyntheticConfig{Market: market, Symbols: []string{"BTCUSDT"}, Seed: 7, Messages: frames})
	venue, err := fakevenue.New(src)
	if err != nil {
		t.Fatal(err)
	}
	defer venue.Close()
	venue.Step(frames)
	var c synthetic
	at := int64(1_700_000_000_000_000_000)
	add := func(frame []byte) {
		c.lines = append(c.lines, fmt.Appendf(nil, "%d %s\n", at, frame))
		at += frameMillis * 1_000_000
	}
	in := src.Instruments[0]
	add(restSnapshot(src.Initial[in.Symbol], &in))
	applied := map[uint64]bool{}
	for i := range src.Frames {
		f := &src.Frames[i]
		add(f.Wrapped)
		var head struct {
			Update uint64 `json:"u"`
		}
		_ = json.Unmarshal(f.Payload, &head) // 0 where it has none
		switch {
		case f.Depth != nil:
			c.want.DepthMessages++
			applied[f.Depth.Last] = true
		case strings.HasSuffix(f.Stream, "@bookTicker"):
			c.want.Quotes++
			if applied[head.Update] {
				c.want.BBOChecked++
				delete(applied, head.Update) // a repeated quote is not checked again
			}
		case strings.HasSuffix(f.Stream, "@trade"):
			c.want.Trades++
		}
	}
	c.want.Messages = uint64(len(c.lines))
	c.want.DepthApplied, c.want.BBOMatched, c.want.Snapshots = c.want.DepthMessages, c.want.BBOChecked, 1
	c.want.BookHash = fmt.Sprintf("%016x", venue.TruthHash(in.Symbol))
	if c.want.BBOChecked == 0 || c.want.DepthApplied == 0 || c.want.Trades == 0 {
		t.Fatalf("the capture holds too little: %+v", c.want)
	}
	return c
}

// restSnapshot is a book as REST answers with it.
func restSnapshot(b fakevenue.Book, in *core.Instrument) []byte {
	side := func(levels []core.Level) string {
		var out []string
		for _, l := range levels {
			out = append(out, fmt.Sprintf("[%q,%q]", core.FormatDecimal(int64(l.Price), in.PriceScale), core.FormatDecimal(int64(l.Qty), in.QtyScale)))
		}
		return strings.Join(out, ",")
	}
	return fmt.Appendf(nil, `{"lastUpdateId":%d,"bids":[%s],"asks":[%s]}`, b.LastUpdateID, side(b.Bids), side(b.Asks))
}

func (c synthetic) bytes() []byte { return bytes.Join(c.lines, nil) }

// without returns the capture without the n-th depth message.
func (c synthetic) without(n int) []byte {
	for i, line := range c.lines {
		if bytes.Contains(line, []byte(`"depthUpdate"`)) {
			if n--; n == 0 {
				return bytes.Join(slices.Concat(c.lines[:i], c.lines[i+1:]), nil)
			}
		}
	}
	return nil
}

// zstdOf returns data as a zstd frame of raw blocks (RFC 8878, 3.1.1): nothing is
// compressed, which a reader need not know.
func zstdOf(data []byte) []byte {
	const window, blockSize = 0x38, 1 << 17 // the descriptor of that size
	out := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, window}
	for len(data) > 0 {
		n := min(len(data), blockSize)
		header := uint32(n) << 3 // type 0: raw
		if n == len(data) {
			header |= 1 // the last one
		}
		out = append(out, byte(header), byte(header>>8), byte(header>>16))
		out, data = append(out, data[:n]...), data[n:]
	}
	return out
}

// reported is the report that `qcat replay --json` prints.
func reported(t *testing.T, args ...string) (r replay.Report) {
	t.Helper()
	code, out, errs := inProcess(t, append([]string{"replay", "--json"}, args...)...)
	if code != 0 || errs != "" {
		t.Fatalf("%v: exit code %d, %s", args, code, errs)
	}
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil || dec.More() {
		t.Fatalf("%v in %s", err, out)
	}
	if r.ElapsedNs <= 0 {
		t.Errorf("elapsed_ns %d", r.ElapsedNs)
	}
	r.ElapsedNs = 0
	return r
}

func TestReplayOfRecordedFrames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, venue      string
		applied, matched uint64
	}{
		{"spot-btcusdt-20240808.gz", binance.SpotVenue, 3449, 564},
		{"usdm-btcusdt-20240808.gz", binance.USDMVenue, 6547, 629},
	} {
		r := reported(t, "--venue", tt.venue, recorded(t, tt.file))
		if r.DepthApplied != tt.applied || r.BBOChecked != tt.matched || r.BBOMatched != tt.matched {
			t.Errorf("%s: %+v, want %d applied, %d matched", tt.file, r, tt.applied, tt.matched)
		}
		if r.DepthGaps+r.TradeGaps+r.Crossed+r.BadMessages > 0 || r.Stale || r.Snapshots != 1 || len(r.BookHash) != 16 {
			t.Errorf("%s: %+v", tt.file, r)
		}
		if raceEnabled {
			continue // synthetic captures show the same
		}
		if inferred := reported(t, recorded(t, tt.file)); inferred != r {
			t.Errorf("%s: the venue left out:\n%+v\nnamed:\n%+v", tt.file, inferred, r)
		}
	}
}

func TestReplayOfASyntheticCapture(t *testing.T) {
	t.Parallel()
	for _, market := range []binance.Market{binance.Spot, binance.USDM} {
		c := newSynthetic(t, market, 2000)
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, _ = z.Write(c.bytes())
		_ = z.Close()
		for name, content := range map[string][]byte{
			"plain": c.bytes(), "capture.gz": zipped.Bytes(), "capture.zst": zstdOf(c.bytes()),
		} {
			path := fileWith(t, name, content)
			for _, args := range [][]string{{path}, {"--venue", market.Venue(), path}} {
				if got := reported(t, args...); got != c.want {
					t.Errorf("%v:\ngot  %+v\nwant %+v", args, got, c.want)
				}
			}
		}
		damaged := reported(t, fileWith(t, "damaged", c.without(50)))
		if damaged.DepthGaps != 1 || !damaged.Stale || damaged.DepthApplied != 49 || damaged.BookHash == c.want.BookHash {
			t.Errorf("a depth message is missing: %+v", damaged)
		}
	}
}

// TestReplayJSONFields holds the object's names and order, which others read.
func TestReplayJSONFields(t *testing.T) {
	t.Parallel()
	path := fileWith(t, "capture", newSynthetic(t, binance.USDM, 300).bytes())
	code, out, _ := inProcess(t, "replay", "--json", path)
	want := []string{"messages", "bad_messages", "trades", "trade_gaps", "quotes", "depth_messages", "depth_applied", "depth_gaps",
		"snapshots", "crossed", "stale", "bbo_checked", "bbo_matched", "book_hash", "elapsed_ns"}
	var got []string
	for _, m := range regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(out, -1) {
		got = append(got, m[1])
	}
	if code != 0 || !slices.Equal(got, want) || strings.Count(out, "\n") != 1 {
		t.Errorf("exit code %d, %s", code, out)
	}
}

func TestReplayReportForAPerson(t *testing.T) {
	t.Parallel()
	c := newSynthetic(t, binance.USDM, 1000)
	path := fileWith(t, "capture", c.bytes())
	term := newTerminal(t, 80, 24)
	cmd := command(t, "replay", path)
	var out output
	cmd.Stdout, cmd.Stderr = &out, term.slave
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{path, "binance-usdm:BTCUSDT", "1001 (0 bad)",
		fmt.Sprintf("%d messages, %d applied, 0 gaps, 1 snapshots", c.want.DepthMessages, c.want.DepthApplied),
		"live, hash " + c.want.BookHash, fmt.Sprintf("%d of %d equal", c.want.BBOMatched, c.want.BBOChecked)} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	eventually(t, "progress was shown and taken away again", func() bool {
		return regexp.MustCompile(`(?s)capture \[[#.]{30}\] +\d+%.*\x1b\[K$`).MatchString(term.seen.String())
	})
	if code, out, errs := qcat(t, "replay", fileWith(t, "damaged", c.without(9))); code != 0 || !strings.Contains(out, "stale: waiting for a snapshot") || errs != "" {
		t.Errorf("stale: exit code %d, %s%s", code, out, errs)
	}
}

func TestReplayErrors(t *testing.T) {
	t.Parallel()
	good := newSynthetic(t, binance.USDM, 100).bytes()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(good)
	_ = z.Close()
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"missing", []string{"/no/such/capture"}, 2, "/no/such/capture"},
		{"directory", []string{t.TempDir()}, 2, "directory"},
		{"no file", nil, 2, "<file>"},
		{"unknown venue", []string{"--venue", "moon", fileWith(t, "a", good)}, 2, "moon"},
		{"another venue's", []string{"--venue", "binance-spot", fileWith(t, "b", good)}, 1, "those of binance-usdm, not of binance-spot"},
		{"empty", []string{fileWith(t, "empty", nil)}, 1, "empty"},
		{"garbage", []string{fileWith(t, "garbage", bytes.Repeat([]byte{0, 255, 7, '\n'}, 100))}, 1, "garbage:1: want"},
		{"text", []string{fileWith(t, "text", []byte("hello, world\n"))}, 1, "text:1: want"},
		{"broken off", []string{fileWith(t, "a.gz", zipped.Bytes()[:zipped.Len()/2])}, 1, "capture"},
		{"of no venue", []string{fileWith(t, "json", []byte("1700000000000000000 {\"a\":1}\n"))}, 1, "tells what it is of"},
	} {
		if code, out, errs := inProcess(t, append([]string{"replay"}, tt.args...)...); code != tt.code || !strings.Contains(errs, tt.want) || out != "" {
			t.Errorf("%s: exit code %d, %q, %q", tt.name, code, errs, out)
		}
	}
}
