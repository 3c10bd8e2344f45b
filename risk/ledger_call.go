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
// has recovered, or a person has let the node go on (callAgain).
func (t *Tree) callMargin(h *holding) {
	required := t.marginRequired(h.account)
	w := t.ledger.wallets.at(h.settle)
	b := Breach{Scope: AccountScope(h.account), Code: InsufficientMargin, Unit: UnitAmount, Action: ActionReduce,
		Instrument: h.instrument, Price: t.instruments[h.instrument].marked}
	if called := required && w.cross().Cmp(w.maintenance) < 0; called != w.called {
		w.called = called
		if b.Limit, b.Value = narrow(w.maintenance), narrow(w.cross()); called {
			t.crossed(b)
		}
	}
	for i := range h.legs {
		l := &h.legs[i]
		answers := plus(wide(l.margin), wide(l.unrealised))
		called := required && h.isolated && l.Qty != 0 && answers.Cmp(wide(l.maintenance)) < 0
		if called == l.called {
			continue
		}
		l.called = called
		b.Scope = InstrumentScope(h.account, 0, h.instrument)
		if b.Limit, b.Value = l.maintenance, narrow(answers); called {
			t.crossed(b)
		}
	}
}

// callAgain forgets the margin calls of a node that a person lets go on: while there
// is still too little, the next confirmed mark calls again.
func (t *Tree) callAgain(s Scope) {
	g := &t.ledger
	switch {
	case s.Level == LevelAccount && int64(s.Account) < int64(len(g.accounts)):
		for slot := g.accounts[s.Account].wallet; slot != 0; slot = g.wallets.at(slot).next {
			g.wallets.at(slot).called = false
		}
	case s.Level == LevelInstrument && s.Account != 0 && s.Strategy == 0:
		if slot := t.pairs.at(t.pairs.find(accountPairKey(s.Account, s.Instrument))).holding; slot != 0 {
			h := g.holdings.at(slot)
			h.legs[0].called, h.legs[1].called = false, false
		}
	}
}

// crossed queues a breach for the sequencer to act on.
func (t *Tree) crossed(b Breach) { t.breaches.push(&b) }
