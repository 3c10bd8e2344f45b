package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
	"qcat/risk/margin"
)

// Amounts in records and in rows have one scale.
var _ [record.AmountScale]struct{} = [history.AmountScale]struct{}{}

// totalTable keeps what was transferred to accounts: to look up, and in the order in
// which equity adds it up.
type totalTable struct {
	at     map[totalKey]*totalRow
	sorted []*totalRow // by account, currency
}

type totalKey struct {
	account  core.AccountID
	currency string
}

type totalRow struct {
	TransferTotal
	changed bool // in the batch in hand
}

func newTotalTable() totalTable { return totalTable{at: map[totalKey]*totalRow{}} }

func (t *totalTable) add(r *totalRow) {
	t.at[totalKey{r.Account, r.Currency}] = r
	i, _ := slices.BinarySearchFunc(t.sorted, r, func(a, b *totalRow) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Currency, b.Currency))
	})
	t.sorted = slices.Insert(t.sorted, i, r)
}

// get returns the total, made of nothing when there is none.
func (t *totalTable) get(a core.AccountID, currency string) *totalRow {
	r := t.at[totalKey{a, currency}]
	if r == nil {
		r = &totalRow{TransferTotal: TransferTotal{Account: a, Currency: currency}}
		t.add(r)
	}
	return r
}

func (p *JournalProjection) foldAccount(r *record.Record) error {
	switch r.Type {
	case record.TypeTransfer:
		return p.foldTransfer(&r.Transfer)
	case record.TypeMargin:
		p.foldMargin(&r.Margin)
	case record.TypeTiers:
		p.foldTiers(&r.Tiers)
	case record.TypeFunding:
		return p.foldFunding(&r.Funding)
	default:
		p.audit("set_rate_from", record.Scope{Level: levelInstrument, Instrument: r.RateFrom.Instrument},
			"1 %s is worth the mark of %s", clean(r.RateFrom.Currency), p.instrumentName(r.RateFrom.Instrument))
	}
	return nil
}

func (p *JournalProjection) foldTransfer(t *record.Transfer) error {
	scope := record.Scope{Level: levelAccount, Account: t.Account}
	currency := clean(t.Currency)
	what := fmt.Sprintf("%s %s into %s%s", amount(t.Amount), currency, p.accountName(t.Account), signed(&t.By, &t.Note))
	if t.Reason.Code != 0 {
		p.audit("transfer", scope, "%s: %s", p.refused(&t.Reason), what)
		return nil
	}
	if _, ok := p.accounts[t.Account]; !ok {
		return fmt.Errorf("%w: account %d is not defined", ErrRecord, t.Account)
	}
	total := p.totals.get(t.Account, currency)
	if !sum(&total.Amount, t.Amount) {
		return fmt.Errorf("%w: a transfer to account %d: %w", ErrRecord, t.Account, errSum)
	}
	if total.Time = p.rec.Time; !total.changed {
		total.changed = true
		p.changedTotals = append(p.changedTotals, total)
	}
	p.batch.Transfers = append(p.batch.Transfers, history.Transfer{Seq: p.rec.Seq, Time: p.rec.Time, Account: t.Account,
		Currency: currency, Amount: t.Amount, Balance: t.Balance, By: clean(t.By.String()), Note: clean(t.Note.String())})
	p.audit("transfer", scope, "%s; balance %s", what, amount(t.Balance))
	return nil
}

func (p *JournalProjection) foldMargin(m *record.Margin) {
	scope := record.Scope{Level: levelAccount, Account: m.Account}
	if m.Instrument != 0 {
		scope.Level, scope.Instrument = levelInstrument, m.Instrument
	}
	what := fmt.Sprintf("%s: %s%s", p.scopeText(&scope), p.marginText(m), signed(&m.By, nil))
	if m.Reason.Code != 0 {
		what = p.refused(&m.Reason) + ": " + what
	}
	p.audit("set_margin", scope, "%s", what)
}

var (
	marginModes = [...]string{"cross", "isolated"}
	hedgeModes  = [...]string{"one-way", "hedge"}
)

// marginText says which setting becomes what.
func (p *JournalProjection) marginText(m *record.Margin) string {
	word := func(names [2]string, v int64) string {
		if v < 0 || v >= int64(len(names)) {
			return fmt.Sprint(v)
		}
		return names[v]
	}
	switch m.Kind {
	case record.MarginLeverage:
		return fmt.Sprintf("leverage %sx → %sx", trimmed(m.Before, ppmDecimals), trimmed(m.Value, ppmDecimals))
	case record.MarginMode:
		return word(marginModes, m.Before) + " → " + word(marginModes, m.Value) + " margin"
	case record.MarginHedge:
		return word(hedgeModes, m.Before) + " → " + word(hedgeModes, m.Value) + " mode"
	case record.MarginIsolated:
		return fmt.Sprintf("isolated margin %s, %s added", amount(m.Before), amount(m.Value))
	}
	return fmt.Sprintf("setting %d is %d", m.Kind, m.Value)
}

// ppmDecimals is the number of decimals of what is counted in PPM.
const ppmDecimals = 6

func (p *JournalProjection) foldTiers(t *record.Tiers) {
	decimals := uint8(0)
	if in := p.instruments[t.Instrument]; in != nil {
		decimals = in.SettleScale
	}
	texts := make([]string, len(t.Tiers))
	for i, tier := range t.Tiers {
		texts[i] = fmt.Sprintf("from %s: %s%%, up to %sx", trimmed(tier.Floor, decimals), trimmed(tier.Rate, ppmDecimals-2),
			trimmed(tier.Leverage, ppmDecimals))
	}
	p.audit("set_tiers", record.Scope{Level: levelInstrument, Instrument: t.Instrument}, "%s", strings.Join(texts, "; "))
}

// foldFunding books the payment of every position in an instrument, as the sequencer
// did.
func (p *JournalProjection) foldFunding(f *record.Funding) error {
	in := p.instruments[f.Instrument]
	if in == nil {
		return fmt.Errorf("%w: instrument %d is not defined", ErrRecord, f.Instrument)
	}
	n := uint32(0)
	for _, h := range p.held.sorted {
		if h.Instrument != f.Instrument || h.Position.Position.Qty == 0 {
			continue
		}
		paid, ok := margin.Funding(in, h.Position.Position.Qty, f.Price, f.Rate)
		if !ok || !h.Position.Position.Fund(paid) {
			return fmt.Errorf("%w: funding of strategy %d: %w", ErrRecord, h.Strategy, errSum)
		}
		p.heldChanged(h)
		n++
	}
	if n != f.Paid {
		return fmt.Errorf("%w: %d positions are funded, %d by the record", ErrRecord, n, f.Paid)
	}
	p.audit("funding", record.Scope{Level: levelInstrument, Instrument: f.Instrument}, "%s: longs pay %s%% at %s, %d positions",
		p.instrumentName(f.Instrument), trimmed(f.Rate, margin.FundingScale-2), core.FormatDecimal(int64(f.Price), in.PriceScale), n)
	return nil
}
