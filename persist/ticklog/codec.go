package ticklog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"qcat/core"
)

// Errors of Decode, wrapped with what was wrong.
var (
	ErrVersion   = errors.New("ticklog: unknown version")
	ErrType      = errors.New("ticklog: unknown type")
	ErrMalformed = errors.New("ticklog: malformed")
)

// Lengths in bytes: of the header, and of each type's whole record.
const (
	HeaderLen = 20
	TradeLen  = HeaderLen + 45
	QuoteLen  = HeaderLen + 60
	MarkLen   = HeaderLen + 28
	GapLen    = HeaderLen + 25
)

// quoteFlags are the flags a quote's record may carry, at their own bits.
const quoteFlags = core.FlagStale | core.FlagCrossed

var le = binary.LittleEndian

// Append appends the binary form of r. Header.Type must be a known type, and
// Gap.Reason a known reason. Flags of a quote other than stale and crossed are
// not written.
func (r *Record) Append(dst []byte) []byte {
	dst = append(dst, Version, byte(r.Type))
	dst = le.AppendUint16(dst, r.flags())
	dst = le.AppendUint64(dst, r.Seq)
	dst = le.AppendUint64(dst, uint64(r.Time))
	switch r.Type {
	case TypeTrade:
		t := &r.Trade
		dst = le.AppendUint32(dst, uint32(t.Instrument))
		dst = append(dst, byte(t.Side))
		dst = le.AppendUint64(dst, uint64(t.Price))
		dst = le.AppendUint64(dst, uint64(t.Qty))
		dst = le.AppendUint64(dst, t.ID)
		dst = le.AppendUint64(dst, uint64(t.ExchangeTime))
		return le.AppendUint64(dst, uint64(t.ReceiveTime))
	case TypeQuote:
		q := &r.Quote
		dst = le.AppendUint32(dst, uint32(q.Instrument))
		dst = le.AppendUint64(dst, uint64(q.BidPrice))
		dst = le.AppendUint64(dst, uint64(q.BidQty))
		dst = le.AppendUint64(dst, uint64(q.AskPrice))
		dst = le.AppendUint64(dst, uint64(q.AskQty))
		dst = le.AppendUint64(dst, q.UpdateID)
		dst = le.AppendUint64(dst, uint64(q.ExchangeTime))
		return le.AppendUint64(dst, uint64(q.ReceiveTime))
	case TypeMark:
		m := &r.Mark
		dst = le.AppendUint32(dst, uint32(m.Instrument))
		dst = le.AppendUint64(dst, uint64(m.Price))
		dst = le.AppendUint64(dst, uint64(m.ExchangeTime))
		return le.AppendUint64(dst, uint64(m.ReceiveTime))
	case TypeGap:
		g := &r.Gap
		dst = append(dst, byte(g.Reason))
		dst = le.AppendUint64(dst, g.Lost)
		dst = le.AppendUint64(dst, uint64(g.From))
		return le.AppendUint64(dst, uint64(g.To))
	default:
		panic("ticklog: unknown type")
	}
}

// flags are the header's.
func (r *Record) flags() uint16 {
	if r.Type == TypeQuote {
		return uint16(r.Quote.Flags & quoteFlags)
	}
	return 0
}

// bodyLen is the length of a type's record, 0 when there is no such type.
func bodyLen(t Type) int {
	switch t {
	case TypeTrade:
		return TradeLen
	case TypeQuote:
		return QuoteLen
	case TypeMark:
		return MarkLen
	case TypeGap:
		return GapLen
	}
	return 0
}

// Decode reads one whole record into r, whose other fields are left as they
// were. It accepts exactly the bytes that Append writes.
//
// Errors: ErrVersion, ErrType, ErrMalformed; r is then undefined.
func Decode(b []byte, r *Record) error {
	if len(b) < HeaderLen {
		return fmt.Errorf("%w: %d bytes are shorter than a header", ErrMalformed, len(b))
	}
	if b[0] != Version {
		return fmt.Errorf("%w %d", ErrVersion, b[0])
	}
	r.Type = Type(b[1])
	want := bodyLen(r.Type)
	if want == 0 {
		return fmt.Errorf("%w %d", ErrType, b[1])
	}
	if len(b) != want {
		return fmt.Errorf("%w: %s record of %d bytes, not %d", ErrMalformed, r.Type, len(b), want)
	}
	flags := le.Uint16(b[2:])
	r.Seq = le.Uint64(b[4:])
	r.Time = core.Nanos(le.Uint64(b[12:]))
	r.body(b[HeaderLen:], flags)
	if flags != r.flags() {
		return fmt.Errorf("%w: %s record with flags %#x", ErrMalformed, r.Type, flags)
	}
	if r.Type == TypeGap && r.Gap.Reason.String() == "unknown" {
		return fmt.Errorf("%w: gap of unknown reason %d", ErrMalformed, r.Gap.Reason)
	}
	return nil
}

// body reads what follows the header; b has the type's length.
func (r *Record) body(b []byte, flags uint16) {
	switch r.Type {
	case TypeTrade:
		r.Trade = Trade{
			Instrument:   core.InstrumentID(le.Uint32(b)),
			Side:         core.Side(b[4]),
			Price:        core.Price(le.Uint64(b[5:])),
			Qty:          core.Qty(le.Uint64(b[13:])),
			ID:           le.Uint64(b[21:]),
			ExchangeTime: core.Nanos(le.Uint64(b[29:])),
			ReceiveTime:  core.Nanos(le.Uint64(b[37:])),
		}
	case TypeQuote:
		r.Quote = Quote{
			Flags:        core.EventFlags(flags),
			Instrument:   core.InstrumentID(le.Uint32(b)),
			BidPrice:     core.Price(le.Uint64(b[4:])),
			BidQty:       core.Qty(le.Uint64(b[12:])),
			AskPrice:     core.Price(le.Uint64(b[20:])),
			AskQty:       core.Qty(le.Uint64(b[28:])),
			UpdateID:     le.Uint64(b[36:]),
			ExchangeTime: core.Nanos(le.Uint64(b[44:])),
			ReceiveTime:  core.Nanos(le.Uint64(b[52:])),
		}
	case TypeMark:
		r.Mark = Mark{
			Instrument:   core.InstrumentID(le.Uint32(b)),
			Price:        core.Price(le.Uint64(b[4:])),
			ExchangeTime: core.Nanos(le.Uint64(b[12:])),
			ReceiveTime:  core.Nanos(le.Uint64(b[20:])),
		}
	case TypeGap:
		r.Gap = Gap{
			Reason: GapReason(b[0]),
			Lost:   le.Uint64(b[1:]),
			From:   core.Nanos(le.Uint64(b[9:])),
			To:     core.Nanos(le.Uint64(b[17:])),
		}
	}
}
