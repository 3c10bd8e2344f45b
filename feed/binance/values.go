package binance

import (
	"errors"
	"math"

	"qcat/core"
)

// text returns the value as the bytes of a string, valid until the next text.
func (r *reader) text(s span) []byte {
	if !s.present() || r.b[s.from] != '"' {
		r.fail(ErrShape)
		return nil
	}
	var t []byte
	t, r.d.scratch = unescape(r.b[s.from+1:s.to-1], r.d.scratch)
	return t
}

// uint returns the value as an unsigned integer.
func (r *reader) uint(s span) uint64 {
	if !s.present() {
		r.fail(ErrShape)
		return 0
	}
	var v uint64
	for _, c := range r.b[s.from:s.to] {
		d := uint64(c - '0')
		if d > 9 || v > (math.MaxUint64-d)/10 {
			r.fail(ErrShape)
			return 0
		}
		v = v*10 + d
	}
	return v
}

// int returns the value as a signed integer.
func (r *reader) int(s span) int64 {
	neg := s.present() && r.b[s.from] == '-'
	if neg {
		s.from++
	}
	v := r.uint(s)
	if v > math.MaxInt64 {
		r.fail(ErrShape)
		return 0
	}
	if neg {
		return -int64(v)
	}
	return int64(v)
}

// millis returns the value, Unix milliseconds, as a time.
func (r *reader) millis(s span) core.Nanos {
	v := r.uint(s)
	if v > maxMillis {
		r.fail(ErrShape)
		return 0
	}
	return core.Nanos(v) * nanosPerMilli
}

func (r *reader) bool(s span) bool {
	switch {
	case s.present() && r.b[s.from] == 't':
		return true
	case s.present() && r.b[s.from] == 'f':
		return false
	}
	r.fail(ErrShape)
	return false
}

func (r *reader) price(s span) core.Price { return core.Price(r.decimal(s, r.l.priceScale)) }
func (r *reader) qty(s span) core.Qty     { return core.Qty(r.decimal(s, r.l.qtyScale)) }

// decimal returns the value, a decimal in a string, as a count of 10^-scale.
func (r *reader) decimal(s span, scale uint8) int64 {
	t := r.text(s)
	if r.err != nil {
		return 0
	}
	v, err := core.ParseDecimal(t, scale)
	if err != nil || v < 0 || t[0] == '-' {
		r.fail(ErrNumber)
		return 0
	}
	return v
}

// rounded returns the value, a decimal in a string that may have more decimals
// than the instrument's prices, rounded half to even.
func (r *reader) rounded(s span) core.Price {
	t := r.text(s)
	if r.err != nil {
		return 0
	}
	v, err := core.ParseDecimal(t, r.l.priceScale)
	if errors.Is(err, core.ErrDecimalPrecision) {
		v, err = r.roundedFrom(t)
	}
	if err != nil || v < 0 || t[0] == '-' {
		r.fail(ErrNumber)
		return 0
	}
	return core.Price(v)
}

// markDecimals is how many decimals the venue computes a mark price with.
const markDecimals = 8

func (r *reader) roundedFrom(t []byte) (int64, error) {
	if r.l.priceScale >= markDecimals {
		return 0, core.ErrDecimalPrecision
	}
	fine, err := core.ParseDecimal(t, markDecimals)
	if err != nil || fine < 0 {
		return fine, err
	}
	v, ok := core.MulDiv(fine, 1, core.Pow10(markDecimals-r.l.priceScale), core.RoundHalfEven)
	if !ok {
		return 0, core.ErrDecimalRange
	}
	return v, nil
}

// levels appends the levels of an array of [price, quantity] to dst. A price of
// 0 is no level.
func (r *reader) levels(s span, dst []core.Level) []core.Level {
	if !s.present() || r.b[s.from] != '[' {
		r.fail(ErrShape)
		return dst
	}
	// The array was checked to be well-formed: only its shape is in question.
	for i := skipSpace(r.b, s.from+1); r.b[i] != ']' && r.err == nil; {
		if r.b[i] != '[' {
			r.fail(ErrShape)
			return dst
		}
		price, next := r.element(i + 1)
		qty, next := r.element(next)
		if r.err != nil || r.b[next-1] != ']' {
			r.fail(ErrShape)
			return dst
		}
		l := core.Level{Price: r.price(price), Qty: r.qty(qty)}
		if l.Price == 0 {
			r.fail(ErrNumber)
		}
		dst = append(dst, l)
		if i = skipSpace(r.b, next); r.b[i] == ',' {
			i = skipSpace(r.b, i+1)
		}
	}
	return dst
}

// element returns the value of an array that stands at or after i, and the
// offset behind the comma or bracket that follows it.
func (r *reader) element(i int) (span, int) {
	i = skipSpace(r.b, i)
	end := skipValue(r.b, i, 0)
	if end < 0 {
		r.fail(ErrShape)
		return span{}, i
	}
	return span{i, end}, skipSpace(r.b, end) + 1
}
