package record

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"qcat/core"
)

const lastType = TypeRateFrom

// randomRecord fills the body of a record of type t with anything that Append
// accepts.
func randomRecord(rng *rand.Rand, t Type) Record {
	r := Record{Header: Header{Type: t, Seq: rng.Uint64(), Time: core.Nanos(rng.Uint64())}}
	flip := func() bool { return rng.IntN(2) == 0 }
	u32 := rng.Uint32
	scope := func() Scope {
		return Scope{uint8(u32()), core.AccountID(u32()), core.StrategyID(u32()), core.InstrumentID(u32())}
	}
	reason := func() Reason {
		if flip() {
			return Reason{}
		}
		return Reason{uint16(1 + rng.IntN(65535)), uint8(u32()), scope(), int64(rng.Uint64()), int64(rng.Uint64())}
	}
	text := func(n int) string {
		b := make([]byte, rng.IntN(n+1))
		for i := range b {
			b[i] = byte('a' + rng.IntN(26))
		}
		return string(b)
	}
	clOrdID := func() core.ClOrdID {
		id, _ := core.MakeClOrdID(text(core.MaxClOrdIDLen))
		return id
	}
	note := func() Text { return MakeText(text(MaxNoteLen)) }
	i64 := func() int64 { return int64(rng.Uint64()) }
	fields := func() (all []LimitField) {
		for id := range uint16(rng.IntN(20)) {
			all = append(all, LimitField{id * 3, i64()})
		}
		return all
	}
	change := func() Change { return Change{u32(), scope(), fields(), fields()} }
	outside := func() (o Outside) {
		o.Ready = flip()
		if o.QuoteKnown = flip(); o.QuoteKnown {
			o.Quote = core.Quote{BidPrice: core.Price(rng.Int64()), AskPrice: core.Price(rng.Int64()),
				LastPrice: core.Price(rng.Int64()), MarkPrice: core.Price(rng.Int64()), Seq: rng.Uint64(),
				ExchangeTime: core.Nanos(rng.Int64()), ReceiveTime: core.Nanos(rng.Int64()), LastTime: core.Nanos(rng.Int64()),
				MarkTime: core.Nanos(rng.Int64()), Flags: core.EventFlags(u32())}
		}
		return o
	}
	switch t {
	case TypeInstrument:
		in := &r.Instrument.Definition
		*in = core.Instrument{ID: core.InstrumentID(u32()), Venue: text(255), Symbol: text(20), Base: text(5), Quote: text(5),
			Settle: text(5), Kind: core.ContractKind(u32()), PriceScale: uint8(u32()), QtyScale: uint8(u32()), SettleScale: uint8(u32())}
		for _, v := range instrumentNumbers(in) {
			*v = int64(rng.Uint64())
		}
	case TypeAccount:
		r.Account = Account{core.AccountID(u32()), text(64)}
	case TypeStrategy:
		r.Strategy = Strategy{core.StrategyID(u32()), core.AccountID(u32()), text(64)}
	case TypeLimits:
		r.Limits = Limits{scope(), fields(), fields()}
	case TypeNew:
		r.New = New{core.AccountID(u32()), core.StrategyID(u32()), core.InstrumentID(u32()), core.Side(u32()), core.OrdType(u32()),
			core.TimeInForce(u32()), flip(), core.Price(rng.Uint64()), core.Qty(rng.Uint64()), core.Nanos(rng.Uint64()), clOrdID(),
			outside(), core.Leg(u32()), flip(), flip(), core.SessionID(rng.Uint64()), core.Qty(rng.Uint64()), core.OrderID(rng.Uint64()), flip(), reason()}
	case TypeCancel:
		r.Cancel = Cancel{core.AccountID(u32()), core.OrderID(rng.Uint64()), clOrdID(), Cause(u32()), core.OrderID(rng.Uint64()), flip(), reason()}
	case TypeCancelAll:
		r.CancelAll = CancelAll{scope(), core.SessionID(rng.Uint64()), Cause(u32()), u32()}
	case TypeAmend:
		r.Amend = Amend{core.AccountID(u32()), core.OrderID(rng.Uint64()), clOrdID(), core.Price(rng.Uint64()),
			core.Qty(rng.Uint64()), outside(), core.OrderID(rng.Uint64()), reason()}
	case TypeReport:
		r.Report = Report{core.ExecReport{Type: core.ExecType(u32()), Liquidity: core.Liquidity(u32()), VenueCode: uint16(u32()),
			Instrument: core.InstrumentID(u32()), Order: core.OrderID(rng.Uint64()), VenueExecID: rng.Uint64(),
			LastPx: core.Price(rng.Uint64()), LastQty: core.Qty(rng.Uint64()), Fee: core.Notional(rng.Uint64()), FeeIn: core.FeeCurrency(u32()),
			Price: core.Price(rng.Uint64()), Qty: core.Qty(rng.Uint64()), Time: core.Nanos(rng.Uint64())},
			Disposition(u32()), core.OrdStatus(u32()), rng.Uint64()}
	case TypeState:
		r.State = State{Scope: scope(), State: uint8(u32()), CancelOpen: flip(), Cancelled: u32(), Reason: reason()}
		r.State.NoteLen = uint8(copy(r.State.Note[:], text(MaxNoteLen)))
	case TypeClock:
		r.Clock = Clock{Expired: u32()}
		for range rng.IntN(3) {
			r.Clock.Ended = append(r.Clock.Ended, change())
		}
		if r.Clock.TellsLapse = flip(); r.Clock.TellsLapse && flip() {
			r.Clock.Lapsed = Lapse{1 + u32()>>1, scope(), note()}
		}
	case TypeRate:
		r.Rate = Rate{int64(rng.Uint64()), text(10)}
	case TypeMark:
		r.Mark = Mark{core.InstrumentID(u32()), core.Price(rng.Uint64()), core.Nanos(rng.Uint64()), flip()}
	case TypeRestart:
		r.Restart = Restart{u32()}
	case TypeTransfer:
		r.Transfer = Transfer{core.AccountID(u32()), text(10), i64(), note(), note(), i64(), reason()}
	case TypeMargin:
		r.Margin = Margin{MarginKind(u32()), core.Leg(u32()), core.AccountID(u32()), core.InstrumentID(u32()), i64(), note(), i64(), reason()}
	case TypeTiers:
		r.Tiers.Instrument = core.InstrumentID(u32())
		for range rng.IntN(10) {
			r.Tiers.Tiers = append(r.Tiers.Tiers, Tier{i64(), i64(), i64()})
		}
	case TypeFunding:
		r.Funding = Funding{core.InstrumentID(u32()), i64(), core.Price(i64()), u32()}
	case TypeBreach:
		r.Breach = Breach{scope(), uint16(u32()), uint8(u32()), uint8(u32()), i64(), i64(), core.InstrumentID(u32()),
			core.Price(i64()), rng.Uint64(), core.Nanos(i64()), u32()}
	case TypeCountdown:
		r.Countdown = Countdown{scope(), core.Nanos(i64()), reason()}
	case TypeProposal:
		r.Proposal = Proposal{Scope: scope(), Until: core.Nanos(i64()), By: note(), Note: note(), ID: u32(), Applied: flip(), Reason: reason(),
			Fields: fields(), Before: fields()}
	case TypeDecision:
		r.Decision = Decision{u32(), flip(), note(), change(), reason()}
	case TypeRateFrom:
		r.RateFrom = RateFrom{core.InstrumentID(u32()), text(10)}
	}
	return r
}

