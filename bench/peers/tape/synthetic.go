package tape

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"qcat/feed/binance"
)

const (
	// depthFrames of a synthetic tape, each with ten levels, a trade and a quote.
	depthFrames = 4000
	// sideLevels are those of its snapshot.
	sideLevels = 1000
	firstID    = 5_000_000_000_000
	firstTime  = 1_700_000_000_000
)

// walk is a market whose touch wanders by a tick now and then.
type walk struct {
	rng *rand.Rand
	bid int // in ticks of 0.10
	id  int
}

// synthetic returns a USD-M tape that is the same in every run: a snapshot, then
// depth messages whose levels lie mostly near the touch, quotes and trades.
func synthetic() *Tape {
	w := &walk{rng: rand.New(rand.NewPCG(5, 25)), bid: 618_000, id: firstID}
	t := &Tape{Name: "frames from a seed", Market: binance.USDM, Instrument: instrument(binance.USDM, 2, 3)}
	add := func(frame string) { t.Frames = append(t.Frames, []byte(frame)) }
	add(w.snapshot())
	for i := range depthFrames {
		w.bid += w.rng.IntN(3) - 1
		add(w.depth(i))
		add(w.quote(i))
		add(w.trade(i))
	}
	return t
}

func level(ticks, steps int) string {
	return fmt.Sprintf(`["%d.%d0","%d.%03d"]`, ticks/10, ticks%10, steps/1000, steps%1000)
}

func (w *walk) snapshot() string {
	side := func(first, step int) string {
		var levels []string
		for i := range sideLevels {
			levels = append(levels, level(first+i*step, 1+w.rng.IntN(5000)))
		}
		return strings.Join(levels, ",")
	}
	return fmt.Sprintf(`{"lastUpdateId":%d,"E":%d,"T":%d,"bids":[%s],"asks":[%s]}`, w.id, firstTime, firstTime, side(w.bid, -1), side(w.bid+1, 1))
}

// depth sets or removes five levels a side, most of them within a few dozen ticks.
func (w *walk) depth(i int) string {
	side := func(first, step int) string {
		var levels []string
		for at := 0; len(levels) < 5; {
			qty := 0
			if w.rng.IntN(3) > 0 {
				qty = 1 + w.rng.IntN(5000)
			}
			levels = append(levels, level(first+at*step, qty))
			at += 1 + int(w.rng.ExpFloat64()*20)
		}
		return strings.Join(levels, ",")
	}
	prev := w.id
	w.id += 1 + w.rng.IntN(5000)
	return fmt.Sprintf(`{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":%d,"T":%d,"s":"BTCUSDT","U":%d,"u":%d,"pu":%d,"b":[%s],"a":[%s]}}`,
		firstTime+i, firstTime+i, prev+1, w.id, prev, side(w.bid, -1), side(w.bid+1, 1))
}

func (w *walk) quote(i int) string {
	bid, ask := level(w.bid, 1+w.rng.IntN(5000)), level(w.bid+1, 1+w.rng.IntN(5000))
	cut := func(s string) (price, qty string) {
		price, qty, _ = strings.Cut(strings.Trim(s, "[]"), ",")
		return price, qty
	}
	b, bq := cut(bid)
	a, aq := cut(ask)
	return fmt.Sprintf(`{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":%d,"s":"BTCUSDT","b":%s,"B":%s,"a":%s,"A":%s,"T":%d,"E":%d}}`,
		w.id, b, bq, a, aq, firstTime+i, firstTime+i)
}

func (w *walk) trade(i int) string {
	price, qty, _ := strings.Cut(strings.Trim(level(w.bid+w.rng.IntN(2), 1+w.rng.IntN(500)), "[]"), ",")
	return fmt.Sprintf(`{"stream":"btcusdt@trade","data":{"e":"trade","E":%d,"T":%d,"s":"BTCUSDT","t":%d,"p":%s,"q":%s,"X":"MARKET","m":%v}}`,
		firstTime+i, firstTime+i, 5_000_000_000+i, price, qty, w.rng.IntN(2) == 0)
}
