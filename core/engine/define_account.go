package engine

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// The records of accounts. Each method returns the journal sequence after which it
// holds, the reason why the state does not admit it, and an error when it could not
// be recorded: that of the journal, or one that wraps ErrRefused when what was asked
// for can be no record at all. Transfers and margin settings are recorded even when
// they are refused, for the audit.

// DefineTransfer moves an amount of a currency, in 10^-record.AmountScale, into an
// account, or out of it when it is negative: refused with InsufficientFunds when that
// is more than is free.
func (e *Engine) DefineTransfer(a core.AccountID, currency string, amount int64, by, note string) (seq uint64, reason risk.Reason, err error) {
	e.onEngine(func() {
		if err = checkCurrency(currency); err != nil {
			return
		}
		e.rec.Type = record.TypeTransfer
		e.rec.Transfer = record.Transfer{Account: a, Currency: currency, Amount: amount,
			By: record.MakeText(by), Note: record.MakeText(note)}
		if seq, err = e.define(); err == nil {
			reason = reasonFromRecord(&e.rec.Transfer.Reason)
		}
	})
	return seq, reason, err
}

// DefineMargin changes a margin setting of an account; see record.Margin.
func (e *Engine) DefineMargin(set record.Margin) (seq uint64, reason risk.Reason, err error) {
	e.onEngine(func() {
		e.rec.Type = record.TypeMargin
		e.rec.Margin = set
		if seq, err = e.define(); err == nil {
			reason = reasonFromRecord(&e.rec.Margin.Reason)
		}
	})
	return seq, reason, err
}

// DefineTiers replaces the maintenance margin brackets of an instrument. Refused ones
// are not recorded.
func (e *Engine) DefineTiers(in core.InstrumentID, tiers []record.Tier) (seq uint64, reason risk.Reason, err error) {
	e.onEngine(func() {
		e.rec.Type = record.TypeTiers
		e.rec.Tiers = record.Tiers{Instrument: in, Tiers: append(e.rec.Tiers.Tiers[:0], tiers...)}
		if reason = e.m.admitTiers(&e.rec.Tiers); reason.OK() {
			seq, err = e.define()
		}
	})
	return seq, reason, err
}

// DefineFunding books a payment between the long and the short holders of an
// instrument to every position in it: rate in 10^-9 of the notional at price, paid by
// the long when it is positive. A refused one is not recorded.
func (e *Engine) DefineFunding(in core.InstrumentID, rate int64, price core.Price) (seq uint64, reason risk.Reason, err error) {
	e.onEngine(func() {
		e.rec.Type = record.TypeFunding
		e.rec.Funding = record.Funding{Instrument: in, Rate: rate, Price: price}
		if reason = e.m.admitFunding(&e.rec.Funding); reason.OK() {
			seq, err = e.define()
		}
	})
	return seq, reason, err
}

// DefineRateFrom values a currency by the mark of an instrument that buys it, times
// the rate of the instrument's quote currency. Nothing is recorded when it does so
// already, nor when it is refused.
func (e *Engine) DefineRateFrom(currency string, in core.InstrumentID) (seq uint64, reason risk.Reason, err error) {
	e.onEngine(func() {
		if err = checkCurrency(currency); err != nil {
			return
		}
		if in != 0 && e.m.tree.RateFrom(currency) == in {
			seq = e.m.seq
			return
		}
		e.rec.Type = record.TypeRateFrom
		e.rec.RateFrom = record.RateFrom{Instrument: in, Currency: currency}
		if reason = e.m.admitRateFrom(&e.rec.RateFrom); reason.OK() {
			seq, err = e.define()
		}
	})
	return seq, reason, err
}

// checkCurrency refuses what is no name of a currency.
func checkCurrency(name string) error {
	plain := func(r rune) bool { return r > ' ' && r != 0x7f && r != utf8.RuneError }
	if name == "" || len(name) > MaxCurrencyLen || strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		return fmt.Errorf("%w: a currency's name has 1 to %d bytes and no spaces", ErrRefused, MaxCurrencyLen)
	}
	return nil
}
