package decode

import (
	"github.com/minio/simdjson-go"

	"qcat/bench/peers/tape"
	"qcat/core"
	"qcat/feed"
)

// simd is minio/simdjson-go: a tape of the frame that is reused, and walked once.
type simd struct {
	parsed *simdjson.ParsedJson
	f      filler

	root, value, level simdjson.Iter
	outer, data        simdjson.Object
	list, pair         simdjson.Array
	fields             simdFields
}

// simdFields is what a walk over the data of a frame has met.
type simdFields struct {
	symbol            []byte
	time, t, u, U, pu uint64
	p, q, b, B, a, A  []byte
	maker             bool
	present           bool // there was data at all
}

func newSIMD(t *tape.Tape) (decoder, error) { return &simd{f: newFiller(t)}, nil }

func (d *simd) decode(frame []byte, m *feed.Message) (err error) {
	if d.parsed, err = simdjson.Parse(frame, d.parsed, simdjson.WithCopyStrings(false)); err != nil {
		return err
	}
	d.root = d.parsed.Iter()
	d.root.AdvanceInto()
	if _, _, err := d.root.Root(&d.value); err != nil {
		return err
	}
	outer, err := d.value.Object(&d.outer)
	if err != nil {
		return err
	}
	d.fields = simdFields{}
	m.Bids, m.Asks = m.Bids[:0], m.Asks[:0]
	for {
		name, typ, err := outer.NextElementBytes(&d.value)
		if err != nil {
			return err
		}
		if typ == simdjson.TypeNone {
			break
		}
		if string(name) == "data" {
			if err := d.walk(kindOf(frame), m); err != nil {
				return err
			}
		}
	}
	return d.finish(kindOf(frame), m)
}

// walk reads the object that value is at. Levels come before the rest is known and go
// into m at once; finish keeps them.
func (d *simd) walk(kind feed.MessageKind, m *feed.Message) error {
	data, err := d.value.Object(&d.data)
	if err != nil {
		return err
	}
	f := &d.fields
	for {
		name, typ, err := data.NextElementBytes(&d.value)
		if err != nil {
			return err
		}
		if typ == simdjson.TypeNone {
			return nil
		}
		f.present = true
		switch string(name) {
		case "s":
			f.symbol, err = d.value.StringBytes()
		case "T":
			f.time, err = d.value.Uint()
		case "t":
			f.t, err = d.value.Uint()
		case "u":
			f.u, err = d.value.Uint()
		case "U":
			f.U, err = d.value.Uint()
		case "pu":
			f.pu, err = d.value.Uint()
		case "m":
			f.maker, err = d.value.Bool()
		case "p":
			f.p, err = d.value.StringBytes()
		case "q":
			f.q, err = d.value.StringBytes()
		case "B":
			f.B, err = d.value.StringBytes()
		case "A":
			f.A, err = d.value.StringBytes()
		case "b":
			if kind == feed.MessageDepth {
				m.Bids, err = d.levels(m.Bids)
			} else {
				f.b, err = d.value.StringBytes()
			}
		case "a":
			if kind == feed.MessageDepth {
				m.Asks, err = d.levels(m.Asks)
			} else {
				f.a, err = d.value.StringBytes()
			}
		}
		if err != nil {
			return err
		}
	}
}

func (d *simd) finish(kind feed.MessageKind, m *feed.Message) error {
	f := &d.fields
	switch {
	case !f.present:
	case kind == feed.MessageTrade:
		return d.f.trade(m, f.symbol, f.time, f.t, f.p, f.q, f.maker)
	case kind == feed.MessageQuote:
		return d.f.quote(m, f.symbol, f.time, f.u, f.b, f.B, f.a, f.A)
	case kind == feed.MessageDepth:
		bids, asks := m.Bids, m.Asks
		d.f.depth(m, f.symbol, f.time, f.U, f.u, f.pu)
		m.Bids, m.Asks = bids, asks
		return d.f.err
	}
	return errFrame
}

// levels reads the array of pairs that value is at.
func (d *simd) levels(dst []core.Level) ([]core.Level, error) {
	d.f.err = nil
	list, err := d.value.Array(&d.list)
	if err != nil {
		return dst, err
	}
	pairs := list.Iter()
	for pairs.Advance() == simdjson.TypeArray {
		pair, err := pairs.Array(&d.pair)
		if err != nil {
			return dst, err
		}
		d.level = pair.Iter()
		d.level.Advance()
		price, err := d.level.StringBytes()
		if err != nil {
			return dst, err
		}
		d.level.Advance()
		qty, err := d.level.StringBytes()
		if err != nil {
			return dst, err
		}
		dst = append(dst, d.f.level(price, qty))
	}
	return dst, d.f.err
}
