package engine

import (
	"errors"
	"fmt"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// run takes one command and reports whether it is done with: only a report and a
// clock tick that the journal has no room for are not, and come again.
func (e *Engine) run(c *Command, now core.Nanos) bool {
	e.stats.Commands.bump()
	if c.Kind == CmdCancel && e.defers(c) {
		return true
	}
	return e.runNow(c, now)
}

func (e *Engine) runNow(c *Command, now core.Nanos) bool {
	if c.Kind == CmdCheck {
		e.check(c, now)
		return true
	}
	if c.Kind == CmdState && len(e.unsaved) > 0 {
		return e.runUnrecorded(c) // recorded now, it would be undone by an older one
	}
	if e.sequence(c, now) == nil {
		return true
	}
	return e.runUnrecorded(c)
}

// errNotTaken is why sequence leaves a command alone: the journal is not tried.
var errNotTaken = fmt.Errorf("engine: not taken: %w", ErrFull)

// sequence decides on c, appends its record and applies it. On an error nothing
// has changed.
func (e *Engine) sequence(c *Command, now core.Nanos) error {
	if e.failed != nil {
		return e.failed
	}
	if e.restart {
		return errNotTaken // the journal did not take the restart yet
	}
	if e.orphaned && (c.Kind == CmdNew || c.Kind == CmdAmend) {
		return errNotTaken // orders of sessions that are gone come first
	}
	if len(e.unsaved)+e.breaches.passed > 0 && (c.Kind == CmdNew || c.Kind == CmdAmend) {
		return errNotTaken // a kill switch that is not recorded yet comes first
	}
	r := &e.rec
	r.Header = record.Header{Seq: e.m.seq + 1, Time: max(now, e.m.now)}
	if !e.input(c, r) {
		return nil
	}
	e.sample++
	if e.sample%StageSample == 0 {
		return e.sequenceTimed(c, r)
	}
	e.m.decide(r)
	if e.clashes(r) {
		return e.preventSelfTrade(c, now)
	}
	if err := e.append(r); err != nil {
		return err
	}
	e.m.apply(r, e.buf)
	e.answer(c, r)
	e.follow(r)
	e.takeBreaches(r.Time)
	return nil
}

// sequenceTimed is the same with the clock read between the stages.
func (e *Engine) sequenceTimed(c *Command, r *record.Record) error {
	start := e.cfg.Clock.Now()
	if c.Received != 0 {
		e.stats.RingWait.Record(int64(start - c.Received))
	}
	e.m.decide(r)
	if e.clashes(r) {
		return e.preventSelfTrade(c, r.Time)
	}
	decided := e.cfg.Clock.Now()
	err := e.append(r)
	e.stats.Risk.Record(int64(decided - start))
	e.stats.Journal.Record(int64(e.cfg.Clock.Now() - decided))
	if err != nil {
		return err
	}
	e.m.apply(r, e.buf)
	e.answer(c, r)
	e.follow(r)
	e.takeBreaches(r.Time)
	return nil
}

// clashes reports whether a new order would trade with one's own and nothing was done
// about it yet.
func (e *Engine) clashes(r *record.Record) bool {
	return r.Type == record.TypeNew && e.m.clash.mode != 0 && !e.resolving
}

// append hands the record to the journal.
func (e *Engine) append(r *record.Record) error {
	e.buf = r.Append(e.buf[:0])
	seq, err := e.journal.Append(e.buf)
	if err == nil && seq != r.Seq {
		err = fmt.Errorf("%w: appended as %d what is record %d", ErrJournal, seq, r.Seq)
	}
	full := errors.Is(err, ErrFull)
	if err != nil && !full {
		e.fail(err)
		return err
	}
	if full != e.full {
		e.full = full
		e.setHealth()
	}
	return err
}

// input fills the record's input from the command and from outside. It returns
// false for a kind that is not a command.
func (e *Engine) input(c *Command, r *record.Record) bool {
	switch c.Kind {
	case CmdNew:
		r.Type = record.TypeNew
		e.inputNew(c, &r.New)
	case CmdAmend:
		r.Type = record.TypeAmend
		r.Amend = record.Amend{Account: c.Account, Order: c.Order, ClOrdID: c.ClOrdID, Price: c.Price, Qty: c.Qty}
		if t := e.m.find(c.Account, c.Order, &c.ClOrdID); t != nil {
			e.readOutside(t.order.Instrument, &r.Amend.Outside)
		}
	case CmdCancel:
		r.Type = record.TypeCancel
		r.Cancel = record.Cancel{Account: c.Account, Order: c.Order, ClOrdID: c.ClOrdID, Cause: c.Cause}
	case CmdCancelAll:
		r.Type = record.TypeCancelAll
		r.CancelAll = record.CancelAll{Scope: scopeToRecord(e.m.normalScope(c.Scope)), Session: c.Session, Cause: c.cause()}
	case CmdCountdown:
		r.Type = record.TypeCountdown
		r.Countdown = record.Countdown{Scope: scopeToRecord(e.m.normalScope(c.Scope)), Timeout: c.Timeout}
	case CmdReport:
		r.Type = record.TypeReport
		r.Report = record.Report{Report: c.Report}
	case CmdState:
		r.Type = record.TypeState
		r.State = record.State{Scope: scopeToRecord(e.m.normalScope(c.Scope)), State: uint8(c.State),
			CancelOpen: c.CancelOpen, NoteLen: c.Note.n, Note: c.Note.b}
	case CmdClock:
		r.Type = record.TypeClock
		r.Clock = record.Clock{TellsLapse: true, Ended: r.Clock.Ended[:0]}
	default:
		return false
	}
	return true
}

func (e *Engine) inputNew(c *Command, n *record.New) {
	*n = record.New{
		Account: c.Account, Strategy: c.Strategy, Instrument: c.Instrument,
		Side: c.Side, Type: c.Type, TIF: c.TIF, Leg: c.Leg, ReduceOnly: c.ReduceOnly,
		Price: c.Price, Qty: c.Qty, ExpireTime: c.ExpireTime, ClOrdID: c.ClOrdID,
		Less: c.less, Session: c.Session, CancelOnDrop: c.CancelOnDrop || (c.Session != 0 && e.m.dropsByDefault(c.Account, c.Strategy)),
	}
	n.Closing = c.closing
	e.readOutside(c.Instrument, &n.Outside)
}

// readOutside is the one place where the order lane looks at the market and at
// a gateway.
func (e *Engine) readOutside(id core.InstrumentID, o *record.Outside) {
	o.Ready = e.gatewayReady(id)
	if !e.cfg.Quotes.Load(id, &e.quote) {
		return
	}
	o.QuoteKnown = true
	q := &e.quote
	o.Quote = core.Quote{BidPrice: q.BidPrice, AskPrice: q.AskPrice, LastPrice: q.LastPrice, MarkPrice: q.MarkPrice,
		Seq: q.Seq, ExchangeTime: q.ExchangeTime, ReceiveTime: q.ReceiveTime, LastTime: q.LastTime, MarkTime: q.MarkTime, Flags: q.Flags}
}

// answer stages the reply to a command whose record was applied.
func (e *Engine) answer(c *Command, r *record.Record) {
	e.count(r)
	if c.Reply == 0 {
		return
	}
	reply := e.stageReply(c, r.Seq)
	reply.Seq = r.Seq
	switch r.Type {
	case record.TypeNew:
		reply.Duplicate, reply.Less = r.New.Duplicate, r.New.Less
		reply.Reason = reasonFromRecord(&r.New.Reason)
		if e.m.target != nil {
			reply.Order = e.m.target.order
		} else {
			reply.Order = e.m.refusedOrder(&r.New)
		}
	case record.TypeAmend:
		reply.Reason = reasonFromRecord(&r.Amend.Reason)
	case record.TypeCancel:
		reply.Reason = reasonFromRecord(&r.Cancel.Reason)
	case record.TypeCancelAll:
		reply.Cancelled = int(r.CancelAll.Cancelled)
	case record.TypeCountdown:
		reply.Reason = reasonFromRecord(&r.Countdown.Reason)
		if reply.Reason.OK() && r.Countdown.Timeout > 0 {
			reply.Deadline = r.Time + r.Countdown.Timeout
		}
	case record.TypeState:
		reply.Reason = reasonFromRecord(&r.State.Reason)
		reply.Cancelled = int(r.State.Cancelled)
	case record.TypeClock:
		reply.Cancelled = int(r.Clock.Expired)
	default:
	}
	if (r.Type == record.TypeAmend || r.Type == record.TypeCancel) && e.m.target != nil {
		reply.Order = e.m.target.order
	}
}

// stageReply stages an answer that is released once seq is committed.
func (e *Engine) stageReply(c *Command, seq uint64) *Reply {
	s := e.m.out.replies.push()
	*s = stagedReply{to: c.Reply, seq: seq, reply: Reply{Kind: c.Kind, Token: c.Token}}
	return &s.reply
}

// stopReason is why no order can be taken whatever its terms.
func (e *Engine) stopReason() (risk.Reason, bool) {
	switch {
	case e.failed != nil:
		return risk.Reason{Code: risk.Halted, Scope: risk.Scope{Level: risk.LevelFirm}}, true
	case e.full || e.restart || e.orphaned || len(e.unsaved)+e.breaches.passed > 0:
		return risk.Reason{Code: risk.Capacity}, true
	}
	return risk.Reason{}, false
}
