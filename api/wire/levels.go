package wire

import (
	"math"

	"qcat/core"
	"qcat/risk"
)

// Levels are nodes of the limit tree as of one journal sequence, copied out. The
// buffers are used again after Reset.
type Levels struct {
	Seq    uint64
	levels []level
	uses   []risk.Use
}

// level is one node: what it has used, what it is worth and what keeps it from
// opening.
type level struct {
	view     risk.View
	account  risk.AccountView // of an account
	equity   int64            // of the firm or an account
	worth    bool             // equity is known
	from, to int              // of Levels.uses
	trips    []risk.Trip
}

// Reset empties l for nodes as of seq.
func (l *Levels) Reset(seq uint64) {
	l.Seq, l.levels, l.uses = seq, l.levels[:0], l.uses[:0]
}

// Len is the number of nodes.
func (l *Levels) Len() int { return len(l.levels) }

// Add copies the node of a scope, if there is one. Where the tree may be read only.
func (l *Levels) Add(t *risk.Tree, s risk.Scope, now core.Nanos) {
	v, ok := t.View(s)
	if !ok {
		return
	}
	at := level{view: v, from: len(l.uses)}
	l.uses = t.Uses(s, now, l.uses)
	at.to = len(l.uses)
	if v.Trips > 0 {
		at.trips = t.Trips(s)
	}
	switch s.Level {
	case risk.LevelAccount:
		at.account, _ = t.Account(s.Account)
		at.equity, at.worth = at.account.Equity, at.account.Known
	case risk.LevelFirm:
		at.equity, at.worth = t.Equity(s)
	}
	l.levels = append(l.levels, at)
}

// Append appends node i: {"scope","state"[,"cause"],"open_orders","gross","long",
// "short","unfilled","pnl","day_pnl","peak","drawdown","losing_streak",
// "scenario_loss","worst_scenario","utilisation":[{"limit","value","max","ratio"}]},
// of an instrument's node "position", "open_buy" and "open_sell" too, of the firm and
// an account "equity", of an account "initial_margin", "maintenance_margin", "free",
// "margin_ratio" and "leverage", and "trips" where there are any. Amounts are in the
// risk currency; what cannot be said is null.
func (l *Levels) Append(dst []byte, d Names, i int) []byte {
	at := &l.levels[i]
	v := &at.view
	in := instrumentOf(d, v.Scope.Instrument)
	dst = AppendScope(append(dst, `{"scope":`...), d, v.Scope)
	dst = appendKeyString(dst, `,"state":`, v.State.String())
	if v.Cause != risk.OK {
		dst = appendKeyString(dst, `,"cause":`, v.Cause.String())
	}
	dst = appendKeyInt(dst, `,"open_orders":`, int64(v.OpenOrders))
	for _, f := range [...]struct {
		key string
		v   int64
	}{
		{`,"gross":`, v.Gross}, {`,"long":`, v.Long}, {`,"short":`, v.Short}, {`,"unfilled":`, v.Unfilled},
		{`,"pnl":`, v.PnL}, {`,"day_pnl":`, v.DayPnL}, {`,"peak":`, v.Peak}, {`,"drawdown":`, v.Drawdown},
	} {
		dst = appendKeyDecimal(dst, f.key, f.v, risk.ValueScale)
	}
	dst = appendKeyInt(dst, `,"losing_streak":`, int64(v.Streak))
	if v.Scope.Level == risk.LevelInstrument {
		dst = appendKeyDecimal(dst, `,"position":`, int64(v.Position), in.QtyScale)
		dst = appendKeyDecimal(dst, `,"open_buy":`, int64(v.OpenBuy), in.QtyScale)
		dst = appendKeyDecimal(dst, `,"open_sell":`, int64(v.OpenSell), in.QtyScale)
	} else {
		dst = appendKeyDecimal(dst, `,"scenario_loss":`, v.ScenarioLoss, risk.ValueScale)
		dst = appendWorst(dst, v.WorstScenario, v.ScenarioLoss > 0)
		dst = at.appendWorth(dst)
	}
	dst = appendTrips(dst, in, at.trips)
	return append(appendUses(dst, in, l.uses[at.from:at.to]), '}')
}

