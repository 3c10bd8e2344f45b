package engine

import (
	"hash/crc32"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// machine is the deterministic part: the whole state, and how a record changes
// it. decide reads the state and fills the outcome of a record's input; apply
// changes the state by a decided record and stages what it promises. Nothing
// comes between the two but the journal's append.
type machine struct {
	dir  *core.Directory
	tree *risk.Tree

	// Definitions by id; slot 0 is unused.
	instruments []*core.Instrument
	strategies  []core.AccountID // the account of each
	accounts    int              // the highest id

	orders    orderTable
	expiry    expiryHeap
	own       ownBook     // follows from the open orders
	sessions  sessionBook // as well
	positions positionTable
	states    stateTable
	switches  countdownTable
	changes   limitChanges
	flattens  flattenTable

	seq       uint64     // of the last record applied
	now       core.Nanos // of the last record applied
	lastOrder core.OrderID
	lastExec  uint64
	digest    uint32 // CRC-32C of all records applied, as bytes
	unknown   int    // open orders that are Unknown
	halted    int    // nodes in StateHalted: 0 lets the send path skip looking

	approved risk.Approved // of the record between decide and apply
	target   *entry        // the order of the record between decide and apply
	clash    clash         // of the new order under decision with one's own
	asking   bool          // what would happen is asked, and nothing is done
	out      stage
}

func newMachine(c *Config) *machine {
	return &machine{
		dir: c.Directory, tree: risk.NewTree(c.Risk),
		instruments: make([]*core.Instrument, 1), strategies: make([]core.AccountID, 1),
		orders: newOrderTable(c.MaxOpenOrders, c.KeepClosedOrders),
		own:    newOwnBook(), sessions: newSessionBook(c.MaxOpenOrders), positions: newPositionTable(),
		states: newStateTable(), switches: newCountdownTable(),
		changes: newLimitChanges(), flattens: newFlattenTable(),
	}
}

// decide fills the outcome of r, whose header and input are set. It changes
// nothing that a record is folded into.
func (m *machine) decide(r *record.Record) {
	m.target = nil
	switch r.Type {
	case record.TypeNew:
		m.decideNew(r.Time, &r.New)
	case record.TypeCancel:
		m.decideCancel(&r.Cancel)
	case record.TypeCancelAll:
		m.decideCancelAll(&r.CancelAll)
	case record.TypeAmend:
		m.decideAmend(r.Time, &r.Amend)
	case record.TypeReport:
		m.decideReport(&r.Report)
	case record.TypeState:
		m.decideState(&r.State)
	case record.TypeLimits:
		r.Limits.Before = m.limitFields(scopeOf(&r.Limits.Scope), r.Limits.Before)
	case record.TypeClock:
		r.Clock.Expired = m.countDue(r.Time)
		r.Clock.Ended = m.changes.decideEnds(m.tree, r.Time, r.Clock.Ended[:0])
		if r.Clock.Lapsed = (record.Lapse{}); r.Clock.TellsLapse {
			r.Clock.Lapsed = m.changes.decideLapse(r.Time, r.Clock.Ended)
		}
	case record.TypeRestart:
		r.Restart.Unknown = m.decideRestart()
	case record.TypeCountdown:
		m.decideCountdown(&r.Countdown)
	case record.TypeBreach:
		m.decideBreach(&r.Breach)
	case record.TypeProposal:
		m.decideProposal(r.Time, &r.Proposal)
	case record.TypeDecision:
		m.decideDecision(r.Time, &r.Decision)
	default: // definitions, rates and marks have no outcome
		m.decideAccount(r)
	}
}

// castagnoli is CRC-32C, which processors compute in hardware. It guards against
// mistakes, not against malice: the journal's own protection is the journal's.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// apply folds a decided record, whose bytes are b, into the state.
func (m *machine) apply(r *record.Record, b []byte) {
	m.seq, m.now = r.Seq, r.Time
	m.digest = crc32.Update(m.digest, castagnoli, b)
	m.out.begin(r.Seq, r.Time)
	m.tree.CausedBy(r.Seq, seenOf(r))
	switch r.Type {
	case record.TypeNew:
		m.applyNew(&r.New)
	case record.TypeCancel:
		m.applyCancel(&r.Cancel)
	case record.TypeCancelAll:
		m.applyCancelAll(&r.CancelAll)
	case record.TypeAmend:
		m.applyAmend(&r.Amend)
	case record.TypeReport:
		m.applyReport(&r.Report)
	case record.TypeState:
		m.applyState(&r.State)
	case record.TypeClock:
		m.applyClock(r.Time, &r.Clock)
	case record.TypeRestart:
		m.applyRestart()
	case record.TypeCountdown:
		m.applyCountdown(&r.Countdown)
	case record.TypeBreach:
		m.applyBreach(&r.Breach)
	case record.TypeRate:
		m.tree.SetRate(r.Rate.Currency, r.Rate.PPM)
	case record.TypeProposal:
		m.applyProposal(&r.Proposal)
	case record.TypeDecision:
		m.applyDecision(&r.Decision)
	case record.TypeMark:
		m.tree.Mark(r.Mark.Instrument, r.Mark.Price, r.Mark.Confirmed, r.Time)
	default:
		if !m.applyAccount(r) {
			m.applyDefinition(r)
		}
	}
	m.out.end()
}

// instrument returns the defined instrument of that id, or nil.
func (m *machine) instrument(id core.InstrumentID) *core.Instrument {
	if int64(id) >= int64(len(m.instruments)) {
		return nil
	}
	return m.instruments[id]
}

// find returns the order named by id, or else by account and client order id, if
// it is kept and belongs to account; account 0 may touch any order.
func (m *machine) find(account core.AccountID, id core.OrderID, clOrdID *core.ClOrdID) *entry {
	var e *entry
	switch {
	case id != 0:
		e = m.orders.find(id)
	case clOrdID.Len() > 0:
		e = m.orders.findClOrdID(account, clOrdID)
	}
	if e == nil || (account != 0 && e.order.Account != account) {
		return nil
	}
	return e
}

// settle gives an order its status after a record and, when that ends it, what
// it held back. The entry stays in the open list: the caller closes it once it
// has told of it, because closing may forget it.
func (m *machine) settle(e *entry, status core.OrdStatus) {
	e.order.Status = status
	if status.Open() {
		return
	}
	e.order.PendingCxl, e.order.PendingRepl = false, false
	e.order.NewPrice, e.order.NewQty = 0, 0
	m.setUnknown(e, false)
	m.expiry.remove(&m.orders, e)
	m.own.place(&m.orders, e)
	m.sessions.remove(&m.orders, e)
	m.tree.Release(&e.hold)
}

// send stages a command for the venue of the order's instrument.
func (m *machine) send(op core.VenueOp, o *core.Order) {
	c := m.out.venue()
	*c = commandFor(op, o, m.now)
	if op == core.VenueAmend {
		c.Price, c.Qty = o.NewPrice, o.NewQty
	}
}

// commandFor is a command about an order on its present terms.
func commandFor(op core.VenueOp, o *core.Order, now core.Nanos) core.VenueCommand {
	return core.VenueCommand{
		Op: op, Side: o.Side, Type: o.Type, TIF: o.TIF, Leg: o.Leg, ReduceOnly: o.ReduceOnly,
		Order: o.ID, Account: o.Account, Instrument: o.Instrument,
		Price: o.Price, Qty: o.Qty, ExpireTime: o.ExpireTime, Time: now,
	}
}

// haltFirm is what remains when something happened that cannot be booked.
func (m *machine) haltFirm(note string) {
	firm := risk.Scope{Level: risk.LevelFirm}
	if m.tree.State(firm) != risk.StateHalted {
		m.tree.SetState(firm, risk.StateHalted)
		m.halted++
	}
	m.tellState(firm, risk.StateHalted, MakeNote(note))
}
