package engine

import (
	"slices"
	"testing"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// lapses are the proposals that the journal's clock records say have lapsed, and the
// sequences of those records.
func (h *harness) lapses() (told []record.Lapse, at []uint64) {
	h.t.Helper()
	for rec := range h.journal.Records() {
		var r record.Record
		if err := record.Decode(rec, &r); err != nil {
			h.t.Fatal(err)
		}
		if r.Type != record.TypeClock {
			continue
		}
		if !r.Clock.TellsLapse {
			h.t.Error("a clock record does not tell what lapses")
		}
		if r.Clock.Lapsed.Proposal != 0 {
			told, at = append(told, r.Clock.Lapsed), append(at, r.Seq)
		}
	}
	return told, at
}

// waitingTwo has two people ask for what loosens, at one moment, and an override that
// ends when nobody has decided on either.
func waitingTwo(t *testing.T) (h *harness, want []record.Lapse) {
	h = newHarness(t)
	scope := risk.AccountScope(h.account.ID)
	limits := func(most int64) (l risk.Limits) { l.Set(risk.LimitMaxOpenOrders, most); return l }
	h.e.stop()
	if _, err := h.e.DefineLimits(scope, limits(5)); err != nil {
		t.Fatal(err)
	}
	for i, by := range []string{"anna", "bert"} {
		p, err := h.e.ProposeLimits(scope, limits(50), 0, by, "")
		if err != nil || p.Status != ProposalWaiting || p.ID != uint32(i+1) {
			t.Fatalf("%v, %v", &p, err)
		}
		want = append(want, record.Lapse{Proposal: p.ID, Scope: scopeToRecord(scope), By: record.MakeText(by)})
	}
	until := h.clock.Now() + core.Nanos(ProposalPatience)
	if p, err := h.e.ProposeLimits(scope, limits(4), until, "carl", ""); err != nil || p.Status != ProposalApplied {
		t.Fatalf("%v, %v", &p, err)
	}
	h.e.running = true
	return h, want
}

// Each proposal lapses by a record of its own, after the override that ends then.
func TestEachLapseIsTold(t *testing.T) {
	h, want := waitingTwo(t)
	h.clock.Advance(ProposalPatience - 1)
	h.run()
	if told, _ := h.lapses(); len(told) != 0 {
		t.Fatalf("too early: %+v", told)
	}
	h.drainEvents()
	h.clock.Advance(1)
	h.run()
	if told, _ := h.lapses(); !slices.Equal(told, want) {
		t.Errorf("%+v, want %+v", told, want)
	}
	var status []ProposalStatus
	for _, ev := range h.drainEvents() {
		if ev.Kind == EventProposal {
			status = append(status, ev.Proposal.Status)
		}
	}
	if !slices.Equal(status, []ProposalStatus{ProposalEnded, ProposalExpired, ProposalExpired}) {
		t.Errorf("events %v", status)
	}
	h.checkReplay()
	h.checkRestore()
}

// Fault: kill -9 before, between and after the records of two lapses. Each is told once.
func TestLapsesAreToldOnceOverRestarts(t *testing.T) {
	for durable := range 3 {
		h, want := waitingTwo(t)
		h.run()
		h.journal.hold = true
		h.clock.Advance(ProposalPatience)
		h.run()
		if _, at := h.lapses(); durable > 0 {
			h.journal.committed.Store(at[durable-1])
		}
		h = h.restart().begin()
		if told, _ := h.lapses(); !slices.Equal(told, want) {
			t.Errorf("killed after %d: %+v, want %+v", durable, told, want)
		}
		h.checkReplay()
	}
}

// A clock record of before lapses were told is replayed as it was meant: all that are
// due lapse by it.
func TestRecordsThatTellNoLapseAreReplayed(t *testing.T) {
	h, _ := waitingTwo(t)
	h.clock.Advance(ProposalPatience)
	h.run()
	records := collect(h.journal.Records())
	first := slices.IndexFunc(records, func(rec []byte) bool { return record.Type(rec[1]) == record.TypeClock })
	var r record.Record
	if err := record.Decode(records[first], &r); err != nil || len(r.Clock.Ended) != 1 {
		t.Fatalf("%+v, %v", r.Clock, err)
	}
	r.Clock.TellsLapse = false
	records = append(records[:first:first], r.Append(nil))
	cfg := h.cfg
	cfg.Directory, cfg.Journal, cfg.Gateways = nil, nil, nil
	e := New(cfg)
	if err := e.Recover(slices.Values(records), nil); err != nil || len(e.m.changes.waiting) != 0 || len(e.m.changes.running) != 0 {
		t.Errorf("%d wait, %d run, %v", len(e.m.changes.waiting), len(e.m.changes.running), err)
	}
}
