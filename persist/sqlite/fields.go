package sqlite

import (
	"database/sql/driver"
	"fmt"

	"qcat/core"
	"qcat/core/history"
)

// fields walks the columns of a row, in one of three ways: it collects their names,
// takes the row's values as arguments of a statement, or sets the row from what a
// query returned. A table is described once, by a function that names each column
// and its field, so that writing and reading cannot disagree.
type fields struct {
	mode  fieldMode
	names []string            // naming
	args  []driver.NamedValue // taking: slots of this row; Ordinal is set already
	vals  []any               // setting: what the query returned
	at    int                 // next of args or vals
	err   error               // setting: the first value that the column cannot hold
}

type fieldMode uint8

const (
	naming fieldMode = iota
	taking
	setting
)

// take stores v in the next argument.
func (f *fields) take(v driver.Value) {
	f.args[f.at].Value = v
	f.at++
}

// next returns the next value of the query's row.
func (f *fields) next() any {
	f.at++
	return f.vals[f.at-1]
}

// wrong remembers that column name holds what it cannot.
func (f *fields) wrong(name string, v any) {
	if f.err == nil {
		f.err = fmt.Errorf("column %s holds %T %v", name, v, v)
	}
}

// number is a column of integers. Unsigned ones are stored with the same bits.
func number[T ~int64 | ~uint64 | ~uint32 | ~uint16 | ~uint8](f *fields, name string, p *T) {
	switch f.mode {
	case naming:
		f.names = append(f.names, name)
	case taking:
		f.take(int64(*p))
	case setting:
		v := f.next()
		n, ok := v.(int64)
		if *p = T(n); !ok || int64(*p) != n {
			f.wrong(name, v)
		}
	}
}

// flag is a column of 0 and 1.
func flag(f *fields, name string, p *bool) {
	var n uint8
	if *p {
		n = 1
	}
	number(f, name, &n)
	*p = n != 0
}

// text is a column of strings.
func text(f *fields, name string, p *string) {
	switch f.mode {
	case naming:
		f.names = append(f.names, name)
	case taking:
		f.take(*p)
	case setting:
		v := f.next()
		s, ok := v.(string)
		if *p = s; !ok {
			f.wrong(name, v)
		}
	}
}

// wide is a 128-bit number in two columns.
func wide(f *fields, name string, p *core.Int128) {
	number(f, name+"_hi", &p.Hi)
	number(f, name+"_lo", &p.Lo)
}

// clOrdID is a column of client order ids.
func clOrdID(f *fields, name string, p *core.ClOrdID) {
	var s string
	if f.mode == taking {
		s = p.String()
	}
	text(f, name, &s)
	if f.mode == setting {
		var ok bool
		if *p, ok = core.MakeClOrdID(s); !ok {
			f.wrong(name, s)
		}
	}
}

// scope is the four columns of a node of the limit tree.
func scope(f *fields, p *history.Scope) {
	number(f, "scope_level", &p.Level)
	number(f, "scope_account", &p.Account)
	number(f, "scope_strategy", &p.Strategy)
	number(f, "scope_instrument", &p.Instrument)
}
