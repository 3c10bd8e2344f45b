package risk

import "qcat/core"

// Code is the stable number of a reason. Numbers are journalled: they are never
// reused and never change their meaning.
type Code uint16

// Codes, grouped by the row of the control that refuses.
const (
	OK Code = 0

	PriceCollar Code = 101

	PriceTick   Code = 201
	PriceBounds Code = 202

	QtyStep Code = 301
	MaxQty  Code = 302
	MinQty  Code = 303

	MinNotional Code = 401
	MaxNotional Code = 402

	MaxOpenOrders Code = 501
	MaxAmends     Code = 601
	MaxPosition   Code = 701

	MaxExposureGross Code = 801
	MaxExposureNet   Code = 802

	InsufficientMargin Code = 901
	InsufficientFunds  Code = 902

	MessageRate Code = 1001
	OrderRate   Code = 1002

	RepeatedExecution      Code = 1101
	DuplicateOrder         Code = 1201
	InstrumentNotPermitted Code = 1301
	Restricted             Code = 1302
	SelfTrade              Code = 1401

	Halted   Code = 1501
	Reducing Code = 1502

	StaleReference   Code = 1601
	CrossedReference Code = 1602

	MaxLossDaily      Code = 1701
	MaxDrawdown       Code = 1702
	ConsecutiveLosses Code = 1703

	MaxLeverage           Code = 1801
	PositionConcentration Code = 1901
	MarketVolatility      Code = 2001
	UnfilledNotional      Code = 2101
	VenueUnavailable      Code = 2201

	MarketMakerProtection Code = 2601

	// Changes of limits: loosening needs two people.
	SamePerson      Code = 2701 // who proposed a change cannot approve it
	UnknownProposal Code = 2702 // there is none of that number that waits
	StaleProposal   Code = 2703 // the node's limits are no longer those the change was proposed for

	MaxScenarioLoss Code = 2801

	// Fail closed: what is missing refuses (I4).
	UnknownAccount    Code = 9001
	UnknownStrategy   Code = 9002
	UnknownInstrument Code = 9003
	UnknownOrder      Code = 9004
	Overflow          Code = 9005
	OrderClosed       Code = 9006 // cancel or amend of an order that is no longer open
	AmendPending      Code = 9007 // an amend or cancel of this order is still on its way
	InvalidOrder      Code = 9008 // a combination of fields that no venue takes
	ReduceOnly        Code = 9009 // a reduce-only order that would not reduce
	Capacity          Code = 9010 // a bounded table of the core is full
	NoRate            Code = 9011 // the instrument's currency has no rate into the risk currency
	InvalidSetting    Code = 9012 // a limit, state, rate or definition that makes no sense where it was set
	OrderUnconfirmed  Code = 9013 // amend of an order of which it is not known whether its venue has it
	WrongLeg          Code = 9014 // the leg is not one of the account's position mode
	NotFlat           Code = 9015 // a setting that cannot change while something is held or open
)

// Level is where on the limit tree a limit hangs.
type Level uint8

const (
	LevelNone Level = iota // not a matter of the tree: the instrument's own filter
	LevelFirm
	LevelAccount
	LevelStrategy
	LevelInstrument // an instrument's limit below Scope's account and strategy, if set
)

// Scope names one node of the limit tree. Unused ids are 0.
type Scope struct {
	Level      Level
	Account    core.AccountID
	Strategy   core.StrategyID
	Instrument core.InstrumentID
}

// Unit is how Limit and Value of a Reason are to be read.
type Unit uint8

const (
	UnitNone     Unit = iota
	UnitPrice         // scale: the instrument's PriceScale
	UnitQty           // scale: the instrument's QtyScale
	UnitNotional      // scale: the instrument's SettleScale; a filter of the venue
	UnitCount
	UnitNanos
	UnitPPM
	UnitValue  // scale: ValueScale, of the risk currency; a limit of the tree
	UnitTimes  // a multiple in PPM: 10x is 10 000 000
	UnitMode   // a SelfTradeMode
	UnitAction // an Action
	UnitAmount // scale: ValueScale, of a currency of an account
)

// Reason is why an order was refused, by value; the zero Reason admits. It is
// never an error: a refusal is an answer.
type Reason struct {
	Code  Code
	Unit  Unit
	Scope Scope
	Limit int64 // what was allowed
	Value int64 // what it would have been
}

// OK reports whether the order was admitted.
func (r Reason) OK() bool { return r.Code == OK }
