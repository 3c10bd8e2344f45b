package risk

import "qcat/core"

// marginRequired reports whether orders of an account need margin: the firm or the
// account says so.
func (t *Tree) marginRequired(a core.AccountID) bool {
	set := t.profiles[t.firm.profile].set | t.profiles[t.accounts[a].profile].set
	return set&(1<<LimitMarginRequired) != 0
}

// callMargin tells, once, when what answers for a position has fallen below its
// maintenance margin: for cross legs the account's wallet, for an isolated one its own
// margin. Where no margin is required nobody is called. The next call comes after it
// has recovered.
func (t *Tree) callMargin(h *holding) {
	if !t.marginRequired(h.account) {
		return
	}
	w := t.ledger.wallets.at(h.settle)
	b := Breach{Scope: AccountScope(h.account), Code: InsufficientMargin, Unit: UnitAmount, Action: ActionReduce,
		Instrument: h.instrument, Price: t.instruments[h.instrument].marked}
	if called := w.cross().Cmp(w.maintenance) < 0; called != w.called {
		w.called = called
		if b.Limit, b.Value = narrow(w.maintenance), narrow(w.cross()); called {
			t.crossed(b)
		}
	}
	for i := range h.legs {
		l := &h.legs[i]
		answers, ok := add64(l.margin, l.unrealised)
		called := h.isolated && l.Qty != 0 && ok && answers < l.maintenance
		if called == l.called {
			continue
		}
		l.called = called
		b.Scope = InstrumentScope(h.account, 0, h.instrument)
		if b.Limit, b.Value = l.maintenance, answers; called {
			t.crossed(b)
		}
	}
}

// crossed queues a breach for the sequencer to act on.
func (t *Tree) crossed(b Breach) { t.breaches.push(&b) }
