package store_test

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/cespare/xxhash/v2"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// A digest is computed here from the bytes that docs/format/store-digest.md lists.
func TestDigestIsTheDocumentedOne(t *testing.T) {
	var b store.DigestBuilder
	b.AddMark(&store.Mark{Instrument: 7, Price: -2, Time: 3})
	b.AddGap(&history.Gap{Tick: 1, Lost: 2, From: 3, To: 4, Reason: "full"})
	b.AddGap(&history.Gap{Tick: 2})
	le := binary.LittleEndian
	mark := le.AppendUint64(le.AppendUint64(le.AppendUint32([]byte{0}, 7), ^uint64(1)), 3)
	first := []byte{0}
	for _, v := range []uint64{1, 2, 3, 4} {
		first = le.AppendUint64(first, v)
	}
	first = append(le.AppendUint32(first, 4), "full"...)
	second := append(le.AppendUint64([]byte{0}, 2), make([]byte, 28)...)
	want := map[string]store.TableDigest{}
	sum := func(table string, rows ...[]byte) {
		d := store.TableDigest{Table: table, Rows: uint64(len(rows))}
		for _, row := range rows {
			for i := range d.Sum {
				row[0] = byte(i)
				d.Sum[i] += xxhash.Sum64(row)
			}
		}
		want[table] = d
	}
	sum("marks", mark)
	sum("tick_gaps", second, first) // in any order
	for _, got := range b.Digest().Tables {
		w := want[got.Table]
		w.Table = got.Table
		if got != w {
			t.Errorf("%+v, want %+v", got, w)
		}
	}
}

// Every field of every row changes the digest.
func TestDigestSeesEveryField(t *testing.T) {
	for _, c := range []struct {
		row any
		add any
	}{
		{&core.Instrument{}, (*store.DigestBuilder).AddInstrument}, {&core.Account{}, (*store.DigestBuilder).AddAccount},
		{&core.Strategy{}, (*store.DigestBuilder).AddStrategy}, {&history.Order{}, (*store.DigestBuilder).AddOrder},
		{&history.Execution{}, (*store.DigestBuilder).AddExecution}, {&history.Position{}, (*store.DigestBuilder).AddPosition},
		{&store.TransferTotal{}, (*store.DigestBuilder).AddTotal}, {&history.Transfer{}, (*store.DigestBuilder).AddTransfer},
		{&store.Mark{}, (*store.DigestBuilder).AddMark}, {&history.Equity{}, (*store.DigestBuilder).AddEquity},
		{&history.RiskEvent{}, (*store.DigestBuilder).AddRiskEvent}, {&history.Audit{}, (*store.DigestBuilder).AddAudit},
		{&history.Trade{}, (*store.DigestBuilder).AddTrade}, {&history.Quote{}, (*store.DigestBuilder).AddQuote},
		{&history.Candle{}, (*store.DigestBuilder).AddCandle}, {&history.Gap{}, (*store.DigestBuilder).AddGap},
	} {
		digest := func() store.Digest {
			var b store.DigestBuilder
			reflect.ValueOf(c.add).Call([]reflect.Value{reflect.ValueOf(&b), reflect.ValueOf(c.row)})
			return b.Digest()
		}
		seen := map[uint64]string{digest().Tables[tableOf(digest())].Sum[0]: "nothing"}
		each(reflect.ValueOf(c.row).Elem(), "", func(name string) {
			d := digest()
			sum := d.Tables[tableOf(d)].Sum[0]
			if other, ok := seen[sum]; ok {
				t.Errorf("%T: the digest does not tell %s from %s", c.row, name, other)
			}
			seen[sum] = name
		})
	}
}

// tableOf is the table that has a row.
func tableOf(d store.Digest) int {
	for i := range d.Tables {
		if d.Tables[i].Rows > 0 {
			return i
		}
	}
	return -1
}

// each sets one field after the other of v, and of the structs in it, to something
// that is not its zero value, calls f, and takes it back.
func each(v reflect.Value, path string, f func(name string)) {
	id, _ := core.MakeClOrdID("x")
	for i := range v.NumField() {
		field, name := v.Field(i), path+"."+v.Type().Field(i).Name
		zero := reflect.Zero(field.Type())
		switch {
		case field.Type() == reflect.TypeFor[core.ClOrdID]():
			field.Set(reflect.ValueOf(id))
		case field.Kind() == reflect.Struct:
			each(field, name, f)
			continue
		case field.CanInt():
			field.SetInt(1)
		case field.CanUint():
			field.SetUint(1)
		case field.Kind() == reflect.Bool:
			field.SetBool(true)
		default:
			field.SetString("x")
		}
		f(name)
		field.Set(zero)
	}
}

func TestDigestDiff(t *testing.T) {
	var a, b store.DigestBuilder
	b.AddTrade(&history.Trade{})
	b.AddPositionOf(store.Ticks, store.Position{Seq: 1})
	got := a.Digest().Diff(b.Digest())
	if want := []string{"trades", "stream_positions"}; !reflect.DeepEqual(got, want) || !b.Digest().Equal(b.Digest()) {
		t.Errorf("differ in %v", got)
	}
	if short := (store.Digest{}); short.Equal(a.Digest()) || len(a.Digest().Diff(short)) != int(store.NumTables) {
		t.Error("a digest without tables equals one with")
	}
}
