package store

import (
	"errors"
	"fmt"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
)

// Errors of projections.
var (
	// ErrRecord is wrapped when a record cannot be what follows on those before it:
	// it, or the state the projection began with, is not what was written.
	ErrRecord = errors.New("store: record does not fit")
	// ErrLookup is wrapped when an order could not be looked up. Nothing has
	// changed: the same record may be applied again.
	ErrLookup = errors.New("store: looking up an order")
)

// OrderFinder returns an order that is stored and not open any more.
type OrderFinder func(core.OrderID) (history.Order, bool, error)

// JournalProjection makes rows of the order journal's records without deciding
// anything again: the outcomes stand in the records, and this folds them as the
// sequencer did. One goroutine.
//
// It keeps what can still change: open orders, positions, marks and definitions.
// An order that was closed is let go of with its batch; a fill that comes later
// needs it again and asks the OrderFinder, once a fill.
type JournalProjection struct {
	log  LogID
	find OrderFinder
	text Texts
	rec  record.Record
	pos  Position // of the last record applied

	instruments map[core.InstrumentID]*core.Instrument
	accounts    map[core.AccountID]string // names
	strategies  map[core.StrategyID]string

	orders map[core.OrderID]*orderRow // open ones, and those of the batch in hand
	due    dueHeap
	held   heldTable
	totals totalTable
	marks  map[core.InstrumentID]*markRow

	changedOrders []*orderRow
	changedHeld   []*heldRow
	changedTotals []*totalRow
	changedMarks  []*markRow
	batch         Batch
	taken         bool // the batch was handed out and its space may be used again
}

// orderRow is an order and its place in the projection.
type orderRow struct {
	history.Order
	changed bool  // in the batch in hand
	heapAt  int32 // place in the heap of due orders, 1-based; 0: not in it
}

type markRow struct {
	Mark
	changed bool
}

// NewJournalProjection returns a projection that goes on from state, which may be
// of an empty store, with the records of log. find is asked for closed orders.
func NewJournalProjection(log LogID, state *State, find OrderFinder) *JournalProjection {
	p := &JournalProjection{log: log, find: find, pos: state.Position,
		instruments: map[core.InstrumentID]*core.Instrument{}, accounts: map[core.AccountID]string{},
		strategies: map[core.StrategyID]string{}, orders: map[core.OrderID]*orderRow{},
		held: newHeldTable(), totals: newTotalTable(), marks: map[core.InstrumentID]*markRow{}}
	for i := range state.Instruments {
		in := state.Instruments[i]
		p.instruments[in.ID] = &in
	}
	for _, a := range state.Accounts {
		p.accounts[a.ID] = a.Name
	}
	for _, s := range state.Strategies {
		p.strategies[s.ID] = s.Name
	}
	for i := range state.Open {
		o := &orderRow{Order: state.Open[i]}
		p.orders[o.ID] = o
		if o.Due != 0 {
			p.due.push(o)
		}
	}
	for i := range state.Positions {
		p.held.add(&heldRow{Position: state.Positions[i]})
	}
	for _, t := range state.Totals {
		p.totals.add(&totalRow{TransferTotal: t})
	}
	for _, m := range state.Marks {
		p.marks[m.Instrument] = &markRow{Mark: m}
	}
	return p
}

// Tell has limits, reasons and actions told as texts says them, from the next record
// on, in place of their numbers.
func (p *JournalProjection) Tell(texts Texts) { p.text = texts }

// Position is that of the last record applied.
func (p *JournalProjection) Position() Position { return p.pos }

// Rows is how many rows Take would return.
func (p *JournalProjection) Rows() int {
	if p.taken {
		return 0
	}
	return p.batch.Rows() + len(p.changedOrders) + len(p.changedHeld) + len(p.changedTotals) + len(p.changedMarks)
}

// Apply folds the next record. It keeps nothing of rec.
//
// Errors: ErrLookup, after which rec may be applied again; ErrRecord, and record's
// own, after which the projection is of no use.
func (p *JournalProjection) Apply(rec []byte) error {
	r := &p.rec
	if err := record.Decode(rec, r); err != nil {
		return fmt.Errorf("%w: after record %d: %w", ErrRecord, p.pos.Seq, err)
	}
	if r.Seq != p.pos.Seq+1 || r.Time < p.pos.Time {
		return fmt.Errorf("%w: record %d of time %d after record %d of time %d", ErrRecord, r.Seq, r.Time, p.pos.Seq, p.pos.Time)
	}
	late, err := p.lateOrder(r)
	if err != nil {
		return err
	}
	p.begin()
	p.closeMinute(r.Time)
	if err := p.fold(r, late); err != nil {
		return fmt.Errorf("record %d, %s: %w", r.Seq, r.Type, err)
	}
	p.pos = Position{Log: p.log, Seq: r.Seq, Time: r.Time}
	return nil
}

// begin makes the batch empty when the last one has been taken.
func (p *JournalProjection) begin() {
	if !p.taken {
		if p.batch.From == 0 {
			p.batch.From = p.pos.Seq + 1
		}
		return
	}
	p.taken = false
	b := &p.batch
	*b = Batch{Instruments: b.Instruments[:0], Accounts: b.Accounts[:0], Strategies: b.Strategies[:0], Orders: b.Orders[:0],
		Executions: b.Executions[:0], Positions: b.Positions[:0], Marks: b.Marks[:0], Totals: b.Totals[:0], Transfers: b.Transfers[:0], Equity: b.Equity[:0],
		RiskEvents: b.RiskEvents[:0], Audit: b.Audit[:0], From: p.pos.Seq + 1}
}

