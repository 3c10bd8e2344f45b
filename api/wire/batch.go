package wire

// MaxBatchBytes bounds a request that has many orders.
const MaxBatchBytes = 512 << 10

// IsBatch reports whether the body is that of many orders: whether its first field is
// "orders".
func IsBatch(b []byte) bool {
	s := scanner{b: b}
	if !s.accept('{') || s.peek() != '"' {
		return false
	}
	name, kind := s.str()
	return kind == OK && string(name) == batchField
}

const batchField = "orders"

// DecodeBatch reads {"orders":[{…},…]}, 1 to most orders as DecodeOrder reads one, and
// calls each with them in turn; r is used again for the next. An order that is not
// understood ends it with an Error, whose Pos is in the whole of b.
func DecodeBatch(b []byte, most int, r *Request, each func(*Request)) Error {
	if len(b) > MaxBatchBytes {
		return Error{Kind: TooLarge, Pos: MaxBatchBytes}
	}
	d := decoder{scanner: scanner{b: b}, r: r, allow: OrderFields}
	if !IsBatch(b) {
		return Error{Kind: Syntax}
	}
	d.accept('{')
	d.peek()
	d.str()
	if !d.accept(':') {
		return d.fail(Syntax)
	}
	if d.peek() != '[' {
		return d.failBatch(d.mismatch())
	}
	d.pos++
	if d.peek() == ']' {
		return d.failBatch(BadValue)
	}
	for n := 0; ; {
		if n++; n > most {
			return d.failBatch(TooMany)
		}
		if e := d.batchOrder(); !e.OK() {
			return e
		}
		each(r)
		if d.accept(',') {
			continue
		}
		if !d.accept(']') || !d.accept('}') {
			return d.fail(Syntax)
		}
		if d.space(); d.pos != len(b) {
			return Error{Kind: Trailing, Pos: d.pos}
		}
		return Error{}
	}
}

// batchOrder reads one of many orders.
func (d *decoder) batchOrder() Error {
	*d.r, d.seen = Request{}, 0
	d.peek()
	start := d.pos
	if e := d.object(0); !e.OK() {
		return e
	}
	if d.pos-start > MaxOrderBytes {
		return Error{Kind: TooLarge, Pos: start + MaxOrderBytes}
	}
	e := d.r.Check(OrderFields, OrderNeeds)
	if e.Kind == MissingField {
		e.Pos = start
	}
	return e
}

func (d *decoder) failBatch(k ErrorKind) Error {
	e := Error{Kind: k, Pos: d.pos}
	e.setName([]byte(batchField))
	return e
}
