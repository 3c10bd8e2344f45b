package paper

import (
	"cmp"
	"slices"

	"qcat/core"
)

// taken remembers, for one side of one instrument's book, what paper orders have
// taken of the levels that are still displayed, in ascending order of price. It
// holds at most as many entries as the side has levels.
type taken []core.Level

func (t taken) find(price core.Price) (int, bool) {
	return slices.BinarySearchFunc(t, price, func(l core.Level, p core.Price) int {
		return cmp.Compare(l.Price, p)
	})
}

// at returns what was taken at price.
func (t taken) at(price core.Price) core.Qty {
	if len(t) == 0 {
		return 0
	}
	if i, ok := t.find(price); ok {
		return t[i].Qty
	}
	return 0
}

// add says that qty more was taken at price.
func (t *taken) add(price core.Price, qty core.Qty) {
	i, ok := t.find(price)
	if !ok {
		*t = slices.Insert(*t, i, core.Level{Price: price})
	}
	(*t)[i].Qty += qty
}

// shown says that the level displays visible now.
func (t *taken) shown(price core.Price, visible core.Qty) {
	if len(*t) == 0 {
		return
	}
	i, ok := t.find(price)
	if !ok {
		return
	}
	(*t)[i].Qty = min((*t)[i].Qty, visible)
	if (*t)[i].Qty <= 0 {
		*t = slices.Delete(*t, i, i+1)
	}
}

// renew says for every level what it displays now.
func (t *taken) renew(visible func(core.Price) core.Qty) {
	kept := (*t)[:0]
	for _, l := range *t {
		if l.Qty = min(l.Qty, visible(l.Price)); l.Qty > 0 {
			kept = append(kept, l)
		}
	}
	*t = kept
}
