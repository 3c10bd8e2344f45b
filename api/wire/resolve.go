package wire

import (
	"bytes"
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
	// Instrument is the one the order is for, nil if not known. Of a refusal it
	// has the decimals that limit and value are in.
	Instrument *core.Instrument
	// Unknown is the name that nobody knows, Within the account of a strategy; parts
	// of the request's bytes.
	Unknown, Within []byte
}

// OK reports whether the command may be submitted.
func (r *Resolution) OK() bool { return r.Error.OK() && r.Reason.OK() }

func unknown(c risk.Code, name []byte) Resolution {
	return Resolution{Reason: risk.Reason{Code: c}, Unknown: name}
}

// ResolveOrder fills c with a new order (kind CmdNew). A time in force that is
// not given is gtc for a limit order and ioc for a market order; a strategy that
// is not given is the account's default one.
func (r *Request) ResolveOrder(d Directory, c *engine.Command) Resolution {
	*c = engine.Command{Kind: engine.CmdNew, Side: r.Side, Type: r.Type, TIF: r.TIF,
		Leg: r.Leg, ReduceOnly: r.ReduceOnly, ExpireTime: r.ExpireTime, ClOrdID: r.ClOrdID}
	if e := r.checkTerms(); !e.OK() {
		return Resolution{Error: e}
	}
	switch {
	case c.Type == core.Market && c.TIF != core.FOK:
		c.TIF = core.IOC // a market order never rests: gtc is taken as ioc
	case c.TIF == 0:
		c.TIF = core.GTC
	}
	if res := r.resolveOwner(d, c); !res.OK() {
		return res
	}
	if c.Strategy == 0 {
		if s := d.StrategyNamed(c.Account, core.DefaultStrategy); s != nil {
			c.Strategy = s.ID
		} else {
			return unknown(risk.UnknownStrategy, []byte(core.DefaultStrategy))
		}
	}
	in := d.Instrument(c.Instrument)
	return r.scaleTerms(in, c)
}

// checkTerms holds the fields against one another as far as that needs neither
// names nor limits.
func (r *Request) checkTerms() Error {
	switch {
	case r.Type == core.Limit && !r.Has(FieldPrice):
		return Error{Kind: MissingField, Field: FieldPrice}
	case r.Type == core.Market && r.Has(FieldPrice):
		return Error{Kind: NotForThis, Field: FieldPrice, Pos: int(r.pos[FieldPrice])}
	case r.Type == core.Market && (r.TIF == core.GTD || r.TIF == core.PostOnly):
		return Error{Kind: NotForThis, Field: FieldTimeInForce, Pos: int(r.pos[FieldTimeInForce])}
	case r.TIF == core.GTD && !r.Has(FieldExpireTime):
		return Error{Kind: MissingField, Field: FieldExpireTime}
	case r.TIF != core.GTD && r.Has(FieldExpireTime):
		return Error{Kind: NotForThis, Field: FieldExpireTime, Pos: int(r.pos[FieldExpireTime])}
	}
	return Error{}
}

// scaleTerms reads price and quantity in the instrument's scales. Both are
// positive. One with more decimals than the instrument has is no multiple of its
// tick or step: a refusal, as any other price off the grid.
func (r *Request) scaleTerms(in *core.Instrument, c *engine.Command) Resolution {
	out := Resolution{Instrument: in}
	if r.Has(FieldPrice) {
		v, err := core.ParseDecimal(r.Price, in.PriceScale)
		if errors.Is(err, core.ErrDecimalPrecision) {
			return r.offTick(in)
		}
		out.Error = r.checkNumber(FieldPrice, v, err)
		c.Price = core.Price(v)
	}
	if out.OK() && r.Has(FieldQty) {
		v, err := core.ParseDecimal(r.Qty, in.QtyScale)
		if errors.Is(err, core.ErrDecimalPrecision) {
			return r.offStep(in)
		}
		out.Error = r.checkNumber(FieldQty, v, err)
		c.Qty = core.Qty(v)
	}
	return out
}

func (r *Request) checkNumber(f Field, v int64, err error) Error {
	switch {
	case err == nil && v > 0:
		return Error{}
	case errors.Is(err, core.ErrDecimalSyntax):
		return Error{Kind: BadValue, Field: f, Pos: int(r.pos[f])}
	}
	return Error{Kind: OutOfRange, Field: f, Pos: int(r.pos[f])}
}

