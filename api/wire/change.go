package wire

import (
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// appendBreach appends a limit that was crossed by what is held, and what was done:
// {"kind":"breach","reason":{…},"action","cancelled","cause"} and, where a price or a
// fill crossed it, "instrument", "price" and "seen". cause is the sequence of the
// record that did.
func appendBreach(dst []byte, d Names, ev *engine.Event) []byte {
	b := &ev.Breach
	in := instrumentOf(d, b.Instrument)
	dst = append(dst, `{"kind":"breach","reason":`...)
	dst = AppendReason(dst, d, d.Instrument(ev.Reason.Scope.Instrument), &ev.Reason)
	dst = appendKeyString(dst, `,"action":`, b.Action.String())
	dst = appendKeyUint(dst, `,"cancelled":`, uint64(b.Cancelled))
	dst = appendKeyUint(dst, `,"cause":`, b.Cause)
	if b.Instrument != 0 {
		dst = appendInstrumentName(append(dst, `,"instrument":`...), in)
		dst = appendKeyKnownPrice(dst, `,"price":`, b.Price, in.PriceScale)
	}
	if b.Seen != 0 {
		dst = appendKeyInt(dst, `,"seen":`, int64(b.Seen))
	}
	return append(dst, '}')
}

// appendCountdown appends what became of a dead man's switch: {"kind":"countdown",
// "scope","change","timeout_ms"}.
func appendCountdown(dst []byte, d Names, ev *engine.Event) []byte {
	dst = AppendScope(append(dst, `{"kind":"countdown","scope":`...), d, ev.Scope)
	dst = appendKeyString(dst, `,"change":`, ev.Countdown.String())
	return append(appendKeyInt(dst, `,"timeout_ms":`, int64(ev.Timeout)/nanosPerMilli), '}')
}

// AppendCountdown appends a dead man's switch that is armed: {"scope","timeout_ms",
// "deadline"}.
func AppendCountdown(dst []byte, d Names, c *engine.Countdown) []byte {
	dst = AppendScope(append(dst, `{"scope":`...), d, c.Scope)
	dst = appendKeyInt(dst, `,"timeout_ms":`, int64(c.Timeout)/nanosPerMilli)
	return append(AppendDeadline(append(dst, ','), c.Ends), '}')
}

// Decimals of what an account's change has.
const (
	leverageDecimals = 6
	fundingDecimals  = 9
)

// appendAccountChange appends a change of an account that no order made:
// {"kind":"account","change",…} and, of one that was refused, "reason". A transfer has
// account, currency, amount and balance; a margin setting account, instrument, setting
// and value; funding instrument, rate, price and how many positions it was booked to.
func appendAccountChange(dst []byte, d Names, ev *engine.Event) []byte {
	a := &ev.Account
	in := instrumentOf(d, a.Instrument)
	dst = appendKeyString(dst, `{"kind":"account","change":`, a.Change.String())
	if a.Account != 0 {
		dst = appendKeyString(dst, `,"account":`, accountName(d, a.Account))
	}
	if a.Instrument != 0 {
		dst = appendInstrumentName(append(dst, `,"instrument":`...), in)
	}
	if name := a.Currency.String(); name != "" {
		dst = appendKeyString(dst, `,"currency":`, name)
	}
	switch a.Change {
	case engine.ChangeTransfer:
		dst = appendKeyDecimal(dst, `,"amount":`, a.Amount, risk.AmountScale)
	case engine.ChangeMargin:
		dst = appendMarginSetting(dst, a)
	case engine.ChangeFunding:
		dst = appendKeyDecimal(dst, `,"rate":`, a.Amount, fundingDecimals)
		dst = appendKeyKnownPrice(dst, `,"price":`, a.Price, in.PriceScale)
		dst = appendKeyUint(dst, `,"positions":`, uint64(a.Paid))
	}
	if note := ev.Note.String(); note != "" {
		dst = appendKeyString(dst, `,"note":`, note)
	}
	if !ev.Reason.OK() {
		dst = AppendReason(append(dst, `,"reason":`...), d, d.Instrument(a.Instrument), &ev.Reason)
	}
	return append(dst, '}')
}

// appendMarginSetting appends "setting" and "value", as a change of margin has them.
func appendMarginSetting(dst []byte, a *engine.AccountEvent) []byte {
	switch a.Margin {
	case engine.MarginHedge:
		return appendKeyString(dst, `,"setting":"position_mode","value":`, positionMode(a.Amount != 0))
	case engine.MarginMode:
		return appendKeyString(dst, `,"setting":"mode","value":`, marginMode(a.Amount != 0))
	case engine.MarginLeverage:
		return appendKeyDecimal(dst, `,"setting":"leverage","value":`, a.Amount, leverageDecimals)
	}
	dst = appendKeyDecimal(dst, `,"setting":"amount","value":`, a.Amount, risk.AmountScale)
	if a.Leg == core.LegNet {
		return dst
	}
	return appendKeyString(dst, `,"position_side":`, a.Leg.String())
}
