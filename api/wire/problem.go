package wire

import (
	"strconv"

	"qcat/core"
	"qcat/risk"
)

// ProblemType is the content type of a refusal (RFC 9457).
const ProblemType = "application/problem+json"

// Codes of problems that are neither a risk.Code nor an Error's.
const (
	CodeOverloaded  = "overloaded"          // the command ring is full: try again later
	CodeNotFound    = "not_found"           // no such resource
	CodeUnavailable = "unavailable"         // the part that would answer is not running
	CodeHistory     = "history_unavailable" // the store that would answer does not, or has not caught up
	CodeNoAuth      = "auth.unavailable"    // this server has no identities
)

// Problem is a refusal or failure that is not a risk.Reason.
type Problem struct {
	Status int    // HTTP status
	Code   string // stable
	Title  string // the same for all problems of this code
	Detail string // this one, for a person
	Field  string // the request's field it is about, "" if none
}

// AppendProblem appends {"type","title","status","code","detail"[,"field"]}.
func AppendProblem(dst []byte, p *Problem) []byte {
	dst = appendProblemHead(dst, p.Status, p.Code, p.Title)
	dst = appendKeyString(dst, `,"detail":`, p.Detail)
	if p.Field != "" {
		dst = appendKeyString(dst, `,"field":`, p.Field)
	}
	return append(dst, '}')
}

// AppendErrorProblem appends the problem of a request that was not understood.
func AppendErrorProblem(dst []byte, e *Error) []byte {
	status := 400
	if e.Kind == TooLarge {
		status = 413
	}
	dst = appendProblemHead(dst, status, e.Code(), "The request was not understood")
	dst = appendErrorMembers(dst, e)
	return append(dst, '}')
}

func appendErrorMembers(dst []byte, e *Error) []byte {
	var text [512]byte
	dst = appendKeyString(dst, `,"detail":`, view(e.AppendDetail(text[:0])))
	if name := e.FieldName(); name != "" {
		dst = appendKeyString(dst, `,"field":`, name)
	}
	return dst
}

// ReasonStatus is the HTTP status of a refusal: 404 for what does not exist, 422
// otherwise.
func ReasonStatus(c risk.Code) int {
	if c == risk.UnknownOrder || c == risk.UnknownProposal {
		return 404
	}
	return 422
}

// AppendReasonProblem appends the problem of a refusal. in is the instrument of
// the order, whose scales limit and value are in; nil if there is none.
func AppendReasonProblem(dst []byte, d Names, in *core.Instrument, r *risk.Reason) []byte {
	dst = appendProblemHead(dst, ReasonStatus(r.Code), r.Code.String(), "The request was refused")
	dst = appendReasonMembers(dst, d, in, r)
	return append(dst, '}')
}

// AppendReason appends a refusal without the HTTP parts:
// {"code","detail","limit","value","unit","scope"}.
func AppendReason(dst []byte, d Names, in *core.Instrument, r *risk.Reason) []byte {
	dst = appendKeyString(dst, `{"code":`, r.Code.String())
	dst = appendReasonMembers(dst, d, in, r)
	return append(dst, '}')
}

// AppendUnresolvedProblem appends the problem of a request whose names or numbers
// could not be resolved, and returns its status.
func AppendUnresolvedProblem(dst []byte, d Names, res *Resolution) ([]byte, int) {
	if !res.Error.OK() {
		return AppendErrorProblem(dst, &res.Error), 400
	}
	dst = appendProblemHead(dst, ReasonStatus(res.Reason.Code), res.Reason.Code.String(), "The request was refused")
	return append(appendUnresolvedMembers(dst, d, res), '}'), ReasonStatus(res.Reason.Code)
}

// AppendUnresolved is AppendUnresolvedProblem without the HTTP parts.
func AppendUnresolved(dst []byte, d Names, res *Resolution) []byte {
	if !res.Error.OK() {
		return AppendError(dst, &res.Error)
	}
	dst = appendKeyString(dst, `{"code":`, res.Reason.Code.String())
	return append(appendUnresolvedMembers(dst, d, res), '}')
}

// InstrumentsHint stands behind the name of an instrument that there is not.
const InstrumentsHint = ": they are named venue:symbol, and GET /api/v1/instruments lists them"

