package ringbuf

import "reflect"

// checkWords panics unless values of T may be copied word by word while they are
// being written: no pointers (the collector must never meet a torn one) and a
// size of whole 64-bit words. It is called once per structure, never per value.
func checkWords[T any]() {
	t := reflect.TypeFor[T]()
	if t.Size() == 0 || t.Size()%8 != 0 {
		panic("ringbuf: the size of " + t.String() + " is not a positive multiple of 8 bytes")
	}
	if holdsPointers(t) {
		panic("ringbuf: " + t.String() + " holds pointers")
	}
}

// holdsPointers reports whether the collector would follow anything in a t.
func holdsPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && holdsPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Bool,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return false
	default:
		return true
	}
}
