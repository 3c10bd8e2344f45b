package engine

import (
	"qcat/core/record"
	"qcat/risk"
)

// Request is what a client asks of an order.
type Request uint8

const (
	RequestNew Request = iota
	RequestAmend
	RequestCancel // of one order; of whole scopes is control
	NumRequests
)

var requestNames = [NumRequests]string{"new", "amend", "cancel"}

// String returns the name used in metrics.
func (r Request) String() string { return requestNames[r] }

// Outcome is what became of a Request.
type Outcome uint8

const (
	Accepted  Outcome = iota // recorded, or a cancel carried out without a record
	Refused                  // with a reason
	Duplicate                // a new order that was there already: its first answer again
	Shed                     // turned away unseen, because its ring was full
	NumOutcomes
)

var outcomeNames = [NumOutcomes]string{"accepted", "refused", "duplicate", "shed"}

// String returns the name used in metrics.
func (o Outcome) String() string { return outcomeNames[o] }

// Tally counts what became of orders, amends and cancels, and why they were refused.
// The engine's goroutine counts all but Shed, which any goroutine does; any reads.
type Tally struct {
	orders   [NumRequests][NumOutcomes]Counter
	refusals [risk.NumCodes]Counter
}

// Orders is how many requests ended so.
func (t *Tally) Orders(r Request, o Outcome) uint64 { return t.orders[r][o].Load() }

// Refusals is how many requests were refused for the code at that place in risk.Codes.
func (t *Tally) Refusals(index int) uint64 { return t.refusals[index].Load() }

// decided counts a request that was decided on; by the engine's goroutine.
func (t *Tally) decided(r Request, code uint16, duplicate bool) {
	o := Accepted
	switch {
	case code != 0:
		o = Refused
		if i, ok := risk.Code(code).Index(); ok {
			t.refusals[i].bump()
		}
	case duplicate:
		o = Duplicate
	}
	t.orders[r][o].bump()
}

// shed counts a command that found no room, if it is a request; by any goroutine.
func (t *Tally) shed(k CommandKind) {
	if r, ok := requestOf(k); ok {
		t.orders[r][Shed].add(1)
	}
}

func requestOf(k CommandKind) (r Request, ok bool) {
	switch k {
	case CmdNew:
		return RequestNew, true
	case CmdAmend:
		return RequestAmend, true
	case CmdCancel:
		return RequestCancel, true
	}
	return 0, false
}

// count keeps the counters of what was decided.
func (e *Engine) count(r *record.Record) {
	t := &e.stats.Tally
	code := uint16(0)
	switch r.Type {
	case record.TypeNew:
		code = r.New.Reason.Code
		t.decided(RequestNew, code, r.New.Duplicate)
	case record.TypeAmend:
		code = r.Amend.Reason.Code
		t.decided(RequestAmend, code, false)
	case record.TypeCancel:
		code = r.Cancel.Reason.Code
		t.decided(RequestCancel, code, false)
	case record.TypeReport:
		switch {
		case r.Report.ExecID != 0:
			e.stats.Executions.bump()
		case r.Report.Disposition == record.Repeated:
			e.stats.Repeated.bump()
		case r.Report.Disposition == record.Stray:
			e.stats.Stray.bump()
		}
	default:
	}
	if code != 0 {
		e.stats.Refused.bump()
	}
}

// countUnrecorded does so for a request that was answered without a record.
func (e *Engine) countUnrecorded(k CommandKind, reason risk.Reason) {
	if r, ok := requestOf(k); ok {
		e.stats.Tally.decided(r, uint16(reason.Code), false)
	}
}