// offTick refuses a price between two representable ones. The reason's numbers
// are in the price's own decimals, and so is the instrument beside them.
func (r *Request) offTick(in *core.Instrument) Resolution {
	fine := *in
	limit, value, ok := refine(r.Price, int64(in.TickSize), &fine.PriceScale)
	if !ok {
		return Resolution{Error: Error{Kind: BadPrecision, Field: FieldPrice, Pos: int(r.pos[FieldPrice])}}
	}
	return Resolution{Instrument: &fine, Reason: risk.Reason{Code: risk.PriceTick, Unit: risk.UnitPrice, Limit: limit, Value: value}}
}

// offStep is offTick of a quantity.
func (r *Request) offStep(in *core.Instrument) Resolution {
	fine := *in
	limit, value, ok := refine(r.Qty, int64(in.StepSize), &fine.QtyScale)
	if !ok {
		return Resolution{Error: Error{Kind: BadPrecision, Field: FieldQty, Pos: int(r.pos[FieldQty])}}
	}
	return Resolution{Instrument: &fine, Reason: risk.Reason{Code: risk.QtyStep, Unit: risk.UnitQty, Limit: limit, Value: value}}
}

// refine raises scale to the decimals of text and returns unit and text in it;
// false when they do not fit.
func refine(text []byte, unit int64, scale *uint8) (int64, int64, bool) {
	decimals := len(text) - bytes.IndexByte(text, '.') - 1
	if decimals > core.MaxScale {
		return 0, 0, false
	}
	limit, ok := core.MulDiv(unit, core.Pow10(uint8(decimals)-*scale), 1, core.RoundDown)
	value, err := core.ParseDecimal(text, uint8(decimals))
	*scale = uint8(decimals)
	return limit, value, ok && err == nil
}

// resolveOwner looks up account, strategy and instrument, those that were given.
func (r *Request) resolveOwner(d Directory, c *engine.Command) Resolution {
	if r.Has(FieldAccount) {
		a := d.AccountNamed(view(r.Account))
		if a == nil {
			return unknown(risk.UnknownAccount, r.Account)
		}
		c.Account = a.ID
	}
	if r.Has(FieldStrategy) {
		s := d.StrategyNamed(c.Account, view(r.Strategy))
		if s == nil {
			res := unknown(risk.UnknownStrategy, r.Strategy)
			res.Within = r.Account
			return res
		}
		c.Strategy = s.ID
	}
	if r.Has(FieldInstrument) {
		in := d.InstrumentNamed(view(r.Instrument))
		if in == nil {
			return unknown(risk.UnknownInstrument, r.Instrument)
		}
		c.Instrument = in.ID
	}
	return Resolution{}
}

// ResolveInstrument sets the instrument that the request names, if it names one.
func (r *Request) ResolveInstrument(d Directory, c *engine.Command) Resolution {
	return r.resolveOwner(d, c)
}

// Scaled reads a decimal of an account's request, with at most so many decimals, with
// its sign. A field that was not given is 0.
func (r *Request) Scaled(f Field, scale uint8) (int64, Error) {
	var text []byte
	switch f {
	case FieldAmount:
		text = r.Amount
	case FieldLeverage:
		text = r.Leverage
	case FieldRate:
		text = r.Rate
	case FieldPrice:
		text = r.Price
	}
	if !r.Has(f) {
		return 0, Error{}
	}
	v, err := core.ParseDecimal(text, scale)
	kind := OK
	switch {
	case errors.Is(err, core.ErrDecimalPrecision):
		kind = TooFine
	case errors.Is(err, core.ErrDecimalSyntax):
		kind = BadValue
	case err != nil:
		kind = OutOfRange
	}
	if kind != OK {
		return 0, Error{Kind: kind, Field: f, Pos: int(r.pos[f])}
	}
	return v, Error{}
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
	return r.resolveScope(d, c)
}

// ResolveCountdown fills c with a dead man's switch of a scope (kind CmdCountdown),
// which is named as that of a cancel of all.
func (r *Request) ResolveCountdown(d Directory, c *engine.Command) Resolution {
	*c = engine.Command{Kind: engine.CmdCountdown, Timeout: r.Timeout}
	return r.resolveScope(d, c)
}

// resolveScope sets the scope that account, strategy and instrument narrow the firm
// to.
func (r *Request) resolveScope(d Directory, c *engine.Command) Resolution {
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
	return r.scaleTerms(in, c)
}

// ResolveState fills c with a change of trading state (kind CmdState). The scope
// must name what its level needs, and nothing below it.
func (r *Request) ResolveState(d Directory, c *engine.Command) Resolution {
	*c = engine.Command{Kind: engine.CmdState, State: r.State, CancelOpen: r.CancelOpen, Note: engine.MakeNote(string(r.Reason))}
	return r.ResolveScope(d, c)
}

// ResolveScope sets c's scope to the node that scope names the level of, and account,
// strategy and instrument the rest.
func (r *Request) ResolveScope(d Directory, c *engine.Command) Resolution {
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
