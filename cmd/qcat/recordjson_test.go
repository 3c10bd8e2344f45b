package main

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// Every type of record has a JSON form in which none of its fields is missing.
func TestEveryRecordHasAJSONForm(t *testing.T) {
	for typ := record.Type(1); typ.String() != record.Type(0).String(); typ++ {
		r := record.Record{Header: record.Header{Type: typ, Seq: 7, Time: 8}}
		body := reflect.ValueOf(&r).Elem().FieldByName(goName(typ.String()))
		if !body.IsValid() {
			t.Errorf("%s has no body", typ)
			continue
		}
		fill(body)
		line := appendRecordJSON(nil, &r)
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil {
			t.Errorf("%s: %v: %s", typ, err, line)
			continue
		}
		if got["seq"] != 7.0 || got["time"] == nil || got["record"] != typ.String() {
			t.Errorf("%s: %s", typ, line)
		}
		for _, name := range namesOf(body.Type()) {
			if _, ok := got[name]; !ok {
				t.Errorf("%s has no %q: %s", typ, name, line)
			}
		}
	}
}

// namesOf are the names that a body's fields have in JSON.
func namesOf(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		switch f := t.Field(i); f.Name {
		case "Report", "Definition":
			names = append(names, namesOf(f.Type)...)
		case "NoteLen":
		default:
			names = append(names, snakeName(f.Name))
		}
	}
	return names
}

// fill sets every field of v, wherever it stands, to something that is not zero.
func fill(v reflect.Value) {
	id, _ := core.MakeClOrdID("x")
	switch {
	case !v.CanSet(): // padding
	case v.Type() == reflect.TypeFor[core.ClOrdID]():
		v.Set(reflect.ValueOf(id))
	case v.Type() == reflect.TypeFor[record.Text]():
		v.Set(reflect.ValueOf(record.MakeText("x")))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case v.Kind() == reflect.Array:
		fill(v.Index(0))
	case v.CanInt():
		v.SetInt(1)
	case v.CanUint():
		v.SetUint(1)
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.String:
		v.SetString("x")
	}
}

// Names stand for numbers that have one, and texts for their bytes.
func TestRecordJSON(t *testing.T) {
	account := record.Scope{Level: uint8(risk.LevelAccount), Account: 3}
	fields := []record.LimitField{{ID: uint16(risk.LimitMaxOrderQty), Value: 5}}
	for _, c := range []struct {
		r    record.Record
		want string
	}{
		{record.Record{Transfer: record.Transfer{Account: 1, Currency: "USDT", Amount: -5, By: record.MakeText("x"), Note: record.MakeText(`"y"`), Balance: 7}},
			`"record":"transfer","account":1,"currency":"USDT","amount":-5,"by":"x","note":"\"y\"","balance":7}`},
		{record.Record{Margin: record.Margin{Kind: record.MarginIsolated, Leg: core.LegShort, Account: 1, Instrument: 2, Value: 3, Before: 4}},
			`"record":"margin","kind":"isolated","leg":"short","account":1,"instrument":2,"value":3,"before":4}`},
		{record.Record{Tiers: record.Tiers{Instrument: 2, Tiers: []record.Tier{{Rate: 4000, Leverage: 125e6}, {Floor: 9, Rate: 5000}}}},
			`"record":"tiers","instrument":2,"tiers":[{"rate":4000,"leverage":125000000},{"floor":9,"rate":5000}]}`},
		{record.Record{Breach: record.Breach{Scope: account, Code: uint16(risk.MaxLossDaily), Unit: uint8(risk.UnitValue), Action: uint8(risk.ActionHalt),
			Limit: 100, Value: 120, Cause: 6, Cancelled: 2}},
			`"record":"breach","scope":{"level":"account","account":3},"code":"risk.max_loss_daily","unit":7,"action":"halt","limit":100,"value":120,"cause":6,"cancelled":2}`},
		{record.Record{Proposal: record.Proposal{Scope: account, By: record.MakeText("x"), Fields: fields, ID: 4, Until: math.MaxInt64}},
			`"record":"proposal","scope":{"level":"account","account":3},"until":9223372036854775807,"by":"x","fields":{"max_qty":5},"id":4}`},
		{record.Record{Decision: record.Decision{Proposal: 4, Approve: true, Change: record.Change{Proposal: 4, Scope: account, After: fields}}},
			`"record":"decision","proposal":4,"approve":true,"change":{"proposal":4,"scope":{"level":"account","account":3},"after":{"max_qty":5}}}`},
		{record.Record{Clock: record.Clock{Ended: []record.Change{{Proposal: 4, Scope: account, Before: fields}}}},
			`"record":"clock","ended":[{"proposal":4,"scope":{"level":"account","account":3},"before":{"max_qty":5}}]}`},
		{record.Record{Clock: record.Clock{TellsLapse: true, Lapsed: record.Lapse{Proposal: 4, Scope: account, By: record.MakeText("x")}}},
			`"record":"clock","tells_lapse":true,"lapsed":{"proposal":4,"scope":{"level":"account","account":3},"by":"x"}}`},
		{record.Record{CancelAll: record.CancelAll{Scope: account, Cause: record.CauseCountdown}},
			`"record":"cancel_all","scope":{"level":"account","account":3},"cause":"countdown"}`},
	} {
		for typ := record.Type(1); typ.String() != record.Type(0).String(); typ++ {
			if !reflect.ValueOf(c.r).FieldByName(goName(typ.String())).IsZero() {
				c.r.Type = typ
			}
		}
		if got := string(appendRecordJSON(nil, &c.r)); got != `{"seq":0,"time":0,`+c.want {
			t.Errorf("\n got %s\nwant {\"seq\":0,\"time\":0,%s", got, c.want)
		}
	}
}
