package risk

import "qcat/core"

// score is what a node has won or lost, and how that stands against its limits. It
// lies beside the node, not in it: an order's check does not read it.
//
// Profit and loss of a node is the sum over its instruments of exact cash, the value
// of the position at the instrument's last confirmed mark, less fees and funding, in
// the risk currency. Each instrument's is rounded down: against us.
type score struct {
	pnl  int64
	open int64 // pnl when the day began
	peak int64 // the highest pnl since the beginning, or since a person resumed it

	day    int32                // the day that open is of; see Tree.dayOf
	streak int32                // losing round trips in a row
	over   [2]int32             // marks in a row that said that loss and drawdown are crossed
	by     [2]core.InstrumentID // whose marks they are; 0: the next mark's
	acted  uint8                // bit per tripKind: its breach was queued, and nothing has cleared it
	cause  uint8                // 1 + the tripKind whose breach set the node's state; 0: a person
	slot   uint32               // of what is known of its trips; 0: nothing
	flow   uint32               // of its recent fills; 0: nobody counts them
}

// tally is the score of an instrument's node with what it is made of.
type tally struct {
	score
	cash core.Int128 // exact, in the units of core.Position.Cash
	cost int64       // fees and funding paid, at SettleScale
	// What cash and cost were, or would have been had it been flat, when the present
	// round trip began.
	startCash core.Int128
	startCost int64
	next      int64 // pnl that is being tried; no state
}

// scores are the scores of all nodes, in the order of the nodes. Those of pairs lie
// in Tree.pairs, those of instruments firm-wide in the instruments.
type scores struct {
	now        core.Nanos // the latest time that the tree was told
	began      bool       // something has been filled
	midnight   core.Nanos // once it began: the next beginning of somebody's day
	firm       score
	accounts   []score
	strategies []score
}

// seat is a node with its score and its place.
type seat struct {
	n  *node
	sc *score
	at ScopeCursor
}

// grow gives every account and strategy a score.
func (t *Tree) growScores() {
	s := &t.scores
	for len(s.accounts) < len(t.accounts) {
		s.accounts = append(s.accounts, score{})
	}
	for len(s.strategies) < len(t.strategies) {
		s.strategies = append(s.strategies, score{})
	}
}

// score returns the tally of a slot.
func (p *pairs) tally(slot uint32) *tally { return &p.tallies[slot/pairChunk][slot%pairChunk] }

// place returns where the node of a resolved scope stands, and whether it exists.
func (t *Tree) place(s Scope) (ScopeCursor, bool) {
	switch {
	case s.Level == LevelFirm:
		return ScopeCursor{sectionFirm, 0}, true
	case s.Level == LevelAccount:
		return ScopeCursor{sectionAccounts, uint32(s.Account)}, true
	case s.Level == LevelStrategy:
		return ScopeCursor{sectionStrategies, uint32(s.Strategy)}, true
	case s.Strategy != 0:
		slot := t.pairs.find(strategyPairKey(s.Strategy, s.Instrument))
		return ScopeCursor{sectionPairs, slot}, slot != 0
	case s.Account != 0:
		slot := t.pairs.find(accountPairKey(s.Account, s.Instrument))
		return ScopeCursor{sectionPairs, slot}, slot != 0
	}
	return ScopeCursor{sectionInstruments, uint32(s.Instrument)}, true
}

// seat returns the node at a place that exists.
func (t *Tree) seat(at ScopeCursor) seat {
	switch at.section {
	case sectionFirm:
		return seat{&t.firm.node, &t.scores.firm, at}
	case sectionAccounts:
		return seat{&t.accounts[at.index].node, &t.scores.accounts[at.index], at}
	case sectionStrategies:
		return seat{&t.strategies[at.index].node, &t.scores.strategies[at.index], at}
	case sectionInstruments:
		x := &t.instruments[at.index]
		return seat{&x.firm.node, &x.tally.score, at}
	}
	return seat{&t.pairs.at(at.index).node, &t.pairs.tally(at.index).score, at}
}

// parentAt returns the place of the account or strategy that a pair belongs to.
func parentAt(p *pair) ScopeCursor {
	section := uint8(sectionAccounts)
	if p.key&strategyKey != 0 {
		section = sectionStrategies
	}
	return ScopeCursor{section, uint32(p.key>>32) & maxID}
}

// accountOf returns the account that a place belongs to; 0 for the firm's.
func (t *Tree) accountOf(at ScopeCursor) uint32 {
	if at.section == sectionPairs {
		at = parentAt(t.pairs.at(at.index))
	}
	switch at.section {
	case sectionAccounts:
		return at.index
	case sectionStrategies:
		return t.strategies[at.index].owner
	}
	return 0
}

// worthOf is the profit and loss of an instrument's node that holds q after cash and
// cost, at a price: each term in the risk currency, rounded against us. A coin amount
// of an inverse instrument is worth the price times the rate of the quote currency.
func (x *instrument) worthOf(cash core.Int128, cost int64, q core.Qty, mark core.Price) (int64, bool) {
	in := x.in
	coin, scale := int64(1), int(in.PriceScale)+int(in.QtyScale)
	held := core.Int128{}
	if in.Kind == core.Inverse {
		coin, scale = int64(mark), 24+int(in.PriceScale)
		held = core.MulInt64(-int64(q), in.ContractSize)
	} else {
		var ok bool
		if cash, ok = cash.Add(core.MulInt64(int64(q), int64(mark))); !ok {
			return 0, false
		}
	}
	const ppmScale = 6
	shift := ppmScale - ValueScale
	won, ok1 := cash.Scaled(coin, x.ppm, scale+shift)
	spent, ok2 := int64(0), true
	if cost != 0 {
		scale = int(in.SettleScale)
		if in.Kind == core.Inverse {
			scale += int(in.PriceScale)
		}
		spent, ok2 = core.Int128From(cost).Neg().Scaled(coin, x.ppm, scale+shift)
	}
	face, ok3 := int64(0), true
	if in.Kind == core.Inverse {
		face, ok3 = held.Scaled(1, x.ppm, int(in.QtyScale)+shift)
	}
	v, ok4 := add64(won, spent)
	v, ok5 := add64(v, face)
	return v, ok1 && ok2 && ok3 && ok4 && ok5
}

// gains moves a pair and what it belongs to by the profit that was tried.
func gains(pair *tally, parent *score) {
	parent.pnl += pair.next - pair.pnl
	pair.pnl = pair.next
}

// rises remembers the best moment.
func (s *score) rises() { s.peak = max(s.peak, s.pnl) }
