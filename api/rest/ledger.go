package rest

import (
	"cmp"
	"errors"

	"qcat/core"
	"qcat/core/engine"
)

// Orders and executions are in two places: the view has what is in flight and the
// latest of what is over, a store has everything but lags behind. The types here
// put a page together of both, so that a client reads its own writes and nothing
// is missed or doubled where the two meet.
//
// What the view has wins: it is never behind the store. What it has not, it had
// let go of, after a journal record that it knows (since); a store that had come
// that far when it was asked has it as it was in the end. One that had not come
// that far may not be asked: errBehind.

// errBehind says that the store lags so far behind that something is neither in it
// nor in memory.
var errBehind = errors.New("the store has not caught up")

// orderParts are the two places orders are in.
type orderParts struct {
	view  func(f engine.OrderFilter) (orders []core.Order, complete bool)
	known func(id core.OrderID) (core.Order, bool)
	since func() uint64
	// store returns what matches, highest id first, nil when there is none;
	// followed is the journal sequence that it has come to.
	store    func(f engine.OrderFilter) ([]core.Order, error)
	followed func() uint64
}

// page returns the orders that match, highest id first; f.Limit is positive.
//
// Errors: errBehind; the store's, if it was needed.
func (p *orderParts) page(f engine.OrderFilter) ([]core.Order, error) {
	rows, complete := p.view(f)
	if complete || p.store == nil {
		return rows, nil
	}
	followed := p.followed()
	old, err := p.old(f, rows)
	if err != nil {
		return nil, err
	}
	if p.since() > followed {
		return nil, errBehind
	}
	return mergeNewest(rows, old, f.Limit, newerOrder, first), nil
}

func newerOrder(x, y *core.Order) int { return cmp.Compare(y.ID, x.ID) }

// old returns the store's orders that belong on the page which rows are the view's
// part of. Those that the view has are as the view has them, or, when they no
// longer match, left out.
func (p *orderParts) old(f engine.OrderFilter, rows []core.Order) (old []core.Order, err error) {
	for {
		part, err := p.store(f)
		if err != nil {
			return nil, err
		}
		for i := range part {
			o, ok := p.known(part[i].ID)
			if !ok {
				o = part[i]
			}
			if !ok || f.Matches(&o) {
				old = append(old, o)
			}
		}
		if len(part) < f.Limit || len(old) >= f.Limit {
			return old, nil
		}
		f.Before = part[len(part)-1].ID
		if len(rows) >= f.Limit && f.Before <= rows[f.Limit-1].ID {
			return old, nil // what follows is beyond the page
		}
	}
}

// executionParts are the two places executions are in. They never change, and the
// view has the latest of them without a gap: what is older is the store's.
type executionParts struct {
	view     func(f engine.ExecutionFilter) (rows []core.Execution, floor uint64)
	since    func() uint64
	store    func(f engine.ExecutionFilter) ([]core.Execution, error)
	followed func() uint64
}

// page returns the executions that match, newest first; f.Limit is positive.
//
// Errors: as orderParts.page.
func (p *executionParts) page(f engine.ExecutionFilter) ([]core.Execution, error) {
	rows, floor := p.view(f)
	if len(rows) >= f.Limit || floor <= 1 || p.store == nil {
		return rows, nil
	}
	if floor <= maxID {
		f.Before = floor
	}
	f.Limit -= len(rows)
	followed := p.followed()
	old, err := p.store(f)
	if err != nil {
		return nil, err
	}
	if p.since() > followed {
		return nil, errBehind
	}
	return append(rows, old...), nil
}

// maxID is above all ids that are ever given; a floor beyond it is none.
const maxID = 1<<63 - 1
