package decode

import (
	"github.com/valyala/fastjson"

	"qcat/bench/peers/tape"
	"qcat/core"
	"qcat/feed"
)

// fast is valyala/fastjson: a tree of values in memory that the parser reuses.
type fast struct {
	p fastjson.Parser
	f filler
}

func newFastJSON(t *tape.Tape) (decoder, error) { return &fast{f: newFiller(t)}, nil }

func (d *fast) decode(frame []byte, m *feed.Message) error {
	kind := kindOf(frame)
	root, err := d.p.ParseBytes(frame)
	if err != nil {
		return err
	}
	v := root.Get("data")
	symbol, time := v.GetStringBytes("s"), v.GetUint64("T")
	switch kind {
	case feed.MessageTrade:
		return d.f.trade(m, symbol, time, v.GetUint64("t"), v.GetStringBytes("p"), v.GetStringBytes("q"), v.GetBool("m"))
	case feed.MessageQuote:
		return d.f.quote(m, symbol, time, v.GetUint64("u"), v.GetStringBytes("b"), v.GetStringBytes("B"), v.GetStringBytes("a"), v.GetStringBytes("A"))
	case feed.MessageDepth:
		d.f.depth(m, symbol, time, v.GetUint64("U"), v.GetUint64("u"), v.GetUint64("pu"))
		m.Bids, m.Asks = d.levels(m.Bids, v.GetArray("b")), d.levels(m.Asks, v.GetArray("a"))
		return d.f.err
	}
	return errFrame
}

func (d *fast) levels(dst []core.Level, from []*fastjson.Value) []core.Level {
	for _, l := range from {
		if pair := l.GetArray(); len(pair) == 2 {
			dst = append(dst, d.f.level(pair[0].GetStringBytes(), pair[1].GetStringBytes()))
		}
	}
	return dst
}
