package wire

import (
	"errors"

	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// Directory is where names are looked up. *core.Directory is one.
type Directory interface {
	Names
	InstrumentNamed(string) *core.Instrument
	AccountNamed(string) *core.Account
	StrategyNamed(core.AccountID, string) *core.Strategy
}

// Resolution is what came of turning a Request into an engine.Command: the zero
// value is success, otherwise one of the two says why not.
type Resolution struct {
	Error  Error       // the request is not well formed for this instrument
	Reason risk.Reason // a name that nobody knows: fail closed (I4)
	// Instrument is the one the order is for, nil if not known.
	Instrument *core.Instrument
}

// OK reports whether the command may be submitted.
func (r *Resolution) OK() bool { return r.Error.OK() && r.Reason.OK() }

func refused(c risk.Code) Resolution { return Resolution{Reason: risk.Reason{Code: c}} }

// ResolveOrder fills c with a new order (kind CmdNew). A time in force that is
// not given is gtc for a limit order and ioc for a market order; a strategy that
// is not given is the account's default one.
func (r *Request) ResolveOrder(d Directory, c *engine.Command) Resolution {
	*c = engine.Command{Kind: engine.CmdNew, Side: r.Side, Type: r.Type, TIF: r.TIF,
		ReduceOnly: r.ReduceOnly, ExpireTime: r.ExpireTime, ClOrdID: r.ClOrdID}
	if e := r.checkTerms(); !e.OK() {
		return Resolution{Error: e}
	}
	if c.TIF == 0 {
		c.TIF = core.GTC
		if c.Type == core.Market {
			c.TIF = core.IOC
		}
	}
	if res := r.resolveOwner(d, c); !res.OK() {
		return res
	}
	if c.Strategy == 0 {
		if s := d.StrategyNamed(c.Account, core.DefaultStrategy); s != nil {
			c.Strategy = s.ID
		} else {
			return refused(risk.UnknownStrategy)
		}
	}
	in := d.Instrument(c.Instrument)
	return Resolution{Error: r.scaleTerms(in, c), Instrument: in}
}

// checkTerms holds the fields against one another as far as that needs neither
// names nor limits.
func (r *Request) checkTerms() Error {
	switch {
	case r.Type == core.Limit && !r.Has(FieldPrice):
		return Error{Kind: MissingField, Field: FieldPrice}
	case r.Type == core.Market && r.Has(FieldPrice):
		return Error{Kind: NotForThis, Field: FieldPrice, Pos: int(r.pos[FieldPrice])}
	case r.TIF == core.GTD && !r.Has(FieldExpireTime):
		return Error{Kind: MissingField, Field: FieldExpireTime}
	case r.TIF != core.GTD && r.Has(FieldExpireTime):
		return Error{Kind: NotForThis, Field: FieldExpireTime, Pos: int(r.pos[FieldExpireTime])}
	}
	return Error{}
}

// scaleTerms reads price and quantity in the instrument's scales. A price is
// positive, and so is a quantity.
func (r *Request) scaleTerms(in *core.Instrument, c *engine.Command) Error {
	if r.Has(FieldPrice) {
		v, e := r.scaled(FieldPrice, r.Price, in.PriceScale)
		if !e.OK() {
			return e
		}
		c.Price = core.Price(v)
	}
	if r.Has(FieldQty) {
		v, e := r.scaled(FieldQty, r.Qty, in.QtyScale)
		if !e.OK() {
			return e
		}
		c.Qty = core.Qty(v)
	}
	return Error{}
}

func (r *Request) scaled(f Field, text []byte, scale uint8) (int64, Error) {
	v, err := core.ParseDecimal(text, scale)
	e := Error{Field: f, Pos: int(r.pos[f])}
	switch {
	case err == nil && v > 0:
	case errors.Is(err, core.ErrDecimalPrecision):
		e.Kind = BadPrecision
	case errors.Is(err, core.ErrDecimalSyntax):
		e.Kind = BadValue
	default:
		e.Kind = OutOfRange
	}
	if e.Kind == OK {
		return v, Error{}
	}
	return 0, e
}

// resolveOwner looks up account, strategy and instrument, those that were given.
func (r *Request) resolveOwner(d Directory, c *engine.Command) Resolution {
	if r.Has(FieldAccount) {
		a := d.AccountNamed(view(r.Account))
		if a == nil {
			return refused(risk.UnknownAccount)
		}
		c.Account = a.ID
	}
	if r.Has(FieldStrategy) {
		s := d.StrategyNamed(c.Account, view(r.Strategy))
		if s == nil {
			return refused(risk.UnknownStrategy)
		}
		c.Strategy = s.ID
	}
	if r.Has(FieldInstrument) {
		in := d.InstrumentNamed(view(r.Instrument))
		if in == nil {
			return refused(risk.UnknownInstrument)
		}
		c.Instrument = in.ID
	}
	return Resolution{}
}

// ResolveCancel fills c with the cancel of one order (kind CmdCancel).
func (r *Request) ResolveCancel(d Directory, c *engine.Command) Resolution {
	*c = engine.Command{Kind: engine.CmdCancel, Order: r.OrderID, ClOrdID: r.ClOrdID}
	return r.resolveOwner(d, c)
}

// ResolveCancelAll fills c with the cancel of everything in a scope (kind
// CmdCancelAll): the firm, or what account, strategy and instrument narrow it to.
func (r *Request) ResolveCancelAll(d Directory, c *engine.Command) Resolution {
	*c = engine.Command{Kind: engine.CmdCancelAll}
	if r.Has(FieldStrategy) && !r.Has(FieldAccount) {
		return Resolution{Error: Error{Kind: MissingField, Field: FieldAccount}}
	}
	res := r.resolveOwner(d, c)
	if !res.OK() {
		return res
	}
	c.Scope = risk.Scope{Level: risk.LevelFirm, Account: c.Account, Strategy: c.Strategy, Instrument: c.Instrument}
	switch {
	case c.Instrument != 0:
		c.Scope.Level = risk.LevelInstrument
	case c.Strategy != 0:
		c.Scope.Level = risk.LevelStrategy
	case c.Account != 0:
		c.Scope.Level = risk.LevelAccount
	}
	return Resolution{}
}

// ResolveAmend fills c with the change of one order (kind CmdAmend). in is the
// order's instrument, whose scales the new terms are in: the caller looks the
// order up first.
func (r *Request) ResolveAmend(d Directory, in *core.Instrument, c *engine.Command) Resolution {
	*c = engine.Command{Kind: engine.CmdAmend, Order: r.OrderID, ClOrdID: r.ClOrdID}
	if res := r.resolveOwner(d, c); !res.OK() {
		return res
	}
	return Resolution{Error: r.scaleTerms(in, c), Instrument: in}
}

// ResolveState fills c with a change of trading state (kind CmdState). The scope
// must name what its level needs, and nothing below it.
func (r *Request) ResolveState(d Directory, c *engine.Command) Resolution {
	*c = engine.Command{Kind: engine.CmdState, State: r.State, CancelOpen: r.CancelOpen, Note: engine.MakeNote(string(r.Reason))}
	need, take := scopeFields(r.Level)
	given := r.Set & Fields(FieldAccount, FieldStrategy, FieldInstrument)
	if f := (need &^ given).first(); f != FieldNone {
		return Resolution{Error: Error{Kind: MissingField, Field: f}}
	}
	if f := (given &^ take).first(); f != FieldNone {
		return Resolution{Error: Error{Kind: NotForThis, Field: f, Pos: int(r.pos[f])}}
	}
	res := r.resolveOwner(d, c)
	if !res.OK() {
		return res
	}
	c.Scope = risk.Scope{Level: r.Level, Account: c.Account, Strategy: c.Strategy, Instrument: c.Instrument}
	return Resolution{}
}

// scopeFields says which names a scope of the level needs and may have.
func scopeFields(l risk.Level) (need, take FieldSet) {
	switch l {
	case risk.LevelAccount:
		need = Fields(FieldAccount)
	case risk.LevelStrategy:
		need = Fields(FieldAccount, FieldStrategy)
	case risk.LevelInstrument:
		return Fields(FieldInstrument), Fields(FieldAccount, FieldStrategy, FieldInstrument)
	}
	return need, need
}
