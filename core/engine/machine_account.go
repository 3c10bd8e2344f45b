package engine

import (
	"qcat/core/record"
	"qcat/risk"
)

// The records of accounts: transfers, margin settings, brackets, funding and rates.

// decideAccount fills the outcome of a record of accounts.
func (m *machine) decideAccount(r *record.Record) {
	switch r.Type {
	case record.TypeTransfer:
		m.decideTransfer(&r.Transfer)
	case record.TypeMargin:
		m.decideMargin(&r.Margin)
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
	t.Reason = reasonToRecord(m.knownScope(risk.AccountScope(t.Account)))
}

func (m *machine) decideMargin(s *record.Margin) {
	s.Reason = reasonToRecord(m.knownScope(risk.AccountScope(s.Account)))
}

func (m *machine) applyTransfer(t *record.Transfer) {
	ev := m.out.event(EventAccount)
	ev.Account = AccountEvent{Change: record.TypeTransfer, Account: t.Account, Amount: t.Amount, Currency: currencyName(t.Currency)}
	ev.Reason, ev.Note = reasonFromRecord(&t.Reason), noteOf(&t.By, &t.Note)
}

func (m *machine) applyMargin(s *record.Margin) {
	ev := m.out.event(EventAccount)
	ev.Account = AccountEvent{Change: record.TypeMargin, Margin: s.Kind, Leg: s.Leg, Account: s.Account,
		Instrument: s.Instrument, Amount: s.Value}
	ev.Reason, ev.Note = reasonFromRecord(&s.Reason), noteOf(&s.By, &record.Text{})
}

func (m *machine) applyTiers(t *record.Tiers) {
	m.out.event(EventAccount).Account = AccountEvent{Change: record.TypeTiers, Instrument: t.Instrument}
}

func (m *machine) applyFunding(f *record.Funding) {
	m.out.event(EventAccount).Account = AccountEvent{Change: record.TypeFunding, Instrument: f.Instrument,
		Amount: f.Rate, Price: f.Price, Paid: f.Paid}
}

func (m *machine) applyRateFrom(f *record.RateFrom) {
	m.out.event(EventAccount).Account = AccountEvent{Change: record.TypeRateFrom, Instrument: f.Instrument,
		Currency: currencyName(f.Currency)}
}

func (m *machine) admitTiers(t *record.Tiers) risk.Reason {
	if m.instrument(t.Instrument) == nil {
		return risk.Reason{Code: risk.UnknownInstrument, Scope: risk.InstrumentScope(0, 0, t.Instrument)}
	}
	return risk.Reason{}
}

func (m *machine) admitFunding(f *record.Funding) risk.Reason {
	switch {
	case m.instrument(f.Instrument) == nil:
		return risk.Reason{Code: risk.UnknownInstrument, Scope: risk.InstrumentScope(0, 0, f.Instrument)}
	case f.Price <= 0:
		return risk.Reason{Code: risk.InvalidSetting}
	}
	return risk.Reason{}
}

func (m *machine) admitRateFrom(f *record.RateFrom) risk.Reason {
	if m.instrument(f.Instrument) == nil {
		return risk.Reason{Code: risk.UnknownInstrument, Scope: risk.InstrumentScope(0, 0, f.Instrument)}
	}
	return risk.Reason{}
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
