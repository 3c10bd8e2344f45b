package record

import (
	"encoding/binary"

	"qcat/core"
)

// Flag bits, by record type.
const (
	flagRefused    = 1 << 0 // a Reason follows at the end
	flagReady      = 1 << 1 // New, Amend
	flagQuote      = 1 << 2 // New, Amend: a quote follows
	flagReduceOnly = 1 << 3 // New
	flagDuplicate  = 1 << 4 // New
	flagSent       = 1 << 3 // Cancel
	flagDrop       = 1 << 5 // New: cancelled with its session
	flagClosing    = 1 << 6 // New: the sequencer's own, to close a position
	flagApplied    = 1 << 3 // Proposal
	flagApprove    = 1 << 3 // Decision
	flagCancelOpen = 1 << 3 // State
	flagConfirmed  = 1 << 3 // Mark
	flagTellsLapse = 1 << 3 // Clock: the proposal that lapsed follows at the end
)

var le = binary.LittleEndian

// Append appends the binary form of r. Header.Type must be a known type; names
// are at most 255 bytes, which Directory ensures.
func (r *Record) Append(dst []byte) []byte {
	if r.Type == TypeNew { // the most frequent: without the jumps of two switches
		return appendNew(r.appendHeader(dst, newFlags(&r.New)), &r.New)
	}
	dst = r.appendHeader(dst, r.flags())
	switch r.Type {
	case TypeInstrument:
		return appendInstrument(dst, &r.Instrument.Definition)
	case TypeAccount:
		dst = le.AppendUint32(dst, uint32(r.Account.ID))
		return appendName(dst, r.Account.Name)
	case TypeStrategy:
		dst = le.AppendUint32(dst, uint32(r.Strategy.ID))
		dst = le.AppendUint32(dst, uint32(r.Strategy.Account))
		return appendName(dst, r.Strategy.Name)
	case TypeLimits:
		dst = appendFields(appendScope(dst, &r.Limits.Scope), r.Limits.Fields)
		return appendFields(dst, r.Limits.Before)
	case TypeCancel:
		return appendCancel(dst, &r.Cancel)
	case TypeCancelAll:
		dst = appendScope(dst, &r.CancelAll.Scope)
		dst = append(le.AppendUint64(dst, uint64(r.CancelAll.Session)), byte(r.CancelAll.Cause))
		return le.AppendUint32(dst, r.CancelAll.Cancelled)
	case TypeAmend:
		return appendAmend(dst, &r.Amend)
	case TypeReport:
		return appendReport(dst, &r.Report)
	case TypeState:
		return appendState(dst, &r.State)
	case TypeClock:
		return appendClock(dst, &r.Clock)
	case TypeRate:
		dst = le.AppendUint64(dst, uint64(r.Rate.PPM))
		return appendName(dst, r.Rate.Currency)
	case TypeMark:
		dst = le.AppendUint32(dst, uint32(r.Mark.Instrument))
		return appendInts(dst, int64(r.Mark.Price), int64(r.Mark.Seen))
	case TypeRestart:
		return le.AppendUint32(dst, r.Restart.Unknown)
	default:
		return r.appendRisk(dst)
	}
}

func (r *Record) appendHeader(dst []byte, flags uint16) []byte {
	dst = append(dst, Version, byte(r.Type))
	dst = le.AppendUint16(dst, flags)
	dst = le.AppendUint64(dst, r.Seq)
	return le.AppendUint64(dst, uint64(r.Time))
}

func newFlags(n *New) uint16 {
	return refused(&n.Reason) | outside(&n.Outside) | bit(n.ReduceOnly, flagReduceOnly) |
		bit(n.Duplicate, flagDuplicate) | bit(n.CancelOnDrop, flagDrop) |
		bit(n.Closing, flagClosing)
}

func (r *Record) flags() uint16 {
	switch r.Type {
	case TypeNew:
		return newFlags(&r.New)
	case TypeAmend:
		return refused(&r.Amend.Reason) | outside(&r.Amend.Outside)
	case TypeCancel:
		return refused(&r.Cancel.Reason) | bit(r.Cancel.Sent, flagSent)
	case TypeState:
		return refused(&r.State.Reason) | bit(r.State.CancelOpen, flagCancelOpen)
	case TypeClock:
		return bit(r.Clock.TellsLapse, flagTellsLapse)
	case TypeMark:
		return bit(r.Mark.Confirmed, flagConfirmed)
	case TypeTransfer:
		return refused(&r.Transfer.Reason)
	case TypeMargin:
		return refused(&r.Margin.Reason)
	case TypeCountdown:
		return refused(&r.Countdown.Reason)
	case TypeProposal:
		return refused(&r.Proposal.Reason) | bit(r.Proposal.Applied, flagApplied)
	case TypeDecision:
		return refused(&r.Decision.Reason) | bit(r.Decision.Approve, flagApprove)
	default:
		return 0
	}
}

func bit(set bool, flag uint16) uint16 {
	if set {
		return flag
	}
	return 0
}

func refused(r *Reason) uint16 { return bit(r.Code != 0, flagRefused) }

func outside(o *Outside) uint16 {
	return bit(o.Ready, flagReady) | bit(o.QuoteKnown, flagQuote)
}

