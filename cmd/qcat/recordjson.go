package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"qcat/core/record"
	"qcat/risk"
)

// appendRecordJSON appends a record as a JSON object: sequence, time, its type as record, and
// the fields of its type in snake case. Prices, quantities and amounts are the
// integers that stand in the journal; names stand for numbers that have one. What is
// empty or zero is left out.
func appendRecordJSON(dst []byte, r *record.Record) []byte {
	dst = fmt.Appendf(dst, `{"seq":%d,"time":%d,"record":%q`, r.Seq, r.Time, r.Type)
	field := reflect.ValueOf(r).Elem().FieldByName(goName(r.Type.String()))
	if field.IsValid() {
		dst = appendFields(dst, field)
	}
	return append(dst, '}')
}

// goName is the name of a record's field for its type: "cancel_all", CancelAll.
func goName(snake string) string {
	var b strings.Builder
	for _, word := range strings.Split(snake, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// appendFields appends the fields of a struct, those of its unnamed parts among
// them, and leaves out what is empty.
func appendFields(dst []byte, v reflect.Value) []byte {
	for i := range v.NumField() {
		f, t := v.Field(i), v.Type().Field(i)
		switch {
		case !t.IsExported() || f.IsZero() || t.Name == "NoteLen":
		case t.Name == "Report" || t.Name == "Definition":
			dst = appendFields(dst, f)
		default:
			dst = append(dst, ',', '"')
			dst = append(dst, snakeName(t.Name)...)
			dst = append(dst, '"', ':')
			dst = appendValue(dst, t.Name, f)
		}
	}
	return dst
}

func appendValue(dst []byte, name string, v reflect.Value) []byte {
	switch x := v.Interface().(type) {
	case record.Scope:
		dst = fmt.Appendf(dst, `{"level":%q`, risk.Level(x.Level))
		x.Level = 0
		return append(appendFields(dst, reflect.ValueOf(x)), '}')
	case record.Text:
		return appendText(dst, x.String())
	case fmt.Stringer:
		return appendText(dst, x.String())
	case [record.MaxNoteLen]byte:
		return appendText(dst, strings.TrimRight(string(x[:]), "\x00"))
	case []record.LimitField:
		return appendLimits(dst, x)
	case uint16:
		if name == "Code" {
			return appendText(dst, risk.Code(x).String())
		}
	case uint8:
		switch name {
		case "State":
			return appendText(dst, risk.TradingState(x).String())
		case "Action":
			return appendText(dst, risk.Action(x).String())
		}
	}
	if v.Kind() == reflect.Slice {
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, "", v.Index(i))
		}
		return append(dst, ']')
	}
	if v.Kind() == reflect.Struct {
		inner := appendFields(nil, v)
		if len(inner) > 0 {
			inner = inner[1:] // the comma
		}
		return append(append(append(dst, '{'), inner...), '}')
	}
	return appendJSON(dst, v.Interface())
}

func appendLimits(dst []byte, fields []record.LimitField) []byte {
	dst = append(dst, '{')
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = fmt.Appendf(dst, `%q:%d`, risk.Limit(f.ID), f.Value)
	}
	return append(dst, '}')
}

func appendText(dst []byte, s string) []byte { return appendJSON(dst, s) }

func appendJSON(dst []byte, v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		raw = fmt.Appendf(nil, "%q", fmt.Sprint(v))
	}
	return append(dst, raw...)
}

// snakeName is "ClOrdID", clord_id; "LastPx", last_px.
func snakeName(name string) string {
	name = strings.ReplaceAll(name, "ClOrdID", "ClientOrderId")
	var b strings.Builder
	for i, c := range name {
		if unicode.IsUpper(c) {
			if i > 0 && !unicode.IsUpper(rune(name[i-1])) {
				b.WriteByte('_')
			}
			c = unicode.ToLower(c)
		}
		b.WriteRune(c)
	}
	return b.String()
}
