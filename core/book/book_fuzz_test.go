package book

import (
	"encoding/binary"
	"testing"

	"qcat/core"
)

// FuzzBook reads its input as operations, four bytes each: what to do, a price
// in two bytes and a quantity. Book must say what Naive says after each.
func FuzzBook(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 100, 5, 1, 0, 101, 7, 0, 0, 100, 0, 2, 0, 0, 0})
	ascending, ends := make([]byte, 0, 400), make([]byte, 0, 400)
	for i := range byte(100) {
		ascending = append(ascending, i&1, 0, i, 9)
		ends = append(ends, 0, i&1*255, i, i%3)
	}
	f.Add(ascending)
	f.Add(ends)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPair(t)
		p.limit(60)
		for ; len(data) >= 4; data = data[4:] {
			price := core.Price(int16(binary.BigEndian.Uint16(data[1:])))
			switch op := data[0]; {
			case op%16 == 2:
				p.clear()
			case op%16 == 3: // the rare prices at both ends
				p.set(core.Buy+core.Side(op>>4&1), price<<48, core.Qty(data[3]))
			default:
				p.set(core.Buy+core.Side(op&1), price, core.Qty(int8(data[3])))
			}
		}
		p.all()
	})
}

// FuzzReplica feeds a Replica events with any flags in any order: it must never
// be consistent unless a whole snapshot run, and after it only whole runs, were
// applied since it was last told to be stale.
func FuzzReplica(f *testing.F) {
	f.Add([]byte{7, 7, 7})
	f.Add([]byte{6, 4, 5, 3, 2, 0, 1, 16})
	f.Add([]byte{7, 2, 4, 5, 7, 1})
	f.Fuzz(func(t *testing.T, flags []byte) {
		flags = flags[:min(len(flags), 200)] // the model rebuilds its book at each event
		r, m := NewReplica(0), model{stale: true}
		for i, fl := range flags {
			ev := core.Event{
				Kind: core.EventLevel, Flags: core.EventFlags(fl & 15), Side: core.Buy,
				Seq: uint64(i + 1), Price: core.Price(fl >> 2), Qty: core.Qty(i + 1),
			}
			switch {
			case fl&0x30 == 0x10:
				ev.Kind = core.EventStatus
			case fl&0x30 == 0x20:
				ev.Kind = core.EventQuote
			}
			r.Apply(&ev)
			m.apply(&ev)
			if r.Stale() != m.stale || r.Consistent() != (!m.stale && m.run == nil) {
				t.Fatalf("event %d: stale %v, consistent %v; model %+v", i, r.Stale(), r.Consistent(), m)
			}
			if r.Consistent() && r.Book().Hash() != m.book().Hash() {
				t.Fatalf("event %d: the book is not what the runs say", i)
			}
		}
	})
}

// model is a Replica that remembers whole runs and rebuilds its book from them.
type model struct {
	stale bool
	runs  [][]core.Event // whole runs since and with the snapshot
	run   []core.Event   // the open run
}

func (m *model) apply(ev *core.Event) {
	lose := func() { m.stale, m.run = true, nil }
	switch {
	case ev.Kind == core.EventStatus && ev.Flags.Has(core.FlagStale):
		lose()
		return
	case ev.Kind != core.EventLevel:
		return
	case ev.Flags.Has(core.FlagStale):
		lose()
		return
	}
	switch first, snapshot := ev.Flags.Has(core.FlagFirst), ev.Flags.Has(core.FlagSnapshot); {
	case first && snapshot:
		m.run = nil
	case first && (m.run != nil || m.stale), !first && m.run == nil,
		!first && m.run[0].Flags.Has(core.FlagSnapshot) != snapshot:
		lose()
		return
	}
	m.run = append(m.run, *ev)
	if !ev.Flags.Has(core.FlagLast) {
		return
	}
	if m.run[0].Flags.Has(core.FlagSnapshot) {
		m.runs, m.stale = nil, false
	}
	m.runs = append(m.runs, m.run)
	m.run = nil
}

func (m *model) book() *Naive {
	n := NewNaive()
	for _, run := range m.runs {
		for _, ev := range run {
			n.Set(ev.Side, ev.Price, ev.Qty)
		}
	}
	return n
}
