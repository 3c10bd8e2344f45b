package wire

import (
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// AppendAfter appends what would have been used after an order: {"levels":[{"scope",
// "state","open_orders","gross","net","unfilled"}],"margin":{"currency",
// "initial_margin","reserved","free"}}, of the firm and the account "leverage" too, of
// all but instruments "scenario_loss" and "worst_scenario". What cannot be said is
// null, and so is the whole of an order that has no path.
func AppendAfter(dst []byte, d Names, a *risk.After) []byte {
	if a == nil || a.Known == 0 {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"levels":[`...)
	for i := range a.Known {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendLevelAfter(dst, d, &a.Levels[i])
	}
	dst = append(dst, `],"margin":`...)
	if !a.Margin.Known {
		return append(dst, `null}`...)
	}
	dst = appendKeyString(dst, `{"currency":`, a.Margin.Currency)
	dst = appendKeyDecimal(dst, `,"initial_margin":`, a.Margin.Initial, risk.AmountScale)
	dst = appendKeyDecimal(dst, `,"reserved":`, a.Margin.Reserved, risk.AmountScale)
	dst = appendKeyDecimal(dst, `,"free":`, a.Margin.Free, risk.AmountScale)
	return append(dst, `}}`...)
}

func appendLevelAfter(dst []byte, d Names, l *risk.LevelAfter) []byte {
	dst = AppendScope(append(dst, `{"scope":`...), d, l.Scope)
	dst = appendKeyString(dst, `,"state":`, l.State.String())
	dst = appendKeyInt(dst, `,"open_orders":`, int64(l.OpenOrders))
	dst = appendKeyIf(dst, `,"gross":`, l.Gross, risk.ValueScale, l.Valued)
	dst = appendKeyIf(dst, `,"net":`, l.Net, risk.ValueScale, l.Valued)
	dst = appendKeyIf(dst, `,"unfilled":`, l.Unfilled, risk.ValueScale, l.Valued)
	switch l.Scope.Level {
	case risk.LevelFirm, risk.LevelAccount:
		dst = appendKeyIf(dst, `,"leverage":`, l.Leverage, ppmDecimals, l.LeverageKnown)
	case risk.LevelInstrument:
		return append(dst, '}')
	}
	dst = appendKeyIf(dst, `,"scenario_loss":`, l.ScenarioLoss, risk.ValueScale, l.ScenarioKnown)
	return append(appendWorst(dst, l.Scenario, l.ScenarioKnown && l.ScenarioLoss > 0), '}')
}

// AppendRefusals appends "refusals":[…], every control that the order would fail.
func AppendRefusals(dst []byte, d Names, in *core.Instrument, refusals []risk.Reason) []byte {
	dst = append(dst, `"refusals":[`...)
	for i := range refusals {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendReason(dst, d, in, &refusals[i])
	}
	return append(dst, ']')
}

// AppendWhatIf appends what became of one of many orders: {"accepted","duplicate",
// "order","refusals","after"}.
func AppendWhatIf(dst []byte, d Names, in *core.Instrument, r *engine.Reply) []byte {
	dst = appendKeyBool(dst, `{"accepted":`, r.Reason.OK())
	dst = appendKeyBool(dst, `,"duplicate":`, r.Duplicate)
	dst = AppendOrder(append(dst, `,"order":`...), d, &r.Order)
	dst = AppendRefusals(append(dst, ','), d, in, r.Refusals)
	return append(AppendAfter(append(dst, `,"after":`...), d, r.After), '}')
}

// AppendUnresolvedWhatIf is AppendWhatIf of an order that could not be turned into one.
func AppendUnresolvedWhatIf(dst []byte, d Names, res *Resolution) []byte {
	dst = AppendUnresolved(append(dst, `{"accepted":false,"duplicate":false,"order":null,"refusals":[`...), d, res)
	return append(dst, `],"after":null}`...)
}
