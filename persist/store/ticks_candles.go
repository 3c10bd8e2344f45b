package store

import (
	"math"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/ticklog"
)

// fold puts a trade into the candle of one width.
func (p *TicksProjection) fold(t *tape, width int, x *ticklog.Trade) {
	c := &t.candles[width]
	before, late := c.builder, c.builder.Late()
	if closed, ok := c.builder.Trade(x.ExchangeTime, x.Price, x.Qty); ok {
		p.put(t, width, closed)
	}
	if c.builder.Late() != late {
		return
	}
	now, _ := c.builder.Current()
	if was, open := before.Current(); !open || was.OpenTime != now.OpenTime {
		// A candle of its own row, which may begin within a gap.
		c.any, c.round = true, 0
		c.gap = p.inGap(now.OpenTime, history.CandleIntervals[width])
	}
	p.put(t, width, now)
}

// advance tells the candles of an instrument that its market has reached a time.
func (p *TicksProjection) advance(t *tape, at core.Nanos) {
	for i := range t.candles {
		if closed, ok := t.candles[i].builder.Advance(at); ok {
			p.put(t, i, closed)
		}
	}
}

// put sets the row of the latest candle of one width.
func (p *TicksProjection) put(t *tape, width int, candle core.Candle) {
	c := &t.candles[width]
	row := history.Candle{Instrument: t.instrument, Interval: history.CandleIntervals[width], Candle: candle, Gap: c.gap}
	if c.round == p.round {
		p.batch.Candles[c.at] = row
		return
	}
	c.round, c.at = p.round, len(p.batch.Candles)
	p.batch.Candles = append(p.batch.Candles, row)
}

// gap adds a gap's row and flags the candles that it overlaps: those that are the
// latest of their instrument, and by remember those that begin within it.
func (p *TicksProjection) gap(g history.Gap) {
	g.Lost &^= 1 << 63
	p.batch.Gaps = append(p.batch.Gaps, g)
	p.remember(g)
	for _, t := range p.instruments {
		for i := range t.candles {
			c := &t.candles[i]
			candle, _ := c.builder.Current()
			if c.any && !c.gap && overlaps(&g, candle.OpenTime, history.CandleIntervals[i]) {
				c.gap = true
				p.put(t, i, candle)
			}
		}
	}
}

// remember keeps a gap for the candles that are still to begin.
func (p *TicksProjection) remember(g history.Gap) {
	if len(p.gaps) == RecentGaps {
		p.gaps = append(p.gaps[:0], p.gaps[1:]...)
	}
	p.gaps = append(p.gaps, g)
}

func (p *TicksProjection) inGap(open, interval core.Nanos) bool {
	for i := range p.gaps {
		if overlaps(&p.gaps[i], open, interval) {
			return true
		}
	}
	return false
}

// overlaps reports whether something that a gap lost may have been in an interval:
// what was lost came between From and To, both included.
func overlaps(g *history.Gap, open, interval core.Nanos) bool {
	last := open + interval - 1
	if last < open {
		last = math.MaxInt64
	}
	return g.From <= last && g.To >= open
}
