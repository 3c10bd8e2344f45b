package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
	"qcat/risk/margin"
)

// The records of accounts: transfers, margin settings, brackets and rates. Funding has
// a file of its own.

// decideAccount fills the outcome of a record of accounts.
func (m *machine) decideAccount(r *record.Record) {
	switch r.Type {
	case record.TypeTransfer:
		m.decideTransfer(&r.Transfer)
	case record.TypeMargin:
		m.decideMargin(&r.Margin)
	case record.TypeFunding:
		m.decideFunding(&r.Funding)
	default: // the others have no outcome
	}
}

// applyAccount applies a record of accounts and reports whether r is one.
func (m *machine) applyAccount(r *record.Record) bool {
	switch r.Type {
	case record.TypeTransfer:
		m.applyTransfer(&r.Transfer)
	case record.TypeMargin:
		m.applyMargin(&r.Margin)
	case record.TypeTiers:
		m.applyTiers(&r.Tiers)
	case record.TypeFunding:
		m.applyFunding(&r.Funding)
	case record.TypeRateFrom:
		m.applyRateFrom(&r.RateFrom)
	default:
		return false
	}
	return true
}

func (m *machine) decideTransfer(t *record.Transfer) {
	t.Balance, t.Reason = 0, record.Reason{}
	if reason := m.tree.AdmitTransfer(t.Account, t.Currency, t.Amount); !reason.OK() {
		t.Reason = reasonToRecord(reason)
		return
	}
	t.Balance = t.Amount
	for _, w := range m.tree.Wallets(t.Account) {
		if w.Currency == t.Currency {
			t.Balance += w.Balance
		}
	}
}

func (m *machine) applyTransfer(t *record.Transfer) {
	if t.Reason.Code == 0 && !m.tree.Transfer(t.Account, t.Currency, t.Amount).OK() {
		m.haltFirm("a recorded transfer could not be booked")
	}
	ev := m.out.event(EventAccount)
	ev.Account = AccountEvent{Change: record.TypeTransfer, Account: t.Account, Amount: t.Amount, Currency: currencyName(t.Currency)}
	ev.Reason, ev.Note = reasonFromRecord(&t.Reason), noteOf(&t.By, &t.Note)
}

func (m *machine) decideMargin(s *record.Margin) {
	s.Before = 0
	reason := m.admitMargin(s)
	if s.Reason = reasonToRecord(reason); reason.OK() {
		s.Before = m.marginBefore(s)
	}
}

// admitMargin is why a margin setting cannot be, if it cannot.
func (m *machine) admitMargin(s *record.Margin) risk.Reason {
	a, in := s.Account, s.Instrument
	flag := s.Kind == record.MarginMode || s.Kind == record.MarginHedge
	switch {
	case flag && s.Value != 0 && s.Value != 1, s.Kind == record.MarginHedge && in != 0,
		s.Kind != record.MarginIsolated && s.Leg != 0:
	case s.Kind == record.MarginLeverage:
		return m.tree.AdmitLeverage(a, in, s.Value)
	case s.Kind == record.MarginMode:
		return m.tree.AdmitIsolated(a, in, s.Value == 1)
	case s.Kind == record.MarginHedge:
		return m.tree.AdmitHedge(a, s.Value == 1)
	case s.Kind == record.MarginIsolated:
		return m.tree.AdmitMoveIsolated(a, in, s.Leg, s.Value)
	}
	return risk.Reason{Code: risk.InvalidSetting, Value: s.Value}
}

// marginBefore is what a setting was, of one that is admitted.
func (m *machine) marginBefore(s *record.Margin) int64 {
	leverage, isolated := m.tree.Setting(s.Account, s.Instrument)
	switch s.Kind {
	case record.MarginLeverage:
		return leverage
	case record.MarginMode:
		return int64(boolToInt(isolated))
	case record.MarginHedge:
		v, _ := m.tree.Account(s.Account)
		return int64(boolToInt(v.Hedge))
	default:
		for _, h := range m.tree.Holdings(s.Account) {
			if h.Instrument == s.Instrument && h.Leg == s.Leg {
				return h.Margin
			}
		}
		return 0
	}
}

func (m *machine) applyMargin(s *record.Margin) {
	if s.Reason.Code == 0 && !m.setMargin(s).OK() {
		m.haltFirm("a recorded margin setting could not be made")
	}
	ev := m.out.event(EventAccount)
	ev.Account = AccountEvent{Change: record.TypeMargin, Margin: s.Kind, Leg: s.Leg, Account: s.Account,
		Instrument: s.Instrument, Amount: s.Value}
	ev.Reason, ev.Note = reasonFromRecord(&s.Reason), noteOf(&s.By, &record.Text{})
}

func (m *machine) setMargin(s *record.Margin) risk.Reason {
	switch s.Kind {
	case record.MarginLeverage:
		return m.tree.SetLeverage(s.Account, s.Instrument, s.Value)
	case record.MarginMode:
		return m.tree.SetIsolated(s.Account, s.Instrument, s.Value == 1)
	case record.MarginHedge:
		return m.tree.SetHedge(s.Account, s.Value == 1)
	default:
		return m.tree.MoveIsolated(s.Account, s.Instrument, s.Leg, s.Value)
	}
}

func (m *machine) admitTiers(t *record.Tiers) risk.Reason {
	return m.tree.AdmitTiers(t.Instrument, tiersOf(t))
}

func (m *machine) applyTiers(t *record.Tiers) {
	if !m.tree.SetTiers(t.Instrument, tiersOf(t)).OK() {
		m.haltFirm("recorded margin brackets could not be set")
	}
	m.out.event(EventAccount).Account = AccountEvent{Change: record.TypeTiers, Instrument: t.Instrument}
}

func tiersOf(t *record.Tiers) []margin.Tier {
	out := make([]margin.Tier, len(t.Tiers))
	for i, of := range t.Tiers {
		out[i] = margin.Tier{Floor: core.Notional(of.Floor), Rate: of.Rate, Leverage: of.Leverage}
	}
	return out
}

func (m *machine) admitRateFrom(f *record.RateFrom) risk.Reason {
	return m.tree.AdmitRateFrom(f.Currency, f.Instrument)
}

func (m *machine) applyRateFrom(f *record.RateFrom) {
	if !m.tree.SetRateFrom(f.Currency, f.Instrument).OK() {
		m.haltFirm("a recorded rate could not be set")
	}
	m.out.event(EventAccount).Account = AccountEvent{Change: record.TypeRateFrom, Instrument: f.Instrument,
		Currency: currencyName(f.Currency)}
}

// noteOf is who did something and why, in one note.
func noteOf(by, why *record.Text) Note {
	switch {
	case by.Len == 0:
		return MakeNote(why.String())
	case why.Len == 0:
		return MakeNote(by.String())
	}
	return MakeNote(by.String() + ": " + why.String())
}
