// Package level is the contest of order books: core/book beside one on two B-trees
// (google/btree), one on two maps, and one on two sorted slices.
//
// The level updates of a tape are applied message by message, over and over, and after
// each message the best of both sides is read. Before anything is measured all books go
// through the tape once side by side, and the best is compared after every update;
// after each turn the levels left in a book and every best it gave are those of the
// sorted slices.
package level

import (
	"fmt"
	"time"

	"qcat/bench/peers/contest"
	"qcat/bench/peers/tape"
	"qcat/core"
	"qcat/core/book"
)

// levels is a book as all contestants have it.
type levels interface {
	Set(side core.Side, price core.Price, qty core.Qty) bool
	BestBid() (core.Level, bool)
	BestAsk() (core.Level, bool)
	// Levels appends the side's levels from best to worst, at most limit if that is
	// not negative.
	Levels(side core.Side, dst []core.Level, limit int) []core.Level
}

const roomHint = 1024

var makers = []struct {
	name string
	role contest.Role
	make func() levels
}{
	{"core/book", contest.Own, func() levels { return book.New(roomHint) }},
	{"google/btree", contest.Peer, newTrees},
	{"map", contest.Peer, newMaps},
	{"sorted slice", contest.Peer, func() levels { return book.NewNaive() }},
}

// Contest returns the contest on tapes.
func Contest(tapes []*tape.Tape) (*contest.Contest, error) {
	c := &contest.Contest{Name: "books", Title: "Books", Best: true,
		Workload: "level updates after the snapshot, over and over, the best of both sides read after each message; " +
			"bests and remaining levels are compared."}
	var flows []*flow
	for _, t := range tapes {
		f, err := newFlow(t)
		if err != nil {
			return nil, err
		}
		flows = append(flows, f)
		k := contest.Case{Name: t.Name, Unit: "ns/level"}
		for _, m := range makers {
			k.Entrants = append(k.Entrants, contest.Entrant{Name: m.name, Role: m.role, Run: func(d time.Duration) (float64, error) {
				return f.measure(m.make(), d)
			}})
		}
		c.Cases = append(c.Cases, k)
	}
	c.Check = func() error {
		for _, f := range flows {
			for _, m := range makers {
				if err := f.sideBySide(m.make()); err != nil {
					return fmt.Errorf("%s: %w", m.name, err)
				}
			}
		}
		return nil
	}
	return c, nil
}
