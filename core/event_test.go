package core

import (
	"reflect"
	"testing"
	"unsafe"
)

// TestEventLayout pins the 64 bytes that rings and files carry.
func TestEventLayout(t *testing.T) {
	var e Event
	if n := unsafe.Sizeof(e); n != 64 {
		t.Errorf("an Event has %d bytes, want 64", n)
	}
	for _, f := range []struct {
		name      string
		got, want uintptr
	}{
		{"Kind", unsafe.Offsetof(e.Kind), 0},
		{"Flags", unsafe.Offsetof(e.Flags), 1},
		{"Side", unsafe.Offsetof(e.Side), 2},
		{"Instrument", unsafe.Offsetof(e.Instrument), 4},
		{"Seq", unsafe.Offsetof(e.Seq), 8},
		{"ExchangeTime", unsafe.Offsetof(e.ExchangeTime), 16},
		{"ReceiveTime", unsafe.Offsetof(e.ReceiveTime), 24},
		{"Price", unsafe.Offsetof(e.Price), 32},
		{"Qty", unsafe.Offsetof(e.Qty), 40},
		{"AskPrice", unsafe.Offsetof(e.AskPrice), 48},
		{"AskQty", unsafe.Offsetof(e.AskQty), 56},
	} {
		if f.got != f.want {
			t.Errorf("%s is at %d, want %d", f.name, f.got, f.want)
		}
	}
}

// TestPointerFree: what crosses a ring or a seqlock is copied as words, which
// the garbage collector must have no interest in.
func TestPointerFree(t *testing.T) {
	for _, v := range []any{Event{}, Level{}, Quote{}, Order{}, VenueCommand{}, ExecReport{}, Execution{}, ClOrdID{}, Int128{}} {
		typ := reflect.TypeOf(v)
		if path := findPointer(typ, typ.Name()); path != "" {
			t.Errorf("%s is a pointer", path)
		}
	}
	for _, v := range []any{Event{}, Quote{}, VenueCommand{}, ExecReport{}} {
		if typ := reflect.TypeOf(v); typ.Size()%8 != 0 {
			t.Errorf("%s has %d bytes: not whole words", typ.Name(), typ.Size())
		}
	}
}

// findPointer returns the path of the first field that holds a pointer, or "".
func findPointer(t reflect.Type, path string) string {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if p := findPointer(f.Type, path+"."+f.Name); p != "" {
				return p
			}
		}
		return ""
	case reflect.Array:
		return findPointer(t.Elem(), path+"[]")
	case reflect.Pointer, reflect.Slice, reflect.String, reflect.Map, reflect.Chan,
		reflect.Func, reflect.Interface, reflect.UnsafePointer:
		return path
	}
	return ""
}

func TestEventFlags(t *testing.T) {
	f := FlagFirst | FlagSnapshot
	if !f.Has(FlagFirst) || !f.Has(FlagFirst|FlagSnapshot) || f.Has(FlagLast) || f.Has(FlagFirst|FlagLast) {
		t.Error("Has must mean all of them")
	}
}

func TestQuoteCrossed(t *testing.T) {
	for _, c := range []struct {
		bid, ask Price
		want     bool
	}{
		{99, 100, false}, {100, 100, true}, {101, 100, true}, {0, 100, false}, {100, 0, false}, {0, 0, false},
	} {
		if q := (Quote{BidPrice: c.bid, AskPrice: c.ask}); q.Crossed() != c.want {
			t.Errorf("%d against %d: Crossed is %v", c.bid, c.ask, !c.want)
		}
	}
}
