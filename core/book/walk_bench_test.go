package book

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"qcat/core"
)

// walk returns n level updates around a price that walks at random over a band: the
// levels come and go within a hundred ticks of it, most of them near it.
func walk(n int) []update {
	rng := rand.New(rand.NewPCG(3, 4))
	updates := make([]update, n)
	mid := core.Price(10_000)
	for i := range updates {
		if i%16 == 0 {
			mid = min(max(mid+core.Price(rng.IntN(3)-1), 9_900), 10_100)
		}
		near := core.Price(1 + rng.IntN(10)*rng.IntN(11))
		u := update{core.Buy, mid - near, core.Qty(rng.IntN(4))}
		if rng.IntN(2) == 0 {
			u.side, u.price = core.Sell, mid+near
		}
		updates[i] = u
	}
	return updates
}

// BenchmarkWalk sets levels of one book, and of a hundred in turn, sixteen updates of a
// message each, from updates made beforehand: it needs no capture. One operation is one
// level. Each book ends as a naive one does.
func BenchmarkWalk(b *testing.B) {
	updates := walk(1 << 14)
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("books=%d", n), func(b *testing.B) {
			books := make([]*Book, n)
			for i := range books {
				books[i] = New(0)
				books[i].apply(updates)
			}
			const message = 16
			b.ReportAllocs()
			b.ResetTimer()
			at := 0
			for done := 0; done < b.N; done += message {
				books[at/message%n].apply(updates[at : at+message])
				at = (at + message) & (len(updates) - 1)
			}
			b.StopTimer()
			naive := NewNaive()
			for _, u := range updates {
				naive.Set(u.side, u.price, u.qty)
			}
			for i, bk := range books {
				if bk.apply(updates); bk.Hash() != naive.Hash() || bk.Len(core.Buy) < 20 {
					b.Fatalf("book %d is not what it should be: %d bids", i, bk.Len(core.Buy))
				}
			}
		})
	}
}
