package redis

import (
	"strconv"

	"qcat/core"
	"qcat/core/history"
)

// keys are the names of what is written.
type keys struct{ prefix, meta, quotes, positions string }

func keysBelow(prefix string) keys {
	return keys{prefix, prefix + "meta", prefix + "quotes", prefix + "positions"}
}

func (k *keys) quote(instrument string) string { return k.prefix + "quote:" + instrument }
func (k *keys) position(member string) string  { return k.prefix + "position:" + member }

// quoteFields are names and values of a quote's hash: those of a quote in the API,
// with "" for null, and the time of writing. All are written each time, so that
// none is left over.
func quoteFields(in *core.Instrument, q *core.Quote, now core.Nanos) []string {
	return []string{
		"instrument", in.Name(),
		"bid_price", price(q.BidPrice, in), "bid_qty", beside(q.BidPrice, q.BidQty, in),
		"ask_price", price(q.AskPrice, in), "ask_qty", beside(q.AskPrice, q.AskQty, in),
		"last_price", price(q.LastPrice, in), "mark_price", price(q.MarkPrice, in),
		"seq", strconv.FormatUint(q.Seq, 10),
		"ets", decimal(int64(q.ExchangeTime)), "rts", decimal(int64(q.ReceiveTime)),
		"stale", strconv.FormatBool(q.Flags.Has(core.FlagStale)),
		"crossed", strconv.FormatBool(q.Flags.Has(core.FlagCrossed) || q.Crossed()),
		"ts", decimal(int64(now)),
	}
}

func price(p core.Price, in *core.Instrument) string {
	if p == 0 {
		return ""
	}
	return core.FormatDecimal(int64(p), in.PriceScale)
}

// beside is the quantity at a price that may not be known.
func beside(p core.Price, q core.Qty, in *core.Instrument) string {
	if p == 0 {
		return ""
	}
	return core.FormatDecimal(int64(q), in.QtyScale)
}

// avgDecimals is how many decimals an average entry may have beyond those of the
// instrument's prices.
const avgDecimals = 8

// positionFields are a position's member of the index, "account/strategy/instrument"
// with "/long" or "/short" behind it for a leg of hedge mode, and names and values of
// its hash. The member is "" when a name is not known yet.
func positionFields(d *core.Directory, p *history.Position, now core.Nanos) (member string, fields []string) {
	a, s, in := d.Account(p.Account), d.Strategy(p.Strategy), d.Instrument(p.Instrument)
	if a == nil || s == nil || in == nil {
		return "", nil
	}
	pos := &p.Position
	avg, realised := "", ""
	scale := min(in.PriceScale+avgDecimals, core.MaxScale)
	if v, ok := pos.AvgEntry(in, scale, core.RoundHalfEven); ok {
		for ; scale > in.PriceScale && v%10 == 0; scale-- {
			v /= 10
		}
		avg = core.FormatDecimal(v, scale)
	}
	if v, ok := pos.Realised(in, core.RoundHalfEven); ok {
		realised = core.FormatDecimal(int64(v), in.SettleScale)
	}
	member = a.Name + "/" + s.Name + "/" + in.Name()
	if p.Leg != core.LegNet {
		member += "/" + p.Leg.String()
	}
	return member, []string{
		"account", a.Name, "strategy", s.Name, "instrument", in.Name(), "leg", p.Leg.String(),
		"qty", core.FormatDecimal(int64(pos.Qty), in.QtyScale), "avg_price", avg, "realised", realised,
		"fees", core.FormatDecimal(int64(pos.Fees), in.SettleScale), "funding", core.FormatDecimal(int64(pos.Funding), in.SettleScale),
		"volume", core.FormatDecimal(int64(pos.Volume), in.QtyScale), "fills", strconv.FormatUint(pos.Fills, 10),
		"seq", strconv.FormatUint(p.Seq, 10), "time", decimal(int64(p.Time)), "ts", decimal(int64(now)),
	}
}
