package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// ErrInjected is what a Faulty store's calls fail with.
var ErrInjected = errors.New("storetest: injected")

// Faulty is a store of which any call may fail: a write before it is made, or after
// it was, so that its answer is lost.
type Faulty struct {
	store.Store

	mu   sync.Mutex
	rng  *rand.Rand
	rate int

	Refused, Lost, Failed int // writes not made, writes not answered, other calls
}

// NewFaulty returns s with faults: of one call in rate, by a seed.
func NewFaulty(s store.Store, seed uint64, rate int) *Faulty {
	return &Faulty{Store: s, rng: rand.New(rand.NewPCG(seed, 3)), rate: rate}
}

// strike counts a fault and reports whether there is one now.
func (f *Faulty) strike(count *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rng.IntN(f.rate) > 0 {
		return false
	}
	*count++
	return true
}

// Write implements store.Store.
func (f *Faulty) Write(ctx context.Context, b *store.Batch) error {
	if f.strike(&f.Refused) {
		return ErrInjected
	}
	if err := f.Store.Write(ctx, b); err != nil {
		return err
	}
	if f.strike(&f.Lost) {
		return ErrInjected
	}
	return nil
}

// Load implements store.Store.
func (f *Faulty) Load(ctx context.Context, s store.Stream) (*store.State, error) {
	if f.strike(&f.Failed) {
		return nil, ErrInjected
	}
	return f.Store.Load(ctx, s)
}

// Position implements store.Store.
func (f *Faulty) Position(ctx context.Context, s store.Stream) (store.Position, error) {
	if f.strike(&f.Failed) {
		return store.Position{}, ErrInjected
	}
	return f.Store.Position(ctx, s)
}

// Order implements store.Store.
func (f *Faulty) Order(ctx context.Context, id core.OrderID) (history.Order, bool, error) {
	if f.strike(&f.Failed) {
		return history.Order{}, false, ErrInjected
	}
	return f.Store.Order(ctx, id)
}
