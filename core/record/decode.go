package record

import (
	"errors"
	"fmt"

	"qcat/core"
)

// Errors of Decode, wrapped with what was wrong.
var (
	ErrVersion   = errors.New("record: unknown version")
	ErrType      = errors.New("record: unknown type")
	ErrMalformed = errors.New("record: malformed")
)

// HeaderLen is the length of a record's header in bytes.
const HeaderLen = 20

// Decode reads one whole record into r, whose other fields are left as they
// were. It accepts exactly the bytes that Append writes.
//
// Errors: ErrVersion, ErrType, ErrMalformed; r is then undefined.
func Decode(b []byte, r *Record) error {
	if len(b) < HeaderLen {
		return fmt.Errorf("%w: %d bytes are shorter than a header", ErrMalformed, len(b))
	}
	if b[0] != Version {
		return fmt.Errorf("%w %d, this program reads %d", ErrVersion, b[0], Version)
	}
	r.Type = Type(b[1])
	flags := le.Uint16(b[2:])
	r.Seq = le.Uint64(b[4:])
	r.Time = core.Nanos(le.Uint64(b[12:]))
	c := cursor{b: b[HeaderLen:]}
	switch r.Type {
	case TypeInstrument:
		c.instrument(&r.Instrument.Definition)
	case TypeAccount:
		r.Account = Account{ID: core.AccountID(c.u32()), Name: c.name()}
	case TypeStrategy:
		r.Strategy = Strategy{ID: core.StrategyID(c.u32()), Account: core.AccountID(c.u32()), Name: c.name()}
	case TypeLimits:
		l := &r.Limits
		*l = Limits{Scope: c.scope(), Fields: c.fields(l.Fields), Before: c.fields(l.Before)}
	case TypeNew:
		c.new(&r.New, flags)
	case TypeCancel:
		c.cancel(&r.Cancel, flags)
	case TypeCancelAll:
		r.CancelAll = CancelAll{Scope: c.scope(), Session: core.SessionID(c.u64()), Cause: Cause(c.u8()), Cancelled: c.u32()}
	case TypeAmend:
		c.amend(&r.Amend, flags)
	case TypeReport:
		c.report(&r.Report)
	case TypeState:
		c.state(&r.State, flags)
	case TypeClock:
		c.clock(&r.Clock, flags)
	case TypeRate:
		r.Rate = Rate{PPM: c.i64(), Currency: c.name()}
	case TypeMark:
		r.Mark = Mark{Instrument: core.InstrumentID(c.u32()), Price: core.Price(c.u64()), Seen: core.Nanos(c.u64()),
			Confirmed: flags&flagConfirmed != 0}
	case TypeRestart:
		r.Restart = Restart{Unknown: c.u32()}
	default:
		if !c.risk(r, flags) {
			return fmt.Errorf("%w %d", ErrType, b[1])
		}
	}
	if c.bad || len(c.b) != 0 || flags != r.flags() {
		return fmt.Errorf("%w: %s record of %d bytes", ErrMalformed, r.Type, len(b))
	}
	return nil
}

// cursor reads fields off the front of b; once it has run short every reading is
// zero and bad is set.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if len(c.b) < n {
		c.bad = true
		c.b = nil
		return nil
	}
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

func (c *cursor) u8() uint8 {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.take(2); b != nil {
		return le.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return le.Uint64(b)
	}
	return 0
}

func (c *cursor) i64() int64 { return int64(c.u64()) }

func (c *cursor) name() string { return string(c.take(int(c.u8()))) }

func (c *cursor) clOrdID() core.ClOrdID {
	id, ok := core.MakeClOrdID(c.take(int(c.u8())))
	c.bad = c.bad || !ok
	return id
}

func (c *cursor) scope() Scope {
	return Scope{Level: c.u8(), Account: core.AccountID(c.u32()), Strategy: core.StrategyID(c.u32()),
		Instrument: core.InstrumentID(c.u32())}
}

func (c *cursor) reason(flags uint16) Reason {
	if flags&flagRefused == 0 {
		return Reason{}
	}
	return Reason{Code: c.u16(), Unit: c.u8(), Scope: c.scope(), Limit: c.i64(), Value: c.i64()}
}

func (c *cursor) outside(flags uint16) Outside {
	o := Outside{Ready: flags&flagReady != 0, QuoteKnown: flags&flagQuote != 0}
	if !o.QuoteKnown {
		return o
	}
	q := &o.Quote
	q.Flags = core.EventFlags(c.u8())
	q.BidPrice = core.Price(c.u64())
	q.AskPrice = core.Price(c.u64())
	q.LastPrice = core.Price(c.u64())
	q.MarkPrice = core.Price(c.u64())
	q.Seq = c.u64()
	q.ExchangeTime = core.Nanos(c.u64())
	q.ReceiveTime = core.Nanos(c.u64())
	q.LastTime = core.Nanos(c.u64())
	q.MarkTime = core.Nanos(c.u64())
	return o
}

