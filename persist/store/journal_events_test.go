package store_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
	"qcat/persist/store"
)

// projected is the batch of hand-made records after the definitions of dir.
func projected(t *testing.T, records ...record.Record) *store.Batch {
	t.Helper()
	p := store.NewJournalProjection(testLog, &store.State{}, nil)
	p.Tell(store.Texts{Limit: func(limit uint16, value int64, in *core.Instrument) string {
		switch {
		case limit == 2 && in == nil:
			return fmt.Sprintf("two %d\x00", value)
		case limit == 2:
			return fmt.Sprintf("two %d of %s", value, in.Symbol)
		}
		return ""
	}, Reason: func(code uint16, _ uint8, limit, value int64, _ *core.Instrument) string {
		if code == 9003 {
			return ""
		}
		return fmt.Sprintf("reason %d: %d, limit %d", code, value, limit)
	}, Action: func(action uint8) string { return [...]string{"", "notify", "reduce", "halt"}[action] }})
	seq := uint64(0)
	apply := func(r record.Record) {
		t.Helper()
		seq++
		r.Seq, r.Time = seq, testStart+core.Nanos(seq)
		if err := p.Apply(r.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	dir := directory(t)
	for _, in := range dir.Instruments() {
		apply(record.Record{Header: record.Header{Type: record.TypeInstrument}, Instrument: record.Instrument{Definition: *in}})
	}
	apply(record.Record{Header: record.Header{Type: record.TypeAccount}, Account: record.Account{ID: 1, Name: "demo"}})
	apply(record.Record{Header: record.Header{Type: record.TypeStrategy}, Strategy: record.Strategy{ID: 1, Account: 1, Name: "s"}})
	if b := p.Take(); len(b.Instruments) != 2 || len(b.Accounts) != 1 || len(b.Strategies) != 1 || len(b.Audit) != 4 {
		t.Fatalf("definitions: %+v", b)
	}
	for _, r := range records {
		apply(r)
	}
	return p.Take()
}

// at is the header of the nth record after the definitions.
func at(n uint64) (seq uint64, time core.Nanos) { return 4 + n, testStart + core.Nanos(4+n) }

func checkEvents(t *testing.T, got, want []history.RiskEvent) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("event %d is\n     %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

// Rows name what is defined only, hold numbers that every store can keep, and texts
// without bytes that some refuse: a request may hold anything, and one record that
// cannot be stored would stop a store for good.
func TestRequestsThatNameAnything(t *testing.T) {
	hex := record.Scope{Level: 200, Account: 77, Strategy: 88, Instrument: 99}
	reason := record.Reason{Code: 9003, Unit: 3, Scope: hex, Limit: math.MinInt64, Value: math.MaxInt64}
	state := record.State{Scope: hex, State: 250, Reason: reason}
	state.NoteLen = uint8(copy(state.Note[:], "a\x00b\xffc\xe9\x95"))
	b := projected(t,
		record.Record{Header: record.Header{Type: record.TypeNew}, New: record.New{Account: 1, Strategy: 88, Instrument: 99, Side: 201,
			Price: math.MaxInt64, Qty: math.MinInt64, Reason: reason}},
		record.Record{Header: record.Header{Type: record.TypeCancel}, Cancel: record.Cancel{Account: 77, Order: math.MaxUint64, Reason: reason}},
		record.Record{Header: record.Header{Type: record.TypeAmend}, Amend: record.Amend{Order: 1 << 63, Price: 5, Qty: 6, Reason: reason}},
		record.Record{Header: record.Header{Type: record.TypeState}, State: state},
		record.Record{Header: record.Header{Type: record.TypeReport}, Report: record.Report{Disposition: record.Stray,
			Report: core.ExecReport{Type: core.ExecTrade, Order: math.MaxUint64, Instrument: 99, LastPx: 7, LastQty: 8, VenueCode: 9}}},
		record.Record{Header: record.Header{Type: record.TypeRate}, Rate: record.Rate{Currency: "U\x00\xff", PPM: 5}},
	)
	scope := history.Scope{Level: 200}
	event := func(n uint64, e history.RiskEvent) history.RiskEvent {
		e.Seq, e.Time = at(n)
		return e
	}
	refusal := func(n uint64, kind history.RiskEventKind, e history.RiskEvent) history.RiskEvent {
		e.Kind, e.Scope, e.Code, e.Unit, e.Limit, e.Value = kind, scope, 9003, 3, math.MinInt64, math.MaxInt64
		return event(n, e)
	}
	checkEvents(t, b.RiskEvents, []history.RiskEvent{
		refusal(1, history.RiskOrderRefused, history.RiskEvent{Account: 1, Side: 201, Note: "instrument 99 is not defined"}),
		refusal(2, history.RiskCancelRefused, history.RiskEvent{}),
		refusal(3, history.RiskAmendRefused, history.RiskEvent{}),
		event(5, history.RiskEvent{Kind: history.RiskReportStray, Scope: history.Scope{Level: 1}, State: 2, Code: 9,
			Note: "a fill of an order that is not kept"}),
	})
	if a := b.Audit[0]; a.Action != "set_state" || a.Scope != scope || a.Detail != "refused with code 9003: 250: a\ufffdb\ufffdc\ufffd" {
		t.Errorf("audit of a refused state: %+v", a)
	}
	if a := b.Audit[1]; a.Action != "set_rate" || a.Detail != "1 U\ufffd\ufffd is worth 5 ppm" || !utf8.ValidString(a.Detail) {
		t.Errorf("audit of a rate: %+v", a)
	}
}

// What an officer looks for later: refusals with the order's terms, changes of
// states and limits, what a venue said that could not be.
func TestRiskEventsAndAudit(t *testing.T) {
	id, _ := core.MakeClOrdID("mine")
	order := record.New{Account: 1, Strategy: 1, Instrument: 1, Side: core.Sell, Type: core.Limit, TIF: core.GTC, Price: 100, Qty: 10, ClOrdID: id, Order: 1}
	path := record.Scope{Level: 3, Account: 1, Strategy: 1}
	narrow := record.Scope{Level: 4, Instrument: 1}
	reason := record.Reason{Code: 303, Unit: 2, Scope: path, Limit: 5, Value: 10}
	refused := order
	refused.Order, refused.Reason = 0, reason
	state := record.State{Scope: path, State: 1, CancelOpen: true, Cancelled: 1}
	state.NoteLen = uint8(copy(state.Note[:], "by x"))
	b := projected(t,
		record.Record{Header: record.Header{Type: record.TypeNew}, New: order},
		record.Record{Header: record.Header{Type: record.TypeNew}, New: refused},
		record.Record{Header: record.Header{Type: record.TypeAmend}, Amend: record.Amend{Order: 1, Found: 1, Qty: 20, Reason: reason}},
		record.Record{Header: record.Header{Type: record.TypeState}, State: state},
		record.Record{Header: record.Header{Type: record.TypeLimits}, Limits: record.Limits{Scope: path, Fields: []record.LimitField{{ID: 2, Value: 7}, {ID: 9, Value: -1}}}},
		record.Record{Header: record.Header{Type: record.TypeReport}, Report: record.Report{Disposition: record.Invalid, Status: core.StatusNew,
			Report: core.ExecReport{Type: core.ExecTrade, Order: 1, Instrument: 1, LastPx: 100, LastQty: -3}}},
		record.Record{Header: record.Header{Type: record.TypeRestart}, Restart: record.Restart{Unknown: 1}},
		record.Record{Header: record.Header{Type: record.TypeCancelAll}, CancelAll: record.CancelAll{Scope: record.Scope{Level: 1}}},
		record.Record{Header: record.Header{Type: record.TypeLimits}, Limits: record.Limits{Scope: narrow,
			Fields: []record.LimitField{{ID: 2, Value: 8}}, Before: []record.LimitField{{ID: 2, Value: 5}, {ID: 3, Value: 1}}}},
	)
	scope := history.Scope{Level: 3, Account: 1, Strategy: 1}
	want := []history.RiskEvent{
		{Kind: history.RiskOrderRefused, Scope: scope, Code: 303, Unit: 2, Limit: 5, Value: 10, Account: 1, Strategy: 1, Instrument: 1,
			Side: core.Sell, Price: 100, Qty: 10, ClOrdID: id},
		{Kind: history.RiskAmendRefused, Scope: scope, Code: 303, Unit: 2, Limit: 5, Value: 10, Order: 1, Account: 1, Strategy: 1, Instrument: 1,
			Side: core.Sell, Price: 100, Qty: 20, ClOrdID: id},
		{Kind: history.RiskStateChanged, Scope: scope, State: 1, Value: 1, Account: 1, Strategy: 1, Note: "by x"},
		{Kind: history.RiskLimitsChanged, Scope: scope, Value: 2, Account: 1, Strategy: 1},
		{Kind: history.RiskReportInvalid, Scope: history.Scope{Level: 1}, State: 2, Order: 1, Account: 1, Strategy: 1, Instrument: 1,
			Side: core.Sell, Price: 100, Qty: -3, ClOrdID: id, Note: "a venue's report cannot be booked"},
		{Kind: history.RiskRestarted, Scope: history.Scope{Level: 1}, Value: 1},
		{Kind: history.RiskLimitsChanged, Scope: history.Scope{Level: 4, Instrument: 1}, Value: 1, Instrument: 1},
	}
	for i, n := range []uint64{2, 3, 4, 5, 6, 7, 9} {
		want[i].Seq, want[i].Time = at(n)
	}
	checkEvents(t, b.RiskEvents, want)
	firm, symbol := history.Scope{Level: 1}, directory(t).Instruments()[0].Symbol
	audit := []history.Audit{
		{Action: "set_state", Scope: scope, Detail: "reducing, 1 cancels sent: by x"},
		{Action: "set_limits", Scope: scope, Detail: "two unset → 7\ufffd, limit_9 unset → -1"},
		{Action: "restart", Scope: firm, Detail: "1 orders unknown"},
		{Action: "cancel_all", Scope: firm, Detail: "0 cancels sent"},
		{Action: "set_limits", Scope: history.Scope{Level: 4, Instrument: 1}, Detail: "two 5 of " + symbol + " → 8 of " + symbol + ", limit_3 1 → unset"},
	}
	for i, n := range []uint64{4, 5, 7, 8, 9} {
		audit[i].Seq, audit[i].Time = at(n)
		if b.Audit[i] != audit[i] {
			t.Errorf("entry %d is\n     %+v\nwant %+v", i, b.Audit[i], audit[i])
		}
	}
	if len(b.Audit) != len(audit) {
		t.Errorf("%d entries, want %d", len(b.Audit), len(audit))
	}
	if len(b.Orders) != 1 || !b.Orders[0].PendingCxl || !b.Orders[0].Unknown || b.Orders[0].Seq != 4+7 {
		t.Errorf("orders: %+v", b.Orders)
	}
}

// An order stays unknown until the venue has confirmed it and nothing of it is on its
// way, and becomes unknown when the venue denies it.
func TestUnknownOrders(t *testing.T) {
	report := func(kind core.ExecType, code core.VenueReason) record.Record {
		return record.Record{Header: record.Header{Type: record.TypeReport}, Report: record.Report{Disposition: record.Applied,
			Status: core.StatusNew, Report: core.ExecReport{Type: kind, Order: 1, Instrument: 1, VenueCode: uint16(code)}}}
	}
	all := []struct {
		r                record.Record
		unknown, pending bool
	}{
		{record.Record{Header: record.Header{Type: record.TypeNew}, New: record.New{Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy,
			Type: core.Limit, TIF: core.GTC, Price: 1, Qty: 1, Order: 1}}, false, false},
		{record.Record{Header: record.Header{Type: record.TypeCancel}, Cancel: record.Cancel{Order: 1, Found: 1, Sent: true}}, false, true},
		{record.Record{Header: record.Header{Type: record.TypeRestart}, Restart: record.Restart{Unknown: 1}}, true, true},
		{report(core.ExecNew, 0), true, true},
		{report(core.ExecCancelRejected, core.VenueReasonInvalid), false, false},
		{record.Record{Header: record.Header{Type: record.TypeCancel}, Cancel: record.Cancel{Order: 1, Found: 1, Sent: true}}, false, true},
		{report(core.ExecCancelRejected, core.VenueReasonUnknownOrder), true, true},
	}
	var records []record.Record
	for i, step := range all {
		records = append(records, step.r)
		o := projected(t, records...).Orders[0]
		if o.Unknown != step.unknown || o.PendingCxl != step.pending {
			t.Errorf("after step %d: unknown %v, cancel pending %v; want %v, %v", i, o.Unknown, o.PendingCxl, step.unknown, step.pending)
		}
	}
}

// What people and the limit tree do about accounts and limits stands in the audit in
// words, with what was before; what was refused too.
func TestAccountsAndLimitsInTheAudit(t *testing.T) {
	account := record.Scope{Level: 2, Account: 1}
	order := record.New{Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 100, Qty: 10,
		Order: 1, Leg: core.LegLong, Session: 5, CancelOnDrop: true, Less: 4}
	second, third := order, order
	second.Order, second.Session = 2, 6
	third.Order, third.CancelOnDrop = 3, false
	by, refused := record.MakeText("alice"), record.Reason{Code: 902, Limit: 5, Value: 10}
	change := record.Change{Proposal: 7, Scope: account, Before: []record.LimitField{{ID: 2, Value: 5}}, After: []record.LimitField{{ID: 2, Value: 6}}}
	type entry struct {
		r             record.Record
		action, audit string
	}
	all := []entry{
		{record.Record{Header: record.Header{Type: record.TypeNew}, New: order}, "", ""},
		{record.Record{Header: record.Header{Type: record.TypeNew}, New: second}, "", ""},
		{record.Record{Header: record.Header{Type: record.TypeNew}, New: third}, "", ""},
		{record.Record{Header: record.Header{Type: record.TypeTransfer}, Transfer: record.Transfer{Account: 1, Currency: "USDT",
			Amount: 1_050_000_000, By: by, Note: record.MakeText("first\x00"), Balance: 1_050_000_000}},
			"transfer", "10.5 USDT into demo by alice: first\ufffd; balance 10.5"},
		{record.Record{Header: record.Header{Type: record.TypeTransfer}, Transfer: record.Transfer{Account: 1, Currency: "USDT",
			Amount: -2_000_000_000, By: by, Reason: refused}}, "transfer", "refused with reason 902: 10, limit 5: -20 USDT into demo by alice"},
		{record.Record{Header: record.Header{Type: record.TypeMargin}, Margin: record.Margin{Kind: record.MarginLeverage, Account: 1, Instrument: 1,
			Value: 12_500_000, Before: 10_000_000, By: by}}, "set_margin", "account demo, " + directory(t).Instruments()[0].Name() + ": leverage 10x → 12.5x by alice"},
		{record.Record{Header: record.Header{Type: record.TypeMargin}, Margin: record.Margin{Kind: record.MarginHedge, Account: 1, Value: 1, Reason: refused}},
			"set_margin", "refused with reason 902: 10, limit 5: account demo: one-way → hedge mode"},
		{record.Record{Header: record.Header{Type: record.TypeTiers}, Tiers: record.Tiers{Instrument: 1,
			Tiers: []record.Tier{{Rate: 4000, Leverage: 125_000_000}, {Floor: 5_000_000_000_000, Rate: 5000, Leverage: 100_000_000}}}},
			"set_tiers", "from 0: 0.4%, up to 125x; from 50000: 0.5%, up to 100x"},
		{record.Record{Header: record.Header{Type: record.TypeRateFrom}, RateFrom: record.RateFrom{Instrument: 1, Currency: "B"}},
			"set_rate_from", "1 B is worth the mark of " + directory(t).Instruments()[0].Name()},
		{record.Record{Header: record.Header{Type: record.TypeProposal}, Proposal: record.Proposal{Scope: account, By: by, ID: 7, Until: 1_800_000_000e9,
			Before: change.Before, Fields: change.After}}, "propose_limits", "proposal 7, to be decided: two 5\ufffd → 6\ufffd until 2027-01-15T08:00:00Z by alice"},
		{record.Record{Header: record.Header{Type: record.TypeProposal}, Proposal: record.Proposal{Scope: account, By: by, ID: 8, Applied: true,
			Before: change.Before}}, "propose_limits", "proposal 8, in force: two 5\ufffd → unset by alice"},
		{record.Record{Header: record.Header{Type: record.TypeProposal}, Proposal: record.Proposal{Scope: account, By: by, Reason: refused}},
			"propose_limits", "refused with reason 902: 10, limit 5: nothing changes by alice"},
		{record.Record{Header: record.Header{Type: record.TypeDecision}, Decision: record.Decision{Proposal: 7, Approve: true, By: by, Change: change, Reason: refused}},
			"approve_limits", "refused with reason 902: 10, limit 5: proposal 7 by alice"},
		{record.Record{Header: record.Header{Type: record.TypeDecision}, Decision: record.Decision{Proposal: 7, By: by, Change: change}},
			"reject_limits", "proposal 7: two 5\ufffd → 6\ufffd by alice"},
		{record.Record{Header: record.Header{Type: record.TypeDecision}, Decision: record.Decision{Proposal: 7, Approve: true, By: by, Change: change}},
			"approve_limits", "proposal 7: two 5\ufffd → 6\ufffd by alice"},
		{record.Record{Header: record.Header{Type: record.TypeClock}, Clock: record.Clock{Ended: []record.Change{change}}},
			"end_override", "proposal 7 of account demo is over: two 5\ufffd → 6\ufffd"},
		{record.Record{Header: record.Header{Type: record.TypeCountdown}, Countdown: record.Countdown{Scope: account, Timeout: 1}}, "", ""},
		{record.Record{Header: record.Header{Type: record.TypeCancelAll}, CancelAll: record.CancelAll{Scope: record.Scope{Level: 1}, Session: 5,
			Cause: record.CauseDropped, Cancelled: 1}}, "cancel_session", "session 5 ended, 1 cancels sent"},
		{record.Record{Header: record.Header{Type: record.TypeCancelAll}, CancelAll: record.CancelAll{Scope: record.Scope{Level: 1}, Session: 9,
			Cause: record.CauseDropped}}, "", ""},
		{record.Record{Header: record.Header{Type: record.TypeCancelAll}, CancelAll: record.CancelAll{Scope: record.Scope{Level: 1}, Session: core.EverySession,
			Cause: record.CauseDropped, Cancelled: 1}}, "cancel_session", "every session ended with its process, 1 cancels sent"},
		{record.Record{Header: record.Header{Type: record.TypeCancelAll}, CancelAll: record.CancelAll{Scope: account, Cause: record.CauseCountdown, Cancelled: 1}},
			"countdown", "account demo: it was not renewed, 1 cancels sent"},
		{record.Record{Header: record.Header{Type: record.TypeBreach}, Breach: record.Breach{Scope: account, Code: 1701, Unit: 7, Action: 3, Limit: 100,
			Value: 120, Instrument: 1, Price: 99, Cause: 6}}, "breach", "account demo: reason 1701: 120, limit 100; halt, 0 cancels sent"},
		{record.Record{Header: record.Header{Type: record.TypeClock}, Clock: record.Clock{TellsLapse: true,
			Lapsed: record.Lapse{Proposal: 7, Scope: account, By: by}}}, "lapse_limits", "proposal 7 by alice lapsed: nobody decided on it in time"},
		{record.Record{Header: record.Header{Type: record.TypeClock}, Clock: record.Clock{TellsLapse: true}}, "", ""},
	}
	var records []record.Record
	for i := range all {
		records = append(records, all[i].r)
	}
	b := projected(t, records...)
	got := map[uint64]history.Audit{}
	for _, a := range b.Audit {
		got[a.Seq] = a
	}
	for i := range all {
		seq, _ := at(uint64(i + 1))
		if a := got[seq]; a.Action != all[i].action || a.Detail != all[i].audit {
			t.Errorf("entry %d, %s, is\n     %s %q\nwant %s %q", i+1, all[i].r.Type, a.Action, a.Detail, all[i].action, all[i].audit)
		}
	}
	if want := []history.Transfer{{Account: 1, Currency: "USDT", Amount: 1_050_000_000, Balance: 1_050_000_000, By: "alice", Note: "first\ufffd",
		Seq: 4 + 4, Time: testStart + 4 + 4}}; !slices.Equal(b.Transfers, want) {
		t.Errorf("transfers: %+v", b.Transfers)
	}
	if want := []store.TransferTotal{{Account: 1, Currency: "USDT", Amount: 1_050_000_000, Time: testStart + 4 + 4}}; !slices.Equal(b.Totals, want) {
		t.Errorf("totals: %+v", b.Totals)
	}
	scope := history.Scope{Level: 2, Account: 1}
	want := []history.RiskEvent{
		{Kind: history.RiskLimitsChanged, Scope: scope, Account: 1},
		{Kind: history.RiskLimitsChanged, Scope: scope, Account: 1, Value: 1},
		{Kind: history.RiskLimitsChanged, Scope: scope, Account: 1, Value: 1},
		{Kind: history.RiskCountdownEnded, Scope: scope, Account: 1, Cancelled: 1},
		{Kind: history.RiskBreached, Scope: scope, Account: 1, Instrument: 1, Code: 1701, Unit: 7, Limit: 100, Value: 120, Action: 3, Price: 99,
			Note: "halt, 0 cancels sent; by record 6"},
	}
	for i, n := range []uint64{11, 15, 16, 21, 22} {
		want[i].Seq, want[i].Time = at(n)
	}
	checkEvents(t, b.RiskEvents, want)
	for i, o := range b.Orders {
		if !o.PendingCxl || o.Qty != 6 || o.Leg != core.LegLong {
			t.Errorf("order %d: %+v", i+1, o)
		}
	}
}

// A breach cancels what its record says: everything open of its node.
func TestBreachCancels(t *testing.T) {
	order := record.New{Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 100, Qty: 10, Order: 1}
	second := order
	second.Order, second.Instrument = 2, 2
	b := projected(t, record.Record{Header: record.Header{Type: record.TypeNew}, New: order},
		record.Record{Header: record.Header{Type: record.TypeNew}, New: second},
		record.Record{Header: record.Header{Type: record.TypeBreach}, Breach: record.Breach{Scope: record.Scope{Level: 4, Account: 1, Instrument: 2},
			Code: 2601, Action: 2, Cancelled: 1}})
	if len(b.Orders) != 2 || b.Orders[0].PendingCxl || !b.Orders[1].PendingCxl || b.RiskEvents[0].Cancelled != 1 {
		t.Errorf("orders %+v, events %+v", b.Orders, b.RiskEvents)
	}
}