// appendWorst appends the scenario that costs most, null where none costs anything.
func appendWorst(dst []byte, name string, costs bool) []byte {
	dst = append(dst, `,"worst_scenario":`...)
	if !costs {
		return append(dst, "null"...)
	}
	return AppendString(dst, name)
}

// appendWorth appends what a firm or an account is worth.
func (at *level) appendWorth(dst []byte) []byte {
	lv := at.view.Scope.Level
	if lv != risk.LevelFirm && lv != risk.LevelAccount {
		return dst
	}
	dst = appendKeyIf(dst, `,"equity":`, at.equity, risk.ValueScale, at.worth)
	if lv == risk.LevelAccount {
		dst = appendMargin(dst, &at.account)
	}
	return dst
}

// appendMargin appends an account's margin: what it ties up, what that leaves, and its
// ratios to the equity, null without any.
func appendMargin(dst []byte, a *risk.AccountView) []byte {
	dst = appendKeyDecimal(dst, `,"initial_margin":`, a.Initial, risk.ValueScale)
	dst = appendKeyDecimal(dst, `,"maintenance_margin":`, a.Maintenance, risk.ValueScale)
	dst = appendKeyIf(dst, `,"free":`, a.Equity-a.Initial, risk.ValueScale, a.Known)
	dst = appendKeyIf(dst, `,"margin_ratio":`, a.MarginRatio, ppmDecimals, a.Known && a.MarginRatio != math.MaxInt64)
	return appendKeyIf(dst, `,"leverage":`, a.Leverage, ppmDecimals, a.Known && a.Leverage != math.MaxInt64)
}

// appendKeyIf appends a decimal, or null when it is not known.
func appendKeyIf(dst []byte, key string, v int64, scale uint8, known bool) []byte {
	if !known {
		return append(append(dst, key...), "null"...)
	}
	return appendKeyDecimal(dst, key, v, scale)
}

// appendUses appends how much of each limit is used.
func appendUses(dst []byte, in *core.Instrument, uses []risk.Use) []byte {
	dst = append(dst, `,"utilisation":[`...)
	for i := range uses {
		u := &uses[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendKeyString(dst, `{"limit":`, u.Limit.String())
		dst = append(appendAmount(append(dst, `,"value":"`...), in, u.Unit, u.Value), '"')
		dst = append(appendAmount(append(dst, `,"max":"`...), in, u.Unit, u.Max), '"')
		dst = append(appendKeyDecimal(dst, `,"ratio":`, u.PPM, ppmDecimals), '}')
	}
	return append(dst, ']')
}

// appendTrips appends what keeps a node from opening; nothing when nothing does.
func appendTrips(dst []byte, in *core.Instrument, trips []risk.Trip) []byte {
	if len(trips) == 0 {
		return dst
	}
	dst = append(dst, `,"trips":[`...)
	for i := range trips {
		t := &trips[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendKeyString(dst, `{"code":`, t.Code.String())
		dst = appendKeyInt(dst, `,"since":`, int64(t.Since))
		if dst = append(dst, `,"until":`...); t.Until == math.MaxInt64 {
			dst = append(dst, "null"...)
		} else {
			dst = appendKeyInt(dst, "", int64(t.Until))
		}
		dst = append(appendAmount(append(dst, `,"limit":"`...), in, t.Unit, t.Limit), '"')
		dst = append(appendAmount(append(dst, `,"value":"`...), in, t.Unit, t.Value), '"')
		dst = append(appendKeyString(dst, `,"unit":`, unitName(t.Unit)), '}')
	}
	return append(dst, ']')
}

// Scope is the node i.
func (l *Levels) Scope(i int) risk.Scope { return l.levels[i].view.Scope }

// AppendExposuresHead begins the data of a frame of the risk channel:
// {"kind":"exposure","seq","complete","more","scopes":[. What Append appends follows, with
// commas between, and then ExposuresTail.
func (l *Levels) AppendExposuresHead(dst []byte, complete, more bool) []byte {
	dst = appendKeyUint(append(dst, `{"kind":"exposure"`...), `,"seq":`, l.Seq)
	dst = appendKeyBool(dst, `,"complete":`, complete)
	dst = appendKeyBool(dst, `,"more":`, more)
	return append(dst, `,"scopes":[`...)
}

// ExposuresTail ends the data that AppendExposuresHead began.
const ExposuresTail = "]}"