func TestEveryTypeSurvivesTheRoundTrip(t *testing.T) {
	for typ := Type(1); typ <= lastType; typ++ {
		for seed := range uint64(300) {
			want := randomRecord(rand.New(rand.NewPCG(seed, uint64(typ))), typ)
			b := want.Append(nil)
			var got Record
			if err := Decode(b, &got); err != nil {
				t.Fatalf("%s seed %d: %v", typ, seed, err)
			}
			noEmpty(reflect.ValueOf(&got).Elem())
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s seed %d:\n got %+v\nwant %+v", typ, seed, got, want)
			}
			if again := got.Append(nil); !bytes.Equal(again, b) {
				t.Fatalf("%s seed %d: encoded differently the second time", typ, seed)
			}
		}
	}
}

// noEmpty makes slices without elements nil, wherever they stand in v.
func noEmpty(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			noEmpty(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				noEmpty(f)
			}
		}
	default: // holds none
	}
}

// A record cut or extended anywhere is refused: lengths leave no slack.
func TestDecodeRefusesOtherLengths(t *testing.T) {
	for typ := Type(1); typ <= lastType; typ++ {
		rec := randomRecord(rand.New(rand.NewPCG(1, uint64(typ))), typ)
		b := rec.Append(nil)
		var r Record
		for n := range b {
			if err := Decode(b[:n], &r); err == nil {
				t.Errorf("%s: accepted when cut to %d of %d bytes", typ, n, len(b))
			}
		}
		if err := Decode(append(b, 0), &r); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: one byte more: %v", typ, err)
		}
	}
}