func (p *JournalProjection) fold(r *record.Record, late *orderRow) error {
	switch r.Type {
	case record.TypeNew:
		return p.foldNew(&r.New)
	case record.TypeCancel:
		return p.foldCancel(&r.Cancel)
	case record.TypeCancelAll:
		return p.foldCancelAll(&r.CancelAll)
	case record.TypeAmend:
		return p.foldAmend(&r.Amend)
	case record.TypeReport:
		return p.foldReport(&r.Report, late)
	case record.TypeState:
		return p.foldState(&r.State)
	case record.TypeClock:
		return p.foldClock(&r.Clock)
	case record.TypeRestart:
		return p.foldRestart(&r.Restart)
	case record.TypeMark:
		p.foldMark(&r.Mark)
	case record.TypeRate:
		p.audit("set_rate", record.Scope{Level: levelFirm}, "1 %s is worth %d ppm", clean(r.Rate.Currency), r.Rate.PPM)
	case record.TypeTransfer, record.TypeMargin, record.TypeTiers, record.TypeFunding, record.TypeRateFrom:
		return p.foldAccount(r)
	case record.TypeBreach:
		return p.foldBreach(&r.Breach)
	case record.TypeProposal:
		p.foldProposal(&r.Proposal)
	case record.TypeDecision:
		p.foldDecision(&r.Decision)
	case record.TypeCountdown: // a switch that is armed, renewed or disarmed leaves no row
	default:
		p.foldDefinition(r)
	}
	return nil
}

// Take returns the rows of the records since it was called last, and nil when
// there was none. The batch is the caller's until the next Apply.
func (p *JournalProjection) Take() *Batch {
	if p.taken || p.batch.From == 0 {
		return nil
	}
	b := &p.batch
	b.Stream, b.Log, b.To, b.Time = Journal, p.log, p.pos.Seq, p.pos.Time
	for _, o := range p.changedOrders {
		b.Orders = append(b.Orders, o.Order)
		o.changed = false
		if !o.Status.Open() {
			delete(p.orders, o.ID)
		}
	}
	for _, h := range p.changedHeld {
		b.Positions = append(b.Positions, h.Position)
		h.changed = false
	}
	for _, t := range p.changedTotals {
		b.Totals = append(b.Totals, t.TransferTotal)
		t.changed = false
	}
	for _, m := range p.changedMarks {
		b.Marks = append(b.Marks, m.Mark)
		m.changed = false
	}
	clear(p.changedOrders)
	p.changedOrders, p.changedHeld = p.changedOrders[:0], p.changedHeld[:0]
	p.changedTotals, p.changedMarks = p.changedTotals[:0], p.changedMarks[:0]
	p.taken = true
	return b
}

func (p *JournalProjection) foldMark(m *record.Mark) {
	row := p.marks[m.Instrument]
	if row == nil {
		row = &markRow{}
		p.marks[m.Instrument] = row
	}
	row.Mark = Mark{Instrument: m.Instrument, Price: m.Price, Time: p.rec.Time}
	if !row.changed {
		row.changed = true
		p.changedMarks = append(p.changedMarks, row)
	}
}

func (p *JournalProjection) foldDefinition(r *record.Record) {
	switch r.Type {
	case record.TypeInstrument:
		in := r.Instrument.Definition
		in.Base, in.Quote, in.Settle = clean(in.Base), clean(in.Quote), clean(in.Settle)
		p.instruments[in.ID] = &in
		p.batch.Instruments = replaced(p.batch.Instruments, in, func(x *core.Instrument) bool { return x.ID == in.ID })
		p.audit("define_instrument", record.Scope{Level: levelInstrument, Instrument: in.ID}, "%s: tick %d, step %d, decimals %d, %d and %d",
			in.Name(), in.TickSize, in.StepSize, in.PriceScale, in.QtyScale, in.SettleScale)
	case record.TypeAccount:
		a := core.Account{ID: r.Account.ID, Name: clean(r.Account.Name)}
		p.accounts[a.ID] = a.Name
		p.batch.Accounts = append(p.batch.Accounts, a)
		p.audit("define_account", record.Scope{Level: levelAccount, Account: a.ID}, "%s", a.Name)
	case record.TypeStrategy:
		s := core.Strategy{ID: r.Strategy.ID, Account: r.Strategy.Account, Name: clean(r.Strategy.Name)}
		p.strategies[s.ID] = s.Name
		p.batch.Strategies = append(p.batch.Strategies, s)
		p.audit("define_strategy", record.Scope{Level: levelStrategy, Account: s.Account, Strategy: s.ID}, "%s", s.Name)
	case record.TypeLimits:
		p.foldLimits(&r.Limits)
	}
}

// replaced returns rows with row in the place of the one that is the same, or at
// the end.
func replaced[R any](rows []R, row R, same func(*R) bool) []R {
	for i := range rows {
		if same(&rows[i]) {
			rows[i] = row
			return rows
		}
	}
	return append(rows, row)
}
