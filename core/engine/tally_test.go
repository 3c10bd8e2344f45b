package engine

import (
	"testing"

	"qcat/core"
	"qcat/risk"
)

// tallied are the counts that are not zero.
type tallied struct {
	accepted, refused, duplicate, shed uint64
}

func (h *harness) tally(r Request) tallied {
	t := &h.e.stats.Tally
	return tallied{t.Orders(r, Accepted), t.Orders(r, Refused), t.Orders(r, Duplicate), t.Orders(r, Shed)}
}

func (h *harness) refusals(code risk.Code) uint64 {
	h.t.Helper()
	i, ok := code.Index()
	if !ok {
		h.t.Fatalf("%d is no code", code)
	}
	return h.e.stats.Tally.Refusals(i)
}

// Every order, amend and cancel is counted once, by what became of it and why.
func TestTally(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.CommandRing, c.PriorityRing = 16, 16 })
	id := h.order(core.Buy, 9990, 10)
	again := h.limit(core.Buy, 9990, 10, "twice")
	h.ask(again)
	h.ask(again) // the same terms: its first answer
	again.Qty = 11
	h.wantCode(h.ask(again), risk.DuplicateOrder)
	h.ask(Command{Kind: CmdCheck, Account: h.account.ID, Strategy: h.strategy.ID, Instrument: h.btc.ID, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: 1, Qty: 1})
	if got, want := h.tally(RequestNew), (tallied{accepted: 2, refused: 1, duplicate: 1}); got != want {
		t.Errorf("new orders %+v, want %+v", got, want)
	}
	h.wantCode(h.ask(Command{Kind: CmdAmend, Account: h.account.ID, Order: id, Qty: 20}), risk.OK)
	h.wantCode(h.ask(Command{Kind: CmdAmend, Account: h.account.ID, Order: id, Qty: 30}), risk.AmendPending)
	h.wantCode(h.cancel(id+100), risk.UnknownOrder)
	h.wantCode(h.cancel(id), risk.OK)
	if got, want := h.tally(RequestAmend), (tallied{accepted: 1, refused: 1}); got != want {
		t.Errorf("amends %+v, want %+v", got, want)
	}
	if got, want := h.tally(RequestCancel), (tallied{accepted: 1, refused: 1}); got != want {
		t.Errorf("cancels %+v, want %+v", got, want)
	}
	for _, code := range risk.Codes() {
		want := uint64(0)
		switch code {
		case risk.DuplicateOrder, risk.AmendPending, risk.UnknownOrder:
			want = 1
		}
		if n := h.refusals(code); n != want {
			t.Errorf("%s: %d refusals, want %d", code, n, want)
		}
	}
}

// What finds no room in its ring is shed, and counted by what it was.
func TestTallyOfWhatIsShed(t *testing.T) {
	h := newHarness(t, func(c *Config) { c.CommandRing, c.PriorityRing = 16, 16 })
	order := h.limit(core.Buy, 9990, 1, "")
	for h.e.Submit(&order) {
	}
	for _, kind := range []CommandKind{CmdNew, CmdAmend, CmdAmend, CmdCheck} {
		c := order
		if c.Kind = kind; h.e.Submit(&c) {
			t.Fatal("there was room")
		}
	}
	for h.e.Submit(&Command{Kind: CmdCancel, Order: 1}) {
	}
	for request, want := range map[Request]uint64{RequestNew: 2, RequestAmend: 2, RequestCancel: 1} {
		if got := h.tally(request).shed; got != want {
			t.Errorf("%s: %d shed, want %d", request, got, want)
		}
	}
}

// While the journal takes nothing, orders are refused and cancels carried out, and both
// are counted.
func TestTallyWithoutAJournal(t *testing.T) {
	h := newHarness(t)
	id := h.order(core.Buy, 9990, 10)
	h.journal.refuse = func([]byte) bool { return true }
	h.wantCode(h.ask(h.limit(core.Buy, 9990, 1, "")), risk.Capacity)
	h.wantCode(h.cancel(id), risk.OK)
	if got, want := h.tally(RequestNew), (tallied{accepted: 1, refused: 1}); got != want || h.refusals(risk.Capacity) != 1 {
		t.Errorf("new orders %+v, want %+v; %d for want of room", got, want, h.refusals(risk.Capacity))
	}
	if got, want := h.tally(RequestCancel), (tallied{accepted: 1}); got != want {
		t.Errorf("cancels %+v, want %+v", got, want)
	}
}
