package risk

import "qcat/core"

// standing is what checks ask of an account's money (of the firm's: its equity),
// remembered since it was worked out last: the wallets it follows from lie elsewhere.
// It is derived, no part of the state, and forgotten by whatever changes them.
type standing struct {
	equity   int64  // in the risk currency, cut to 64 bits
	free     int64  // in the wallet of currency, cut to 64 bits
	currency uint32 // of free
	valuing  uint32 // Tree.valuing when equity was worked out; 0: forgotten
	known    bool   // equity can be said
	counted  bool   // free is what the wallet has free
}

// moved forgets what is remembered of an account's money but its equity: margin or
// what orders set aside has changed.
func (t *Tree) moved(a core.AccountID) { t.accounts[a].standing.counted = false }

// gained forgets all that is remembered of an account's money, and of the firm's.
func (t *Tree) gained(a core.AccountID) {
	t.accounts[a].standing = standing{}
	t.firm.standing = standing{}
}

// revalued forgets every equity: a rate has changed.
func (t *Tree) revalued() {
	if t.valuing++; t.valuing != 0 {
		return
	}
	t.valuing = 1 // all numbers have been used: none is remembered
	t.firm.standing = standing{}
	for a := range t.accounts {
		t.accounts[a].standing = standing{}
	}
}

// equity is worthOf cut to 64 bits, worked out when it was forgotten.
func (t *Tree) equity(at int, b *branch, a core.AccountID) (int64, bool) {
	s := &b.standing
	if s.valuing != t.valuing {
		v, known := t.worthOf(at, a)
		s.equity, s.known, s.valuing = narrow(v), known, t.valuing
	}
	return s.equity, s.known
}

// free is what an account has free of a currency, cut to 64 bits, worked out when it
// was forgotten or another currency was asked last.
func (t *Tree) free(b *branch, a core.AccountID, currency uint32) int64 {
	s := &b.standing
	if !s.counted || s.currency != currency {
		s.free = narrow(t.ledger.wallets.at(t.ledger.walletOf(a, currency)).free())
		s.currency, s.counted = currency, true
	}
	return s.free
}