func appendNew(dst []byte, n *New) []byte {
	dst = le.AppendUint32(dst, uint32(n.Account))
	dst = le.AppendUint32(dst, uint32(n.Strategy))
	dst = le.AppendUint32(dst, uint32(n.Instrument))
	dst = append(dst, byte(n.Side), byte(n.Type), byte(n.TIF), byte(n.Leg))
	dst = le.AppendUint64(dst, uint64(n.Session))
	dst = le.AppendUint64(dst, uint64(n.Less))
	dst = le.AppendUint64(dst, uint64(n.Price))
	dst = le.AppendUint64(dst, uint64(n.Qty))
	dst = le.AppendUint64(dst, uint64(n.ExpireTime))
	dst = le.AppendUint64(dst, uint64(n.Order))
	dst = appendClOrdID(dst, &n.ClOrdID)
	dst = appendOutside(dst, &n.Outside)
	return appendReason(dst, &n.Reason)
}

func appendCancel(dst []byte, c *Cancel) []byte {
	dst = append(dst, byte(c.Cause))
	dst = le.AppendUint32(dst, uint32(c.Account))
	dst = le.AppendUint64(dst, uint64(c.Order))
	dst = le.AppendUint64(dst, uint64(c.Found))
	dst = appendClOrdID(dst, &c.ClOrdID)
	return appendReason(dst, &c.Reason)
}

func appendAmend(dst []byte, a *Amend) []byte {
	dst = le.AppendUint32(dst, uint32(a.Account))
	dst = le.AppendUint64(dst, uint64(a.Order))
	dst = le.AppendUint64(dst, uint64(a.Price))
	dst = le.AppendUint64(dst, uint64(a.Qty))
	dst = le.AppendUint64(dst, uint64(a.Found))
	dst = appendClOrdID(dst, &a.ClOrdID)
	dst = appendOutside(dst, &a.Outside)
	return appendReason(dst, &a.Reason)
}

func appendReport(dst []byte, p *Report) []byte {
	r := &p.Report
	dst = append(dst, byte(r.Type), byte(r.Liquidity), byte(r.FeeIn))
	dst = le.AppendUint16(dst, r.VenueCode)
	dst = le.AppendUint32(dst, uint32(r.Instrument))
	dst = le.AppendUint64(dst, uint64(r.Order))
	dst = le.AppendUint64(dst, r.VenueExecID)
	dst = le.AppendUint64(dst, uint64(r.LastPx))
	dst = le.AppendUint64(dst, uint64(r.LastQty))
	dst = le.AppendUint64(dst, uint64(r.Fee))
	dst = le.AppendUint64(dst, uint64(r.Price))
	dst = le.AppendUint64(dst, uint64(r.Qty))
	dst = le.AppendUint64(dst, uint64(r.Time))
	dst = append(dst, byte(p.Disposition), byte(p.Status))
	return le.AppendUint64(dst, p.ExecID)
}

func appendState(dst []byte, s *State) []byte {
	dst = appendScope(dst, &s.Scope)
	dst = append(dst, s.State)
	dst = le.AppendUint32(dst, s.Cancelled)
	dst = append(dst, s.NoteLen)
	dst = append(dst, s.Note[:s.NoteLen]...)
	return appendReason(dst, &s.Reason)
}

func appendFields(dst []byte, fields []LimitField) []byte {
	dst = le.AppendUint16(dst, uint16(len(fields)))
	for _, f := range fields {
		dst = le.AppendUint64(le.AppendUint16(dst, f.ID), uint64(f.Value))
	}
	return dst
}

func appendInstrument(dst []byte, in *core.Instrument) []byte {
	dst = le.AppendUint32(dst, uint32(in.ID))
	dst = append(dst, byte(in.Kind), in.PriceScale, in.QtyScale, in.SettleScale)
	for _, v := range instrumentNumbers(in) {
		dst = le.AppendUint64(dst, uint64(*v))
	}
	for _, s := range []*string{&in.Venue, &in.Symbol, &in.Base, &in.Quote, &in.Settle} {
		dst = appendName(dst, *s)
	}
	return dst
}

func appendScope(dst []byte, s *Scope) []byte {
	dst = append(dst, s.Level)
	dst = le.AppendUint32(dst, uint32(s.Account))
	dst = le.AppendUint32(dst, uint32(s.Strategy))
	return le.AppendUint32(dst, uint32(s.Instrument))
}

func appendReason(dst []byte, r *Reason) []byte {
	if r.Code == 0 {
		return dst
	}
	dst = le.AppendUint16(dst, r.Code)
	dst = append(dst, r.Unit)
	dst = appendScope(dst, &r.Scope)
	dst = le.AppendUint64(dst, uint64(r.Limit))
	return le.AppendUint64(dst, uint64(r.Value))
}

func appendOutside(dst []byte, o *Outside) []byte {
	if !o.QuoteKnown {
		return dst
	}
	q := &o.Quote
	dst = append(dst, byte(q.Flags))
	dst = le.AppendUint64(dst, uint64(q.BidPrice))
	dst = le.AppendUint64(dst, uint64(q.AskPrice))
	dst = le.AppendUint64(dst, uint64(q.LastPrice))
	dst = le.AppendUint64(dst, uint64(q.MarkPrice))
	dst = le.AppendUint64(dst, q.Seq)
	dst = le.AppendUint64(dst, uint64(q.ExchangeTime))
	dst = le.AppendUint64(dst, uint64(q.ReceiveTime))
	dst = le.AppendUint64(dst, uint64(q.LastTime))
	return le.AppendUint64(dst, uint64(q.MarkTime))
}

func appendClOrdID(dst []byte, c *core.ClOrdID) []byte {
	dst = append(dst, byte(c.Len()))
	return c.Append(dst)
}

func appendName(dst []byte, s string) []byte {
	if len(s) > 255 {
		panic("record: name longer than 255 bytes")
	}
	dst = append(dst, byte(len(s)))
	return append(dst, s...)
}