// appendUnresolvedMembers names what nobody knows: value is the name, limit null.
func appendUnresolvedMembers(dst []byte, d Names, res *Resolution) []byte {
	var what string
	switch res.Reason.Code {
	case risk.UnknownAccount:
		what = "account"
	case risk.UnknownStrategy:
		what = "strategy"
	case risk.UnknownInstrument:
		what = "instrument"
	default:
		return appendReasonMembers(dst, d, res.Instrument, &res.Reason)
	}
	name := view(res.Unknown)
	dst = appendEscaped(append(append(append(dst, `,"detail":"no `...), what...), ' '), name)
	if res.Reason.Code == risk.UnknownInstrument {
		dst = append(dst, InstrumentsHint...)
	}
	dst = appendKeyString(append(dst, '"'), `,"limit":null,"value":`, name)
	dst = appendKeyString(dst, `,"scope":{"level":`, what)
	if len(res.Within) > 0 {
		dst = appendKeyString(dst, `,"account":`, view(res.Within))
	}
	dst = append(append(append(dst, `,"`...), what...), `":`...)
	return append(AppendString(dst, name), '}')
}

// AppendError appends what is wrong with a request, without the HTTP parts:
// {"code","detail"[,"field"]}.
func AppendError(dst []byte, e *Error) []byte {
	dst = appendKeyString(dst, `{"code":`, e.Code())
	dst = appendErrorMembers(dst, e)
	return append(dst, '}')
}

func appendProblemHead(dst []byte, status int, code, title string) []byte {
	dst = append(dst, `{"type":"urn:qcat:problem:`...)
	dst = appendEscaped(dst, code)
	dst = append(dst, '"')
	dst = appendKeyString(dst, `,"title":`, title)
	dst = appendKeyInt(dst, `,"status":`, int64(status))
	return appendKeyString(dst, `,"code":`, code)
}

// appendReasonMembers appends ,"detail":… and, where the reason has them, limit,
// value, unit and scope.
func appendReasonMembers(dst []byte, d Names, in *core.Instrument, r *risk.Reason) []byte {
	if in == nil {
		in = instrumentOf(d, r.Scope.Instrument)
	}
	dst = append(dst, `,"detail":"`...)
	dst = appendReasonDetail(dst, d, in, r)
	dst = append(dst, '"')
	switch {
	case r.Code == risk.Halted:
		dst = append(dst, `,"limit":"active","value":"halted","unit":"state"`...)
	case r.Code == risk.Reducing:
		dst = append(dst, `,"limit":"active","value":"reducing","unit":"state"`...)
	case r.Unit != risk.UnitNone:
		dst = append(dst, `,"limit":"`...)
		dst = appendAmount(dst, in, r.Unit, r.Limit)
		dst = append(dst, `","value":"`...)
		dst = appendAmount(dst, in, r.Unit, r.Value)
		dst = append(dst, `","unit":"`...)
		dst = append(dst, unitName(r.Unit)...)
		dst = append(dst, '"')
	}
	switch {
	case r.Scope.Level != risk.LevelNone:
		dst = AppendScope(append(dst, `,"scope":`...), d, r.Scope)
	case r.Unit != risk.UnitNone && in != &noInstrument:
		// No node of the limit tree refused, but the venue's own rule.
		dst = append(dst, `,"scope":{"level":"venue","instrument":`...)
		dst = append(appendInstrumentName(dst, in), '}')
	}
	return dst
}

// unitName is what "unit" says: price, qty and notional are in the instrument's
// decimals, value is in the risk currency, amount in a currency of the account, ratio
// is a plain number (0.02 is 2 %, 10 is tenfold).
func unitName(u risk.Unit) string {
	switch u {
	case risk.UnitPrice:
		return "price"
	case risk.UnitQty:
		return "qty"
	case risk.UnitNotional:
		return "notional"
	case risk.UnitValue:
		return "value"
	case risk.UnitNanos:
		return "ns"
	case risk.UnitPPM, risk.UnitTimes:
		return "ratio"
	case risk.UnitAmount:
		return "amount"
	case risk.UnitMode:
		return "mode"
	case risk.UnitAction:
		return "action"
	default:
		return "count"
	}
}

// appendReasonDetail appends a sentence such as
// "max_notional at account demo: 1500.00 against a limit of 1000.00".
func appendReasonDetail(dst []byte, d Names, in *core.Instrument, r *risk.Reason) []byte {
	dst = appendEscaped(dst, r.Code.String())
	switch r.Scope.Level {
	case risk.LevelFirm:
		dst = append(dst, " at the firm"...)
	case risk.LevelAccount:
		dst = appendEscaped(append(dst, " at account "...), accountName(d, r.Scope.Account))
	case risk.LevelStrategy:
		dst = appendEscaped(append(dst, " at strategy "...), accountName(d, r.Scope.Account))
		dst = appendEscaped(append(dst, '/'), strategyName(d, r.Scope.Strategy))
	case risk.LevelInstrument:
		scoped := instrumentOf(d, r.Scope.Instrument)
		dst = appendEscaped(append(dst, " at instrument "...), scoped.Venue)
		dst = appendEscaped(append(dst, ':'), scoped.Symbol)
		if r.Scope.Account != 0 {
			dst = appendEscaped(append(dst, " of "...), accountName(d, r.Scope.Account))
		}
		if r.Scope.Strategy != 0 {
			dst = appendEscaped(append(dst, '/'), strategyName(d, r.Scope.Strategy))
		}
	}
	if r.Unit != risk.UnitNone {
		dst = append(dst, ": "...)
		if r.Code == risk.InvalidOrder && r.Unit == risk.UnitNanos {
			return append(dst, "expire_time is not in the future"...)
		}
		dst = appendForPeople(dst, in, r.Unit, r.Value)
		dst = append(dst, against(r.Code)...)
		return appendForPeople(dst, in, r.Unit, r.Limit)
	}
	if text := plainReason(r.Code); text != "" {
		dst = append(append(dst, ": "...), text...)
	}
	return dst
}

