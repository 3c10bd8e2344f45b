package wire_test

import (
	"testing"

	"qcat/api/spec/spectest"
	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/record"
	"qcat/risk"
)

// TestRiskEventsAreDescribed holds every kind of event that the risk channel tells
// against the document of the interface.
func TestRiskEventsAreDescribed(t *testing.T) {
	t.Parallel()
	d, in := directory(t)
	onInstrument := risk.InstrumentScope(1, 0, in.ID)
	refused := risk.Reason{Code: risk.MaxNotional, Unit: risk.UnitNotional, Scope: onInstrument, Limit: 5, Value: 7}
	order := core.Order{ID: 1, Account: 1, Strategy: 1, Instrument: in.ID, Side: core.Buy, Type: core.Limit, TIF: core.GTC,
		Status: core.StatusRejected, Price: 100, Qty: 1, Reason: uint16(risk.MaxNotional)}
	account := func(a engine.AccountEvent) engine.Event {
		a.Account = 1
		return engine.Event{Kind: engine.EventAccount, Account: a, Note: engine.MakeNote("drill")}
	}
	for name, ev := range map[string]engine.Event{
		"state":                {Kind: engine.EventState, Scope: risk.AccountScope(1), State: risk.StateHalted},
		"limits":               {Kind: engine.EventLimits, Scope: risk.FirmScope()},
		"proposal":             {Kind: engine.EventProposal, Scope: onInstrument, Proposal: engine.ProposalEvent{ID: 1, Status: engine.ProposalWaiting, Until: 7}},
		"proposal refused":     {Kind: engine.EventProposal, Scope: onInstrument, Proposal: engine.ProposalEvent{ID: 1, Status: engine.ProposalRefused}, Reason: risk.Reason{Code: risk.SamePerson}},
		"order refused":        {Kind: engine.EventRefused, Order: order, Reason: refused},
		"halted":               {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.Halted, Scope: risk.FirmScope()}},
		"breach by a price":    {Kind: engine.EventBreach, Reason: refused, Breach: engine.BreachEvent{Action: risk.ActionHalt, Instrument: in.ID, Cancelled: 2, Price: 5, Cause: 3, Seen: 9}},
		"breach by the time":   {Kind: engine.EventBreach, Reason: refused, Breach: engine.BreachEvent{Action: risk.ActionFlatten, Cause: 3}},
		"countdown":            {Kind: engine.EventCountdown, Scope: risk.FirmScope(), Countdown: engine.CountdownFired, Timeout: 5e9},
		"transfer":             account(engine.AccountEvent{Change: record.TypeTransfer, Amount: -5}),
		"leverage":             account(engine.AccountEvent{Change: record.TypeMargin, Margin: engine.MarginLeverage, Instrument: in.ID, Amount: 5_000_000}),
		"mode":                 account(engine.AccountEvent{Change: record.TypeMargin, Margin: engine.MarginMode, Instrument: in.ID, Amount: 1}),
		"position mode":        account(engine.AccountEvent{Change: record.TypeMargin, Margin: engine.MarginHedge}),
		"isolated":             account(engine.AccountEvent{Change: record.TypeMargin, Margin: engine.MarginIsolated, Instrument: in.ID, Leg: core.LegLong, Amount: 5}),
		"brackets":             {Kind: engine.EventAccount, Account: engine.AccountEvent{Change: record.TypeTiers, Instrument: in.ID}},
		"funding":              {Kind: engine.EventAccount, Account: engine.AccountEvent{Change: record.TypeFunding, Instrument: in.ID, Amount: 100_000, Price: 5, Paid: 2}},
		"rate":                 {Kind: engine.EventAccount, Account: engine.AccountEvent{Change: record.TypeRateFrom, Instrument: in.ID}},
		"transfer refused":     {Kind: engine.EventAccount, Account: engine.AccountEvent{Change: record.TypeTransfer, Account: 1}, Reason: risk.Reason{Code: risk.InsufficientFunds, Unit: risk.UnitAmount, Limit: 1, Value: 2}},
		"limit of an action":   {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.SelfTrade, Unit: risk.UnitMode, Value: 1}},
		"limit of a time":      {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.StaleReference, Unit: risk.UnitNanos, Limit: 1, Value: 2}},
		"limit of a ratio":     {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.MaxLeverage, Unit: risk.UnitTimes, Limit: 1, Value: 2}},
		"limit of a rate":      {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.OrderRate, Unit: risk.UnitCount, Limit: 1, Value: 2}},
		"limit of a value":     {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.MaxExposureNet, Unit: risk.UnitValue, Limit: 1, Value: 2}},
		"rejected by a venue":  {Kind: engine.EventRefused, Order: rejected(order, core.VenueReasonNoLiquidity), Reason: refused},
		"limit of a price":     {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.PriceCollar, Unit: risk.UnitPrice, Limit: 1, Value: 2}},
		"limit of a quantity":  {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.MaxQty, Unit: risk.UnitQty, Limit: 1, Value: 2}},
		"limit of loss action": {Kind: engine.EventRefused, Order: order, Reason: risk.Reason{Code: risk.MaxLossDaily, Unit: risk.UnitAction, Value: 1}},
	} {
		ev.Index = 2
		if !wire.Risk.Carries(&ev) {
			t.Errorf("%s: the channel does not tell it", name)
			continue
		}
		b := wire.AppendPrivateHead(nil, wire.ChannelPrefix("risk"), 7, ev.Index, 9)
		b = wire.AppendTail(wire.AppendPrivate(b, d, wire.Risk, &ev))
		if err := new(spectest.Socket).Received(b); err != nil {
			t.Errorf("%s: %v: %s", name, err, b)
		}
	}
}

func rejected(o core.Order, why core.VenueReason) core.Order {
	o.Reason = uint16(why)
	return o
}
