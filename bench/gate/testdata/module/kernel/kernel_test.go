package kernel

import "testing"

var sink uint64

// BenchmarkMix scrambles one number; it must not become zero.
func BenchmarkMix(b *testing.B) {
	x := uint64(1)
	for b.Loop() {
		x = Mix(x)
	}
	if x == 0 {
		b.Fatal("zero")
	}
}

// BenchmarkBox puts numbers into boxes.
func BenchmarkBox(b *testing.B) {
	for b.Loop() {
		sink += Box(sink)
	}
}
