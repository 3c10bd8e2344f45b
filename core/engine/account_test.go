package engine

import (
	"errors"
	"testing"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

func (h *harness) wantReason(what string, reason risk.Reason, err error, want risk.Code) {
	h.t.Helper()
	if err != nil || reason.Code != want {
		h.t.Errorf("%s: %q, %v; want %q", what, reason.Code, err, want)
	}
}

// Transfers are recorded, refused ones as well, and the wallet follows those that were
// not.
func TestTransfers(t *testing.T) {
	h := newHarness(t)
	a := h.account.ID
	for _, c := range []struct {
		account  core.AccountID
		currency string
		amount   int64
		want     risk.Code
		balance  int64
	}{
		{a, "USDT", 1000_00000000, risk.OK, 1000_00000000},
		{a, "USDT", -1000_00000001, risk.InsufficientFunds, 1000_00000000},
		{a, "USDT", -1000_00000000, risk.OK, 0},
		{a, "USDT", 5, risk.OK, 5},
		{a, "USDT", 0, risk.InvalidSetting, 5},
		{99, "USDT", 1, risk.UnknownAccount, 5},
	} {
		h.drainEvents()
		before := h.e.m.seq
		h.rest(func() error {
			seq, reason, err := h.e.DefineTransfer(c.account, c.currency, c.amount, "anna", "deposit")
			h.wantReason("transfer", reason, err, c.want)
			if seq != before+1 {
				t.Errorf("recorded as %d after %d", seq, before)
			}
			return nil
		})
		var balance int64
		for _, w := range h.e.m.tree.Wallets(a) {
			balance += w.Balance
		}
		n, ev := h.eventsOf(EventAccount)
		if balance != c.balance || n != 1 || ev.Reason.Code != c.want || ev.Account.Amount != c.amount ||
			ev.Account.Currency.String() != c.currency || ev.Note.String() != "anna: deposit" {
			t.Errorf("transfer of %d: balance %d, want %d; %d events, the last %+v", c.amount, balance, c.balance, n, ev.Account)
		}
	}
	h.rest(func() error {
		if _, _, err := h.e.DefineTransfer(a, "", 1, "", ""); err == nil {
			t.Error("a currency without a name")
		}
		return nil
	})
	h.checkReplay()
	h.checkRestore()
}

func TestMarginSettings(t *testing.T) {
	h := newHarness(t)
	a, in := h.account.ID, h.btc.ID
	for _, c := range []struct {
		name   string
		set    record.Margin
		want   risk.Code
		before int64
	}{
		{"leverage", record.Margin{Kind: record.MarginLeverage, Account: a, Instrument: in, Value: 10 * core.PPM}, risk.OK, core.PPM},
		{"leverage again", record.Margin{Kind: record.MarginLeverage, Account: a, Instrument: in, Value: 5 * core.PPM}, risk.OK, 10 * core.PPM},
		{"less than none", record.Margin{Kind: record.MarginLeverage, Account: a, Instrument: in, Value: core.PPM - 1}, risk.InvalidSetting, 0},
		{"isolated", record.Margin{Kind: record.MarginMode, Account: a, Instrument: in, Value: 1}, risk.OK, 0},
		{"no mode", record.Margin{Kind: record.MarginMode, Account: a, Instrument: in, Value: 2}, risk.InvalidSetting, 0},
		{"hedge", record.Margin{Kind: record.MarginHedge, Account: a, Value: 1}, risk.OK, 0},
		{"one-way", record.Margin{Kind: record.MarginHedge, Account: a}, risk.OK, 1},
		{"of nothing", record.Margin{Account: a}, risk.InvalidSetting, 0},
		{"of nobody", record.Margin{Kind: record.MarginHedge, Account: 9, Value: 1}, risk.UnknownAccount, 0},
	} {
		h.rest(func() error {
			_, reason, err := h.e.DefineMargin(c.set)
			h.wantReason(c.name, reason, err, c.want)
			if got := h.e.rec.Margin.Before; got != c.before {
				t.Errorf("%s: was %d, want %d", c.name, got, c.before)
			}
			return nil
		})
	}
	h.checkReplay()
	h.checkRestore()
}

// Funding reaches every position that is not flat, by its own strategy and side: what
// the long pay is rounded up, what the short receive is rounded down.
func TestFunding(t *testing.T) {
	h := newHarness(t)
	h.rest(func() error { _, err := h.e.DefineAccount("short"); return err })
	sell := h.limit(core.Sell, 10000, 3, "")
	sell.Account, sell.Strategy = 2, core.StrategyID(len(h.e.m.strategies)-1)
	h.fill(h.order(core.Buy, 10000, 10), 1, 10000, 10)
	h.fill(h.ask(sell).Order.ID, 1, 10000, 3)
	h.drainEvents()
	var seq uint64
	h.rest(func() error {
		var reason risk.Reason
		var err error
		seq, reason, err = h.e.DefineFunding(h.btc.ID, 100_001, 10000) // 0.0100001% of 1.00000000 and 0.30000000
		h.wantReason("funding", reason, err, risk.OK)
		return err
	})
	events := h.drainEvents()
	if len(events) != 3 || events[0].Kind != EventAccount || events[0].Account.Paid != 2 || events[1].Kind != EventPosition || events[2].Seq != seq {
		t.Errorf("%d events", len(events))
	}
	long, short := h.position(), h.e.m.positions.find(sell.Strategy, h.btc.ID, core.LegNet).Position
	if long.Funding != 10_001 || short.Funding != -3_000 {
		t.Errorf("long paid %d, short %d", long.Funding, short.Funding)
	}
	for _, c := range []struct {
		in   core.InstrumentID
		px   core.Price
		rate int64
		want risk.Code
	}{
		{h.btc.ID, 0, 1, risk.InvalidSetting}, {9, 1, 1, risk.UnknownInstrument}, {h.btc.ID, 1<<62 - 1, maxFundingRate, risk.Overflow},
	} {
		before := h.e.m.seq
		h.rest(func() error {
			_, reason, err := h.e.DefineFunding(c.in, c.rate, c.px)
			h.wantReason("funding that cannot be", reason, err, c.want)
			return nil
		})
		if h.e.m.seq != before || h.position() != long {
			t.Error("a refused payment was recorded or booked")
		}
	}
	h.checkReplay()
	h.checkRestore()
}

// A rate that comes from an instrument already is not recorded once more.
func TestRateFromTwice(t *testing.T) {
	h := newHarness(t)
	h.rest(func() error {
		first, reason, err := h.e.DefineRateFrom(h.btc.Base, h.btc.ID)
		h.wantReason("a rate from", reason, err, risk.OK)
		again, reason, err := h.e.DefineRateFrom(h.btc.Base, h.btc.ID)
		h.wantReason("the same again", reason, err, risk.OK)
		if again != first || h.e.m.seq != first {
			t.Errorf("recorded as %d, and again as %d", first, again)
		}
		return nil
	})
}

// What is no currency's name makes no wallet, and a rate of more than all is a slip.
func TestSlipsOfThePen(t *testing.T) {
	h := newHarness(t)
	h.rest(func() error {
		for _, name := range []string{"", "usd t", "US\tD", "A\x00", "ABCDEFGHIJKLMNOPQRSTU"} {
			if _, _, err := h.e.DefineTransfer(h.account.ID, name, 1, "anna", ""); !errors.Is(err, ErrRefused) {
				t.Errorf("a wallet of %q: %v", name, err)
			}
		}
		for rate, want := range map[int64]risk.Code{maxFundingRate: risk.OK, maxFundingRate + 1: risk.InvalidSetting, -maxFundingRate - 1: risk.InvalidSetting} {
			_, reason, err := h.e.DefineFunding(h.btc.ID, rate, 100)
			h.wantReason("funding", reason, err, want)
		}
		return nil
	})
}
