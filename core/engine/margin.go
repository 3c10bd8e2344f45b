package engine

import (
	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// MarginKind is which setting of an account's margin a MarginSetting changes; see
// record.MarginKind.
type MarginKind = record.MarginKind

// The settings.
const (
	MarginLeverage = record.MarginLeverage
	MarginMode     = record.MarginMode
	MarginHedge    = record.MarginHedge
	MarginIsolated = record.MarginIsolated
)

// What an AccountEvent's Change can be, for those who do not know records.
const (
	ChangeTransfer = record.TypeTransfer
	ChangeMargin   = record.TypeMargin
	ChangeFunding  = record.TypeFunding
)

// MarginSetting is one change of an account's margin, for those who do not know
// records.
type MarginSetting struct {
	Kind       MarginKind
	Leg        core.Leg // MarginIsolated
	Account    core.AccountID
	Instrument core.InstrumentID
	Value      int64
	By         string
}

// SetMargin is DefineMargin.
func (e *Engine) SetMargin(s MarginSetting) (seq uint64, reason risk.Reason, err error) {
	return e.DefineMargin(record.Margin{Kind: s.Kind, Leg: s.Leg, Account: s.Account, Instrument: s.Instrument,
		Value: s.Value, By: record.MakeText(s.By)})
}
