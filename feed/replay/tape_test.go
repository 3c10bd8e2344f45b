package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"qcat/core"
	"qcat/core/book"
	"qcat/feed/binance"
	"qcat/feed/replay"
)

// tape is a capture in memory that tests cut and splice.
type tape struct {
	venue string
	lines []string
}

// text returns the tape as a capture.
func (p tape) text() []byte { return []byte(strings.Join(p.lines, "\n") + "\n") }

func (p tape) run(t *testing.T) replay.Report {
	t.Helper()
	r, err := replay.NewReader(bytes.NewReader(p.text()), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	report, err := replay.Run(context.Background(), r, bindBinance(p.venue), nil)
	if err != nil {
		t.Fatal(err)
	}
	report.ElapsedNs = 0
	return report
}

func (p tape) edit(f func(lines []string) []string) tape {
	return tape{venue: p.venue, lines: f(slices.Clone(p.lines))}
}

// wireDepth is what a depth message or a snapshot says.
type wireDepth struct {
	LastUpdateID uint64      `json:"lastUpdateId,omitempty"`
	U            uint64      `json:"u,omitempty"`
	B            [][2]string `json:"b,omitempty"`
	A            [][2]string `json:"a,omitempty"`
	Bids         [][2]string `json:"bids"`
	Asks         [][2]string `json:"asks"`
}

// snapshotAfter returns the snapshot that the venue would have given after line
// i, computed from the lines alone, by way of encoding/json and a naive book.
func (p tape) snapshotAfter(t *testing.T, i int) string {
	t.Helper()
	const scale = 8
	naive := book.NewNaive()
	var last uint64
	set := func(side core.Side, levels [][2]string) {
		for _, l := range levels {
			price, err := core.ParseDecimal([]byte(l[0]), scale)
			qty, err2 := core.ParseDecimal([]byte(l[1]), scale)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			naive.Set(side, core.Price(price), core.Qty(qty))
		}
	}
	var waiting []wireDepth
	for _, line := range p.lines[:i+1] {
		_, frame, _ := strings.Cut(line, " ")
		if !strings.Contains(frame, "lastUpdateId") && !strings.Contains(frame, "depthUpdate") {
			continue
		}
		var wrapped struct{ Data wireDepth }
		if err := json.Unmarshal([]byte(frame), &wrapped); err != nil {
			t.Fatal(err)
		}
		d := wrapped.Data
		if d.U != 0 && last == 0 {
			waiting = append(waiting, d)
			continue
		}
		if d.U == 0 {
			if err := json.Unmarshal([]byte(frame), &d); err != nil {
				t.Fatal(err)
			}
			last = d.LastUpdateID
			set(core.Buy, d.Bids)
			set(core.Sell, d.Asks)
		} else {
			waiting = append(waiting, d)
		}
		for _, w := range waiting {
			if w.U > last || w.U == last && p.venue == binance.USDMVenue {
				set(core.Buy, w.B)
				set(core.Sell, w.A)
				last = w.U
			}
		}
		waiting = nil
	}
	decimals := func(side core.Side) (out [][2]string) {
		for _, l := range naive.Levels(side, nil, -1) {
			out = append(out, [2]string{p.decimal(int64(l.Price), p.priceDecimals()), p.decimal(int64(l.Qty), p.qtyDecimals())})
		}
		return out
	}
	body, err := json.Marshal(wireDepth{LastUpdateID: last, Bids: decimals(core.Buy), Asks: decimals(core.Sell)})
	if err != nil {
		t.Fatal(err)
	}
	at, _, _ := strings.Cut(p.lines[i], " ")
	return at + " " + string(body)
}

// decimal writes a count of 10^-8 with as many decimals as the venue does.
func (p tape) decimal(v int64, decimals int) string {
	s := core.FormatDecimal(v, 8)
	return s[:len(s)-8+decimals]
}

func (p tape) priceDecimals() int {
	if p.venue == binance.SpotVenue {
		return 8
	}
	return 2
}

func (p tape) qtyDecimals() int {
	if p.venue == binance.SpotVenue {
		return 8
	}
	return 3
}

// depthLines returns the indices of the tape's depth messages.
func (p tape) depthLines() (at []int) {
	for i, l := range p.lines {
		if strings.Contains(l, `"depthUpdate"`) {
			at = append(at, i)
		}
	}
	return at
}

// synthetic makes a tape of the venue's frames from a random walk.
func synthetic(venue string, n int) tape {
	rng := rand.New(rand.NewPCG(11, 12))
	p := tape{venue: venue}
	naive := book.NewNaive()
	id, trade := uint64(5000), uint64(70)
	var prev uint64
	symbolic := func(price core.Price, qty core.Qty) string {
		return fmt.Sprintf(`["%s","%s"]`, p.decimal(int64(price)*1e6, p.priceDecimals()), p.decimal(int64(qty)*1e5, p.qtyDecimals()))
	}
	add := func(format string, args ...any) {
		p.lines = append(p.lines, fmt.Sprintf("%d ", 1_700_000_000_000_000_000+int64(len(p.lines))*1_000_000)+fmt.Sprintf(format, args...))
	}
	levels := func(side core.Side, ls []core.Level) string {
		var out []string
		for _, l := range ls {
			naive.Set(side, l.Price, l.Qty)
			out = append(out, symbolic(l.Price, l.Qty))
		}
		return strings.Join(out, ",")
	}
	random := func(base, step int) (ls []core.Level) {
		for range 1 + rng.IntN(4) {
			ls = append(ls, core.Level{Price: core.Price(base + step*rng.IntN(40)), Qty: core.Qty(rng.IntN(3))})
		}
		return ls
	}
	for i := range n {
		prev = id
		first := id + 1
		id += 1 + uint64(rng.IntN(4))
		b, a := levels(core.Buy, append(random(9990, -1), core.Level{Price: 9800, Qty: 5})), levels(core.Sell, append(random(10010, 1), core.Level{Price: 10200, Qty: 5}))
		if venue == binance.SpotVenue {
			add(`{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000000,"s":"BTCUSDT","U":%d,"u":%d,"b":[%s],"a":[%s]}}`, first, id, b, a)
		} else {
			add(`{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1700000000000,"T":1700000000000,"s":"BTCUSDT","U":%d,"u":%d,"pu":%d,"b":[%s],"a":[%s]}}`, first, id, prev, b, a)
		}
		bid, _ := naive.BestBid()
		ask, _ := naive.BestAsk()
		quote := fmt.Sprintf(`"u":%d,"s":"BTCUSDT","b":"%s","B":"%s","a":"%s","A":"%s"`, id,
			p.decimal(int64(bid.Price)*1e6, p.priceDecimals()), p.decimal(int64(bid.Qty)*1e5, p.qtyDecimals()),
			p.decimal(int64(ask.Price)*1e6, p.priceDecimals()), p.decimal(int64(ask.Qty)*1e5, p.qtyDecimals()))
		trade++
		if venue == binance.SpotVenue {
			add(`{"stream":"btcusdt@bookTicker","data":{%s}}`, quote)
			add(`{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000000,"s":"BTCUSDT","t":%d,"p":"100.00000000","q":"0.02000000","T":1700000000000,"m":true,"M":true}}`, trade)
		} else {
			add(`{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker",%s,"T":1700000000000,"E":1700000000000}}`, quote)
			add(`{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000000,"T":1700000000000,"s":"BTCUSDT","t":%d,"p":"100.00","q":"0.020","X":"MARKET","m":true}}`, trade)
		}
		if i == 3 {
			var side [2][]string
			for k, s := range []core.Side{core.Buy, core.Sell} {
				for _, l := range naive.Levels(s, nil, -1) {
					side[k] = append(side[k], symbolic(l.Price, l.Qty))
				}
			}
			add(`{"lastUpdateId":%d,"bids":[%s],"asks":[%s]}`, id, strings.Join(side[0], ","), strings.Join(side[1], ","))
		}
	}
	return p
}

// tapes returns the tapes to disturb: made up ones always, recorded ones where
// they are.
func tapes(t *testing.T) map[string]tape {
	out := map[string]tape{}
	for _, v := range []string{binance.SpotVenue, binance.USDMVenue} {
		out["synthetic "+v] = synthetic(v, 400)
	}
	for _, c := range captures {
		if dir := captureDirIfAny(); dir != "" {
			out["recorded "+c.venue] = load(t, c.venue, filepath.Join(dir, "binance", c.file), 4_000)
		}
	}
	return out
}

func load(t *testing.T, venue, path string, most int) tape {
	t.Helper()
	r, err := replay.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := tape{venue: venue}
	for len(p.lines) < most {
		rx, frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p.lines = append(p.lines, fmt.Sprintf("%d %s", rx, frame))
	}
	return p
}
