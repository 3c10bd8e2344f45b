package wire

import (
	"iter"
	"strconv"

	"qcat/core/engine"
	"qcat/risk"
)

// limits reads {"name":"text","name":null,…} and keeps its inside. What a name stands
// for, and whether it is given twice, is the business of who reads it.
func (d *decoder) limits() ErrorKind {
	if d.peek() != '{' {
		return d.mismatch()
	}
	d.pos++
	start := d.pos
	if d.accept('}') {
		d.r.limits = nil
		return OK
	}
	for {
		name, kind := d.limit()
		switch {
		case kind != OK:
			return kind
		case len(name) == 0:
			return BadValue
		}
		if d.accept(',') {
			continue
		}
		end := d.pos
		if !d.accept('}') {
			return Syntax
		}
		d.r.limits = d.b[start:end]
		return OK
	}
}

// limit steps over one "name":"text" or "name":null and returns the name.
func (d *decoder) limit() (name []byte, kind ErrorKind) {
	if d.peek() != '"' {
		return nil, Syntax
	}
	if name, kind = d.str(); kind != OK {
		return nil, kind
	}
	if !d.accept(':') {
		return nil, Syntax
	}
	d.peek()
	if d.literal("null") {
		return name, OK
	}
	if d.peek() != '"' {
		return nil, d.mismatch()
	}
	text, kind := d.str()
	if kind == OK && len(text) > fields[FieldLimits].maxLen {
		kind = TooLong
	}
	return name, kind
}

// Limits yields the names and texts of the limits that were given, in their order; of
// a null the text is empty. They are valid as long as the request's bytes are.
func (r *Request) Limits() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, text []byte) bool) {
		s := scanner{b: r.limits}
		for s.peek() == '"' {
			name, _ := s.str()
			s.accept(':')
			var text []byte
			if s.peek() == '"' {
				text, _ = s.str()
			} else {
				s.literal("null")
			}
			if !yield(name, text) {
				return
			}
			s.accept(',')
		}
	}
}

// ChangeLimits puts the limits of the request into spec, whose others stay. A name
// that no limit has is refused as an unknown field, one given twice as a duplicate.
func (r *Request) ChangeLimits(spec *risk.Spec) Error {
	seen := make(map[string]bool)
	for name, text := range r.Limits() {
		e := Error{Pos: int(r.pos[FieldLimits])}
		e.setName(name)
		switch {
		case seen[string(name)]:
			e.Kind = DuplicateField
			return e
		case spec.Put(string(name), string(text)) != nil:
			e.Kind = UnknownField
			return e
		}
		seen[string(name)] = true
	}
	return Error{}
}

// appendSpec appends limits as {name:text,…}, the texts as risk.Spec writes and reads
// them.
func appendSpec(dst []byte, d Names, s risk.Scope, ls *risk.Limits) []byte {
	dst = append(dst, '{')
	spec := ls.Spec(d.Instrument(s.Instrument))
	comma := false
	for name, text := range spec.All() {
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = AppendString(dst, name)
		dst = appendKeyString(dst, ":", text)
	}
	return append(dst, '}')
}

// AppendUse appends how much of a limit is used: {"limit","used","max","ratio"}, used
// and max as the limit is written, the ratio as a decimal: 1 is all of it.
func AppendUse(dst []byte, d Names, s risk.Scope, u *risk.Use) []byte {
	in := d.Instrument(s.Instrument)
	dst = appendKeyString(dst, `{"limit":`, u.Limit.String())
	dst = append(u.Unit.Append(append(dst, `,"used":"`...), u.Value, in), '"')
	dst = append(u.Unit.Append(append(dst, `,"max":"`...), u.Max, in), '"')
	dst = appendKeyDecimal(dst, `,"ratio":`, u.PPM, ppmDecimals)
	return append(dst, '}')
}

// AppendLimitsUsed appends a node's own limits and what is used of them:
// {"scope","limits":{name:text,…},"use":[{…}]}, the texts as risk.Spec writes and
// reads them.
func AppendLimitsUsed(dst []byte, d Names, s risk.Scope, ls *risk.Limits, uses []risk.Use) []byte {
	dst = AppendScope(append(dst, `{"scope":`...), d, s)
	dst = appendSpec(append(dst, `,"limits":`...), d, s, ls)
	dst = append(dst, `,"use":[`...)
	for i := range uses {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendUse(dst, d, s, &uses[i])
	}
	return append(dst, `]}`...)
}

// AppendProposal appends a proposed change of limits and what became of it:
// {"id","status","scope","limits":{…},"before":{…},"by"…}. before is what the limits
// were when it was proposed and, of an override that runs, what comes back.
func AppendProposal(dst []byte, d Names, p *engine.Proposal) []byte {
	dst = appendKeyUint(dst, `{"id":`, uint64(p.ID))
	dst = appendKeyString(dst, `,"status":`, p.Status.String())
	dst = AppendScope(append(dst, `,"scope":`...), d, p.Scope)
	dst = appendSpec(append(dst, `,"limits":`...), d, p.Scope, &p.Limits)
	dst = appendSpec(append(dst, `,"before":`...), d, p.Scope, &p.Before)
	if p.Status == engine.ProposalWaiting {
		dst = appendKeyString(dst, `,"loosens":`, p.Loosens.String())
		dst = appendKeyInt(dst, `,"expires":`, int64(p.Expires))
	}
	if p.Until != 0 {
		dst = appendKeyInt(dst, `,"until":`, int64(p.Until))
	}
	dst = appendKeyString(dst, `,"by":`, p.By)
	if p.Note != "" {
		dst = appendKeyString(dst, `,"reason":`, p.Note)
	}
	dst = appendKeyInt(dst, `,"time":`, int64(p.Time))
	return append(strconv.AppendUint(append(dst, `,"seq":`...), p.Seq, 10), '}')
}

// AppendProposalChange appends what became of a proposed change of limits:
// {"kind":"proposal","scope","id","status","by"…}; risk/limits/proposals tells which
// limits it is about.
func AppendProposalChange(dst []byte, d Names, ev *engine.Event) []byte {
	p := &ev.Proposal
	dst = AppendScope(append(dst, `{"kind":"proposal","scope":`...), d, ev.Scope)
	dst = appendKeyUint(dst, `,"id":`, uint64(p.ID))
	dst = appendKeyString(dst, `,"status":`, p.Status.String())
	dst = appendKeyString(dst, `,"by":`, p.By.String())
	if p.Until != 0 {
		dst = appendKeyInt(dst, `,"until":`, int64(p.Until))
	}
	dst = appendKeyString(dst, `,"note":`, ev.Note.String())
	if !ev.Reason.OK() {
		dst = AppendReason(append(dst, `,"reason":`...), d, nil, &ev.Reason)
	}
	return append(dst, '}')
}
