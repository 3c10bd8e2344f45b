package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"qcat/risk"
)

// Of many people who decide on the same proposal at once one is heard, and of changes
// that are proposed at once each is applied or waits: the limits never become looser
// than what two people agreed on.
func TestManyDecideAtOnce(t *testing.T) {
	h := newHarness(t)
	h.e.stop()
	scope := risk.AccountScope(h.account.ID)
	var tight, loose risk.Limits
	tight.Set(risk.LimitMaxOpenOrders, 5)
	loose.Set(risk.LimitMaxOpenOrders, 50)
	if _, err := h.e.DefineLimits(scope, tight); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.e.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for range 50 {
		if p, err := h.e.ProposeLimits(scope, tight, 0, "anna", ""); err != nil || p.Status != ProposalUnchanged && p.Status != ProposalApplied {
			t.Fatalf("tightened: %+v, %v", p.Status, err)
		}
		p, err := h.e.ProposeLimits(scope, loose, 0, "anna", "")
		if err != nil || p.Status != ProposalWaiting {
			t.Fatalf("loosened: %s, %v", p.Status, err)
		}
		var mu sync.Mutex
		heard := map[ProposalStatus]int{}
		var deciding sync.WaitGroup
		for i := range 8 {
			deciding.Go(func() {
				by := fmt.Sprint("person", i)
				if i == 0 {
					by = "anna"
				}
				got, err := h.e.DecideProposal(p.ID, true, by)
				if err != nil {
					t.Error(err)
				}
				if by == "anna" && got.Status == ProposalApplied {
					t.Error("who proposed it approved it")
				}
				mu.Lock()
				heard[got.Status]++
				mu.Unlock()
			})
		}
		deciding.Wait()
		if heard[ProposalApplied] != 1 || heard[ProposalRefused] != 7 {
			t.Fatalf("heard: %v", heard)
		}
		var now risk.Limits
		h.e.Query(func(tree *risk.Tree, _ uint64) { now = tree.Limits(scope) })
		if now != loose {
			t.Fatalf("the limits are %v", now)
		}
	}
	cancel()
	running.Wait()
	h.e.running = true
	h.checkReplay()
}