func TestDecodeRefusesWhatAppendDoesNotWrite(t *testing.T) {
	good := (&Record{Header: Header{Type: TypeClock, Seq: 1}}).Append(nil)
	mutate := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	id, _ := core.MakeClOrdID("x")
	badID := (&Record{Header: Header{Type: TypeCancel}, Cancel: Cancel{ClOrdID: id}}).Append(nil)
	badID[len(badID)-1] = ' '
	zeroReason := (&Record{Header: Header{Type: TypeCancel}, Cancel: Cancel{Reason: Reason{Code: 1}}}).Append(nil)
	zeroReason[len(zeroReason)-32] = 0
	limits := (&Record{Header: Header{Type: TypeLimits}, Limits: Limits{Fields: []LimitField{{1, 0}, {2, 0}}}}).Append(nil)
	limits[len(limits)-12] = 1 // before the empty list of those before
	note := (&Record{Header: Header{Type: TypeState}}).Append(nil)
	note[len(note)-1] = MaxNoteLen + 1
	note = append(note, make([]byte, MaxNoteLen+1)...)
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"version", mutate(0, Version+1), ErrVersion},
		{"type 0", mutate(1, 0), ErrType},
		{"type beyond the last", mutate(1, byte(lastType)+1), ErrType},
		{"an unknown flag", mutate(2, 1), ErrMalformed},
		{"a flag in the high byte", mutate(3, 0x80), ErrMalformed},
		{"a client order id with a space", badID, ErrMalformed},
		{"a refusal without a code", zeroReason, ErrMalformed},
		{"a limit named twice", limits, ErrMalformed},
		{"a note that is too long", note, ErrMalformed},
	} {
		var r Record
		if err := Decode(c.b, &r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// The sizes in docs/format/journal-records.md.
func TestDocumentedSizes(t *testing.T) {
	full := Record{New: New{Outside: Outside{QuoteKnown: true}, Reason: Reason{Code: 1}}}
	for _, c := range []struct {
		typ  Type
		r    Record
		want int
	}{
		{TypeNew, Record{}, HeaderLen + 65}, {TypeNew, full, HeaderLen + 65 + 73 + 32},
		{TypeCancel, Record{}, HeaderLen + 22}, {TypeCancelAll, Record{}, HeaderLen + 26},
		{TypeAmend, Record{}, HeaderLen + 37}, {TypeReport, Record{}, HeaderLen + 83},
		{TypeState, Record{}, HeaderLen + 19}, {TypeClock, Record{}, HeaderLen + 6},
		{TypeClock, Record{Clock: Clock{TellsLapse: true}}, HeaderLen + 6 + 4},
		{TypeClock, Record{Clock: Clock{TellsLapse: true, Lapsed: Lapse{Proposal: 1}}}, HeaderLen + 6 + 4 + 13 + 1},
		{TypeLimits, Record{}, HeaderLen + 17}, {TypeAccount, Record{}, HeaderLen + 5},
		{TypeStrategy, Record{}, HeaderLen + 9}, {TypeInstrument, Record{}, HeaderLen + 141},
		{TypeRate, Record{}, HeaderLen + 9}, {TypeMark, Record{}, HeaderLen + 20},
		{TypeRestart, Record{}, HeaderLen + 4}, {TypeTransfer, Record{}, HeaderLen + 23},
		{TypeMargin, Record{}, HeaderLen + 27}, {TypeTiers, Record{}, HeaderLen + 6},
		{TypeTiers, Record{Tiers: Tiers{Tiers: make([]Tier, 2)}}, HeaderLen + 6 + 48},
		{TypeFunding, Record{}, HeaderLen + 24}, {TypeBreach, Record{}, HeaderLen + 65},
		{TypeCountdown, Record{}, HeaderLen + 21}, {TypeProposal, Record{}, HeaderLen + 31},
		{TypeDecision, Record{}, HeaderLen + 26}, {TypeRateFrom, Record{}, HeaderLen + 5},
	} {
		c.r.Type = c.typ
		if got := len(c.r.Append(nil)); got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.typ, got, c.want)
		}
	}
}
