package store

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
)

// The levels and states as docs/format/journal-records.md numbers them.
const (
	levelFirm       = 1
	levelAccount    = 2
	levelStrategy   = 3
	levelInstrument = 4

	stateHalted = 2
)

var stateWords = [...]string{"active", "reducing", "halted"}

// clean makes a text one that every store can keep.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// scope is a recorded scope without ids that nothing was defined by: a request may
// name anything.
func (p *JournalProjection) scope(s *record.Scope) history.Scope {
	account, strategy, instrument := p.defined(s.Account, s.Strategy, s.Instrument)
	return history.Scope{Level: s.Level, Account: account, Strategy: strategy, Instrument: instrument}
}

// defined returns those of the ids that are defined, and 0 for the others.
func (p *JournalProjection) defined(a core.AccountID, s core.StrategyID, in core.InstrumentID) (core.AccountID, core.StrategyID, core.InstrumentID) {
	if _, ok := p.accounts[a]; !ok {
		a = 0
	}
	if _, ok := p.strategies[s]; !ok {
		s = 0
	}
	if p.instruments[in] == nil {
		in = 0
	}
	return a, s, in
}

// orderID is an id as it can be stored: a request may name one that none can have.
func orderID(id core.OrderID) core.OrderID {
	if id > math.MaxInt64 {
		return 0
	}
	return id
}

// riskEvent adds the event of the record in hand: there is one at most.
func (p *JournalProjection) riskEvent(kind history.RiskEventKind) *history.RiskEvent {
	b := &p.batch
	b.RiskEvents = append(b.RiskEvents, history.RiskEvent{Seq: p.rec.Seq, Time: p.rec.Time, Kind: kind})
	return &b.RiskEvents[len(b.RiskEvents)-1]
}

func (p *JournalProjection) refusal(e *history.RiskEvent, r *record.Reason) {
	e.Scope = p.scope(&r.Scope)
	e.Code, e.Unit, e.Limit, e.Value = r.Code, r.Unit, r.Limit, r.Value
}

// subject says whom an event is about.
func (p *JournalProjection) subject(e *history.RiskEvent, a core.AccountID, s core.StrategyID, in core.InstrumentID) {
	e.Account, e.Strategy, e.Instrument = p.defined(a, s, in)
	if e.Instrument != in {
		e.Note = "instrument " + strconv.FormatUint(uint64(in), 10) + " is not defined"
	}
}

// about gives an event the scope that it is about, and its parts as subject.
func (p *JournalProjection) about(e *history.RiskEvent, s *record.Scope) {
	e.Scope = p.scope(s)
	e.Account, e.Strategy, e.Instrument = e.Scope.Account, e.Scope.Strategy, e.Scope.Instrument
}

// terms gives an event prices and quantities, which mean nothing without an
// instrument.
func (p *JournalProjection) terms(e *history.RiskEvent, price core.Price, qty core.Qty) {
	if e.Instrument != 0 {
		e.Price, e.Qty = price, qty
	}
}

// audit adds the entry of the record in hand: there is one at most.
func (p *JournalProjection) audit(action string, s record.Scope, format string, args ...any) {
	p.batch.Audit = append(p.batch.Audit, history.Audit{Seq: p.rec.Seq, Time: p.rec.Time, Action: action,
		Scope: p.scope(&s), Detail: fmt.Sprintf(format, args...)})
}

func (p *JournalProjection) foldState(s *record.State) error {
	word := strconv.Itoa(int(s.State))
	if int(s.State) < len(stateWords) {
		word = stateWords[s.State]
	}
	note := clean(string(s.Note[:s.NoteLen]))
	detail := word
	if s.CancelOpen {
		detail += fmt.Sprintf(", %d cancels sent", s.Cancelled)
	}
	if note != "" {
		detail += ": " + note
	}
	if s.Reason.Code != 0 {
		p.audit("set_state", s.Scope, "%s: %s", p.refused(&s.Reason), detail)
		return nil
	}
	p.audit("set_state", s.Scope, "%s", detail)
	e := p.riskEvent(history.RiskStateChanged)
	p.about(e, &s.Scope)
	e.State, e.Value, e.Note = s.State, int64(s.Cancelled), note
	if !s.CancelOpen {
		return nil
	}
	return p.cancelScope(&s.Scope, s.Cancelled)
}

// reportEvent adds the event of a report that was not what could have happened.
func (p *JournalProjection) reportEvent(kind history.RiskEventKind, c *record.Report) *history.RiskEvent {
	r := &c.Report
	e := p.riskEvent(kind)
	e.Scope.Level, e.Order, e.Code = levelFirm, orderID(r.Order), r.VenueCode
	if o := p.orders[r.Order]; o != nil && o.Status.Open() {
		p.subject(e, o.Account, o.Strategy, o.Instrument)
		e.Side, e.ClOrdID = o.Side, o.ClOrdID
	} else {
		p.subject(e, 0, 0, r.Instrument)
	}
	p.terms(e, r.LastPx, r.LastQty)
	return e
}