// against is what stands between the value and the limit of a refusal.
func against(c risk.Code) string {
	switch c {
	case risk.PriceTick, risk.QtyStep:
		return " is not a multiple of "
	case risk.MinQty, risk.MinNotional:
		return " is less than "
	}
	return " against a limit of "
}

// appendForPeople appends an amount as a sentence has it: nanoseconds as a period,
// everything else as the members have it.
func appendForPeople(dst []byte, in *core.Instrument, u risk.Unit, v int64) []byte {
	if u == risk.UnitNanos {
		return u.Append(dst, v, in)
	}
	return appendAmount(dst, in, u, v)
}

// plainReason says what a refusal without numbers means, "" where its code does.
func plainReason(c risk.Code) string {
	switch c {
	case risk.Halted:
		return "no new orders; risk/state tells why"
	case risk.Reducing:
		return "only orders that reduce the position; risk/state tells why"
	case risk.DuplicateOrder:
		return "this client_order_id has been used for an order with other content"
	case risk.UnknownOrder:
		return "no such order, or it is no longer kept"
	case risk.OrderClosed:
		return "the order is no longer open"
	case risk.AmendPending:
		return "an amend or cancel of this order is still on its way"
	case risk.OrderUnconfirmed:
		return "whether the venue has the order is being asked; it can be cancelled"
	case risk.InvalidOrder:
		return "no venue takes this combination of fields"
	case risk.ReduceOnly:
		return "the order would not reduce the position"
	case risk.StaleReference:
		return "there is no fresh price"
	case risk.CrossedReference:
		return "the best bid is not below the best offer"
	case risk.VenueUnavailable:
		return "the venue takes no orders now"
	case risk.SamePerson:
		return "who proposed the change cannot approve it"
	case risk.UnknownProposal:
		return "no change of that number waits: it was decided, or nobody decided it in time"
	case risk.StaleProposal:
		return "the limits of the node are no longer those that the change was proposed for; propose it anew"
	case risk.Capacity:
		return "a bounded table or the journal is full"
	case risk.Restricted:
		return "the instrument is on a restricted list"
	case risk.InstrumentNotPermitted:
		return "the instrument is not on the list of those permitted here"
	case risk.WrongLeg:
		return "position_side is long or short in hedge mode, and both otherwise"
	case risk.NotFlat:
		return "not while something is held or open"
	case risk.NoRate:
		return "its currency has no rate into the risk currency"
	case risk.InvalidSetting:
		return "it makes no sense where it was set"
	}
	return ""
}

// ppmDecimals makes parts per million a plain ratio.
const ppmDecimals = 6

func appendAmount(dst []byte, in *core.Instrument, u risk.Unit, v int64) []byte {
	switch u {
	case risk.UnitPrice:
		return core.AppendDecimal(dst, v, in.PriceScale)
	case risk.UnitQty:
		return core.AppendDecimal(dst, v, in.QtyScale)
	case risk.UnitNotional:
		return core.AppendDecimal(dst, v, in.SettleScale)
	case risk.UnitValue, risk.UnitAmount:
		return core.AppendDecimal(dst, v, risk.ValueScale)
	case risk.UnitPPM, risk.UnitTimes:
		return core.AppendDecimal(dst, v, ppmDecimals)
	case risk.UnitMode, risk.UnitAction:
		return u.Append(dst, v, in)
	}
	return strconv.AppendInt(dst, v, 10)
}

// AppendScope appends {"level"[,"account"][,"strategy"][,"instrument"]}.
func AppendScope(dst []byte, d Names, s risk.Scope) []byte {
	dst = appendKeyString(dst, `{"level":`, s.Level.String())
	if s.Account != 0 {
		dst = appendKeyString(dst, `,"account":`, accountName(d, s.Account))
	}
	if s.Strategy != 0 {
		dst = appendKeyString(dst, `,"strategy":`, strategyName(d, s.Strategy))
	}
	if s.Instrument != 0 {
		dst = append(dst, `,"instrument":`...)
		dst = appendInstrumentName(dst, instrumentOf(d, s.Instrument))
	}
	return append(dst, '}')
}
