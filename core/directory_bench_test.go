package core

import (
	"fmt"
	"testing"
)

// BenchmarkDirectoryNamed looks accounts up by name, in a directory of so many,
// each in turn.
func BenchmarkDirectoryNamed(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d, names := directoryOf(b, n)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if at := i % n; d.AccountNamed(names[at]).ID != AccountID(at+1) {
					b.Fatalf("account %s has the wrong id", names[at])
				}
			}
		})
	}
}

// BenchmarkDirectoryAdd defines accounts, so many in each directory: one
// operation is one account with its default strategy.
func BenchmarkDirectoryAdd(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for done := 0; done < b.N; done += n {
				directoryOf(b, min(n, b.N-done))
			}
		})
	}
}

func directoryOf(tb testing.TB, n int) (*Directory, []string) {
	d, names := NewDirectory(), make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("account-", i)
		if _, err := d.AddAccount(names[i]); err != nil {
			tb.Fatal(err)
		}
	}
	return d, names
}

// BenchmarkParseDecimal reads a price as Binance spot sends it.
func BenchmarkParseDecimal(b *testing.B) {
	text := []byte("61837.63000000")
	b.ReportAllocs()
	for b.Loop() {
		if v, err := ParseDecimal(text, 2); v != 6_183_763 || err != nil {
			b.Fatal(v, err)
		}
	}
}

// BenchmarkNotional values a quantity of a linear contract, rounded up.
func BenchmarkNotional(b *testing.B) {
	in := listed("BTC")
	b.ReportAllocs()
	for b.Loop() {
		if v, ok := in.Notional(6_183_763, 1_500, RoundUp); v != 9_275_644_500_000 || !ok {
			b.Fatal(v, ok)
		}
	}
}
