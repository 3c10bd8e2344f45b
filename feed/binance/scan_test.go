package binance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"qcat/core"
	"qcat/feed"
)

// TestDigitsAgainstStrconv holds the eight-at-a-time reader against the obvious
// one, at every distance from the end of the frame.
func TestDigitsAgainstStrconv(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		text := strconv.FormatUint(r.Uint64N(1_000_000_000_000_000_000)/uint64(core.Pow10(uint8(r.IntN(18)))), 10)
		tail := make([]byte, r.IntN(12))
		for i := range tail {
			tail[i] = byte(r.Uint32())
		}
		if len(tail) > 0 && tail[0]-'0' <= 9 {
			tail[0] = "\x00/:\xff,\"\xb0\x80"[r.IntN(8)]
		}
		want, _ := strconv.ParseUint(text, 10, 64)
		got, end := scanUint(append([]byte(text), tail...), 0)
		if got != want || end != len(text) {
			t.Fatalf("seed %d: %q then %q: %d at %d", seed, text, tail, got, end)
		}
	}
}

func TestScanUintLeavesTheRestToTheGeneralPath(t *testing.T) {
	for _, s := range []string{"", "-1", "01", "00", "x", "1234567890123456789", "12345678901234567890123456"} {
		if _, end := scanUint([]byte(s), 0); end >= 0 {
			t.Errorf("%q was taken up to %d", s, end)
		}
	}
}

// TestScanDecimalAgainstParseDecimal: what the scanner takes, core reads alike.
func TestScanDecimalAgainstParseDecimal(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	taken := 0
	for range 20_000 {
		scale := uint8(r.IntN(10))
		text := randomDecimal(r, scale)
		got, end := scanDecimal([]byte(text+`"`+"123456789"[:r.IntN(10)]), 0, scale)
		if end < 0 {
			continue
		}
		taken++
		want, err := core.ParseDecimal([]byte(text), scale)
		if err != nil || got != want || end != len(text)+1 {
			t.Fatalf("seed %d: %q at scale %d: %d at %d, want %d, %v", seed, text, scale, got, end, want, err)
		}
	}
	if taken < 1_000 {
		t.Fatalf("seed %d: the scanner took only %d", seed, taken)
	}
}

func randomDecimal(r *rand.Rand, scale uint8) string {
	if r.IntN(4) == 0 {
		scale = uint8(r.IntN(20))
	}
	whole := r.Uint64N(1 << (1 + r.IntN(62)))
	if scale == 0 {
		return fmt.Sprint(whole)
	}
	s := fmt.Sprintf("%d.%0*d", whole, int(scale), r.Uint64N(1<<30))
	switch r.IntN(20) {
	case 0:
		s = s[:r.IntN(len(s))]
	case 1:
		s = "-" + s
	case 2:
		s = "0" + s
	}
	return s
}

func TestSymbolTable(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 500} {
		var all []*listing
		for i := range n {
			in := instrumentOf(Spot, fmt.Sprintf("S%dUSDT", i*i))
			in.ID = core.InstrumentID(i + 1)
			all = append(all, newListing(Spot, in))
		}
		table := newSymbolTable(all, func(l *listing) string { return l.symbol })
		for _, l := range all {
			if got := table.find([]byte(l.symbol)); got != l {
				t.Fatalf("%d listings: %s found as %v", n, l.symbol, got)
			}
		}
		for _, name := range []string{"", "S", "BTCUSDT", "S0USDTX", "s0usdt"} {
			if got := table.find([]byte(name)); got != nil {
				t.Fatalf("%d listings: %q found as %s", n, name, got.symbol)
			}
		}
	}
}

// TestMutatedFramesMeanTheSame changes a few bytes of real frames, mostly into
// digits, so that the scanner takes many of them: the general path must agree.
func TestMutatedFramesMeanTheSame(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	const alphabet = `01234567890123456789012345678901234567890123456789.",:{}[]-eEtT\ `
	for market, frames := range map[Market][]string{
		Spot: {spotTrade, spotDepth, spotQuote, spotSnapshot},
		USDM: {usdmTrade, usdmDepth, usdmQuote, usdmSnapshot},
	} {
		d := newTestDecoder(t, market)
		taken := 0
		var fast, general feed.Message
		for range 20_000 {
			frame := []byte(frames[r.IntN(len(frames))])
			for range 1 + r.IntN(2) {
				switch i := r.IntN(len(frame)); r.IntN(12) {
				case 0:
					frame = slices.Delete(frame, i, i+1)
				case 1:
					frame = slices.Insert(frame, i, alphabet[r.IntN(len(alphabet))])
				default:
					frame[i] = alphabet[r.IntN(len(alphabet))]
				}
			}
			if !d.fast(frame, 1, &fast) {
				continue
			}
			taken++
			if err := d.general(frame, 1, &general); err != nil {
				t.Fatalf("seed %d: the scanner takes what the general path refuses: %v: %s", seed, err, frame)
			}
			sameMessage(t, fmt.Sprintf("seed %d: %s", seed, frame), fast, general)
		}
		if taken < 2_000 {
			t.Errorf("seed %d: the scanner took only %d %s frames", seed, taken, market)
		}
	}
}
