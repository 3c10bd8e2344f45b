package engine

import (
	"qcat/core"
	"qcat/risk"
)

// OrderFilter selects orders; zero fields select all.
type OrderFilter struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Side       core.Side
	Status     core.OrdStatus
	OpenOnly   bool
	ClOrdID    core.ClOrdID
	From, To   core.Nanos   // created at From or later, and before To
	Before     core.OrderID // ids below this one
	Limit      int          // at most this many, newest first; 0: all that are kept
}

// ExecutionFilter selects executions; zero fields select all.
type ExecutionFilter struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	Order      core.OrderID
	From, To   core.Nanos // sequenced at From or later, and before To
	Before     uint64     // execution ids below this one
	Limit      int        // at most this many, newest first; 0: all that are kept
}

// PositionFilter selects positions; zero fields select all.
type PositionFilter struct {
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
	OpenOnly   bool // leaves out flat ones
}

// PositionView is a position and what it is worth.
type PositionView struct {
	PositionState
	// AvgEntry is the average entry price with AvgEntryScale decimals, rounded
	// half to even; 0 when flat.
	AvgEntry      int64
	AvgEntryScale uint8
	// Mark is the price the position is valued at: the venue's mark, else the mid
	// of a fresh book, else the last trade; 0 when none is known.
	Mark core.Price
	// Realised and Unrealised are in the settlement currency at SettleScale,
	// before fees, rounded half to even. Valued is false when Mark is not known or
	// an amount does not fit; Unrealised is then 0.
	Realised   core.Notional
	Unrealised core.Notional
	Valued     bool
}

// AccountSummary adds up one account in one settlement currency at one scale.
type AccountSummary struct {
	Account     core.AccountID
	Settle      string
	SettleScale uint8
	Realised    core.Notional
	Unrealised  core.Notional
	Fees        core.Notional
	OpenOrders  int
	Positions   int  // that are not flat
	Valued      bool // all of its positions could be valued
}

// ScopeState is a trading state that was set, and why.
type ScopeState struct {
	Scope risk.Scope
	State risk.TradingState
	Note  Note
	Seq   uint64
	Time  core.Nanos
}