func (c *cursor) new(n *New, flags uint16) {
	*n = New{
		ReduceOnly: flags&flagReduceOnly != 0,
		Duplicate:  flags&flagDuplicate != 0,

		CancelOnDrop: flags&flagDrop != 0,
		Closing:      flags&flagClosing != 0,

		Account:    core.AccountID(c.u32()),
		Strategy:   core.StrategyID(c.u32()),
		Instrument: core.InstrumentID(c.u32()),
		Side:       core.Side(c.u8()),
		Type:       core.OrdType(c.u8()),
		TIF:        core.TimeInForce(c.u8()),
		Leg:        core.Leg(c.u8()),
		Session:    core.SessionID(c.u64()),
		Less:       core.Qty(c.u64()),
		Price:      core.Price(c.u64()),
		Qty:        core.Qty(c.u64()),
		ExpireTime: core.Nanos(c.u64()),
		Order:      core.OrderID(c.u64()),
		ClOrdID:    c.clOrdID(),
		Outside:    c.outside(flags),
		Reason:     c.reason(flags),
	}
}

func (c *cursor) cancel(x *Cancel, flags uint16) {
	*x = Cancel{
		Sent:    flags&flagSent != 0,
		Cause:   Cause(c.u8()),
		Account: core.AccountID(c.u32()),
		Order:   core.OrderID(c.u64()),
		Found:   core.OrderID(c.u64()),
		ClOrdID: c.clOrdID(),
		Reason:  c.reason(flags),
	}
}

func (c *cursor) amend(a *Amend, flags uint16) {
	*a = Amend{
		Account: core.AccountID(c.u32()),
		Order:   core.OrderID(c.u64()),
		Price:   core.Price(c.u64()),
		Qty:     core.Qty(c.u64()),
		Found:   core.OrderID(c.u64()),
		ClOrdID: c.clOrdID(),
		Outside: c.outside(flags),
		Reason:  c.reason(flags),
	}
}

func (c *cursor) report(p *Report) {
	*p = Report{
		Report: core.ExecReport{
			Type:        core.ExecType(c.u8()),
			Liquidity:   core.Liquidity(c.u8()),
			FeeIn:       core.FeeCurrency(c.u8()),
			VenueCode:   c.u16(),
			Instrument:  core.InstrumentID(c.u32()),
			Order:       core.OrderID(c.u64()),
			VenueExecID: c.u64(),
			LastPx:      core.Price(c.u64()),
			LastQty:     core.Qty(c.u64()),
			Fee:         core.Notional(c.u64()),
			Price:       core.Price(c.u64()),
			Qty:         core.Qty(c.u64()),
			Time:        core.Nanos(c.u64()),
		},
		Disposition: Disposition(c.u8()),
		Status:      core.OrdStatus(c.u8()),
		ExecID:      c.u64(),
	}
}

func (c *cursor) state(s *State, flags uint16) {
	*s = State{CancelOpen: flags&flagCancelOpen != 0, Scope: c.scope(), State: c.u8(), Cancelled: c.u32()}
	note := c.text()
	s.NoteLen, s.Note = note.Len, note.B
	s.Reason = c.reason(flags)
}

// fields reads limits into the memory of to.
func (c *cursor) fields(to []LimitField) []LimitField {
	to = to[:0]
	for n := c.u16(); n > 0 && !c.bad; n-- {
		f := LimitField{ID: c.u16(), Value: c.i64()}
		if k := len(to); k > 0 && to[k-1].ID >= f.ID {
			c.bad = true
		}
		to = append(to, f)
	}
	return to
}

func (c *cursor) instrument(in *core.Instrument) {
	*in = core.Instrument{ID: core.InstrumentID(c.u32()), Kind: core.ContractKind(c.u8()),
		PriceScale: c.u8(), QtyScale: c.u8(), SettleScale: c.u8()}
	for _, v := range instrumentNumbers(in) {
		*v = c.i64()
	}
	in.Venue, in.Symbol, in.Base, in.Quote, in.Settle = c.name(), c.name(), c.name(), c.name(), c.name()
}

// instrumentNumbers are the int64 fields of an instrument in recorded order.
func instrumentNumbers(in *core.Instrument) [16]*int64 {
	return [16]*int64{
		&in.ContractSize,
		(*int64)(&in.TickSize), (*int64)(&in.MinPrice), (*int64)(&in.MaxPrice),
		(*int64)(&in.StepSize), (*int64)(&in.MinQty), (*int64)(&in.MaxQty),
		(*int64)(&in.MarketStepSize), (*int64)(&in.MarketMinQty), (*int64)(&in.MarketMaxQty),
		(*int64)(&in.MinNotional), (*int64)(&in.MaxNotional),
		&in.BidCollarUp, &in.BidCollarDown, &in.AskCollarUp, &in.AskCollarDown,
	}
}
