package wire

import (
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// Account is what an account has: its trading state, its profits from the read model,
// and what it is worth from the limit tree.
type Account struct {
	Account *core.Account
	State   risk.TradingState
	Totals  []engine.AccountSummary
	View    risk.AccountView
	Wallets []risk.Wallet
}

// AppendAccount appends {"account","state","position_mode","equity",
// "initial_margin","maintenance_margin","free","margin_ratio","leverage","wallets":
// [{"currency","balance","equity","reserved","free","initial_margin",
// "maintenance_margin","isolated","unrealised","called"}],"totals":[…]}. Equity,
// margins and ratios are in the risk currency, wallets in their own; what cannot be
// said is null. The totals are one a settlement currency: {"currency","realised",
// "unrealised","fees","open_orders","positions"}, unrealised null while a position
// cannot be valued.
func AppendAccount(dst []byte, a *Account) []byte {
	dst = appendKeyString(dst, `{"account":`, a.Account.Name)
	dst = appendKeyString(dst, `,"state":`, a.State.String())
	dst = appendKeyString(dst, `,"position_mode":`, positionMode(a.View.Hedge))
	dst = appendKeyIf(dst, `,"equity":`, a.View.Equity, risk.ValueScale, a.View.Known)
	dst = appendMargin(dst, &a.View)
	dst = append(dst, `,"wallets":[`...)
	for i := range a.Wallets {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendWallet(dst, &a.Wallets[i])
	}
	dst = append(dst, `],"totals":[`...)
	for i := range a.Totals {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendTotals(dst, &a.Totals[i])
	}
	return append(dst, `]}`...)
}

func positionMode(hedge bool) string {
	if hedge {
		return "hedge"
	}
	return "one_way"
}

func marginMode(isolated bool) string {
	if isolated {
		return "isolated"
	}
	return "cross"
}

func appendWallet(dst []byte, w *risk.Wallet) []byte {
	dst = appendKeyString(dst, `{"currency":`, w.Currency)
	for _, f := range [...]struct {
		key string
		v   int64
	}{
		{`,"balance":`, w.Balance}, {`,"equity":`, w.Equity}, {`,"reserved":`, w.Reserved}, {`,"free":`, w.Free},
		{`,"initial_margin":`, w.Initial}, {`,"maintenance_margin":`, w.Maintenance}, {`,"isolated":`, w.Isolated},
		{`,"unrealised":`, w.Unrealised},
	} {
		dst = appendKeyDecimal(dst, f.key, f.v, risk.AmountScale)
	}
	return append(appendKeyBool(dst, `,"called":`, w.Called), '}')
}

func appendTotals(dst []byte, s *engine.AccountSummary) []byte {
	dst = appendKeyString(dst, `{"currency":`, s.Settle)
	dst = appendKeyDecimal(dst, `,"realised":`, int64(s.Realised), s.SettleScale)
	dst = appendKeyIf(dst, `,"unrealised":`, int64(s.Unrealised), s.SettleScale, s.Valued)
	dst = appendKeyDecimal(dst, `,"fees":`, int64(s.Fees), s.SettleScale)
	dst = appendKeyInt(dst, `,"open_orders":`, int64(s.OpenOrders))
	return append(appendKeyInt(dst, `,"positions":`, int64(s.Positions)), '}')
}

// AppendHolding appends the members of a position that its account's margin is about,
// behind those of AppendPositionView: "margin_mode","leverage","initial_margin",
// "maintenance_margin","isolated_margin","liquidation_price". They are those of the whole
// account, which its strategies share: h is nil where the account has none in the
// instrument, and all are null then. The isolated margin is null of a cross position, for
// which the whole wallet answers.
func AppendHolding(dst []byte, d Names, h *risk.Holding) []byte {
	if h == nil {
		return append(dst, `,"margin_mode":null,"leverage":null,"initial_margin":null,"maintenance_margin":null,"isolated_margin":null,"liquidation_price":null`...)
	}
	in := instrumentOf(d, h.Instrument)
	dst = appendKeyString(dst, `,"margin_mode":`, marginMode(h.Isolated))
	dst = appendKeyDecimal(dst, `,"leverage":`, h.Leverage, ppmDecimals)
	dst = appendKeyDecimal(dst, `,"initial_margin":`, h.Initial, risk.AmountScale)
	dst = appendKeyDecimal(dst, `,"maintenance_margin":`, h.Maintenance, risk.AmountScale)
	if h.Isolated {
		dst = appendKeyDecimal(dst, `,"isolated_margin":`, h.Margin, risk.AmountScale)
	} else {
		dst = append(dst, `,"isolated_margin":null`...)
	}
	return appendKeyKnownPrice(dst, `,"liquidation_price":`, h.Liquidation, in.PriceScale)
}

// AppendScenario appends {"scenario","shock","unit","loss"}: the shock is a ratio of
// the price, or a number of daily deviations, with its sign; a negative loss is a
// gain.
func AppendScenario(dst []byte, s *risk.Scenario) []byte {
	dst = appendKeyString(dst, `{"scenario":`, s.Name)
	dst = appendKeyDecimal(dst, `,"shock":`, s.Shock, ppmDecimals)
	unit := "ratio"
	if s.Unit == risk.UnitTimes {
		unit = "deviations"
	}
	dst = appendKeyString(dst, `,"unit":`, unit)
	return append(appendKeyDecimal(dst, `,"loss":`, s.Loss, risk.ValueScale), '}')
}
