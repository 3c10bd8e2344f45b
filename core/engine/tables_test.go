package engine

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"qcat/core"
)

// The order table against maps and slices, under random entering and closing.
func TestOrderTableAgainstMaps(t *testing.T) {
	const maxOpen, maxClosed = 300, 50
	rng := rand.New(rand.NewPCG(11, 12))
	table := newOrderTable(maxOpen, maxClosed)
	byName := map[string]core.OrderID{}
	var open, closed []core.OrderID
	for id := core.OrderID(1); id < 5000; id++ {
		if len(open) < maxOpen && rng.IntN(100) < 55 {
			o := core.Order{ID: id, Account: core.AccountID(1 + id%3), Status: core.StatusNew}
			if id%4 != 0 {
				o.ClOrdID, _ = core.MakeClOrdID(fmt.Sprintf("n%d", id))
				byName[o.ClOrdID.String()] = id
			}
			table.add(&o)
			open = append(open, id)
		} else if len(open) > 0 {
			i := rng.IntN(len(open))
			table.close(table.find(open[i]))
			closed = append(closed, open[i])
			open = slices.Delete(open, i, i+1)
			if len(closed) > maxClosed {
				delete(byName, fmt.Sprintf("n%d", closed[0]))
				closed = closed[1:]
			}
		}
		if id%500 == 0 {
			checkTable(t, &table, open, closed, byName, id)
		}
	}
}

func checkTable(t *testing.T, table *orderTable, open, closed []core.OrderID, byName map[string]core.OrderID, last core.OrderID) {
	t.Helper()
	kept := map[core.OrderID]bool{}
	for _, c := range []struct {
		l    *list
		want []core.OrderID
	}{{&table.open, open}, {&table.closed, closed}} {
		var got []core.OrderID
		table.each(c.l, func(e *entry) { got = append(got, e.order.ID); kept[e.order.ID] = true })
		if !slices.Equal(got, c.want) || c.l.len != len(c.want) {
			t.Fatalf("list %v, want %v", got, c.want)
		}
	}
	for id := core.OrderID(1); id <= last; id++ {
		name := fmt.Sprintf("n%d", id)
		clOrdID, _ := core.MakeClOrdID(name)
		if (table.find(id) != nil) != kept[id] {
			t.Fatalf("find %d: want %v", id, kept[id])
		}
		e := table.findClOrdID(core.AccountID(1+id%3), &clOrdID)
		if _, want := byName[name]; (e != nil) != want || (e != nil && e.order.ID != id) {
			t.Fatalf("find %s: want %v", name, want)
		}
		if table.findClOrdID(9, &clOrdID) != nil {
			t.Fatalf("%s found for another account", name)
		}
	}
}

func TestExpiryHeapAgainstSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	table := newOrderTable(1000, 10)
	var heap expiryHeap
	var in []*entry
	earlier := func(a, b *entry) int {
		if a.due != b.due {
			return int(a.due - b.due)
		}
		return int(a.order.ID) - int(b.order.ID)
	}
	for id := core.OrderID(1); id <= 900; id++ {
		e := table.add(&core.Order{ID: id})
		heap.push(&table, e, core.Nanos(rng.IntN(50)))
		in = append(in, e)
		if rng.IntN(3) == 0 {
			i := rng.IntN(len(in))
			heap.remove(&table, in[i])
			heap.remove(&table, in[i]) // harmless
			in = slices.Delete(in, i, i+1)
		}
	}
	slices.SortFunc(in, earlier)
	for _, want := range in {
		if got := table.at(heap.slots[0]); got != want {
			t.Fatalf("next is order %d due %d, want %d due %d", got.order.ID, got.due, want.order.ID, want.due)
		}
		heap.remove(&table, want)
	}
	if len(heap.slots) != 0 {
		t.Errorf("%d left", len(heap.slots))
	}
}

func TestMemoryJournalKeepsTheLatest(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for _, retain := range []int{0, 1, 5000} {
		j := NewMemoryJournal(retain)
		var all [][]byte
		for i := range 500 {
			rec := bytes.Repeat([]byte{byte(i)}, rng.IntN(200))
			seq, err := j.Append(rec)
			if err != nil || seq != uint64(i+1) || j.Committed() != seq {
				t.Fatalf("record %d: sequence %d, committed %d, %v", i+1, seq, j.Committed(), err)
			}
			all = append(all, rec)
		}
		got := collect(j.Records())
		if retain == 0 && len(got) != 500 || len(got) == 0 {
			t.Fatalf("retain %d: %d records kept", retain, len(got))
		}
		if j.First() != uint64(500-len(got)+1) || !slices.EqualFunc(got, all[500-len(got):], bytes.Equal) {
			t.Errorf("retain %d: kept the wrong %d records, first %d", retain, len(got), j.First())
		}
	}
	if _, err := NewMemoryJournal(1).Append(make([]byte, 1<<13)); !errors.Is(err, ErrFull) {
		t.Errorf("a record larger than the journal: %v", err)
	}
}

func TestNotesAreCut(t *testing.T) {
	long := bytes.Repeat([]byte{'x'}, 100)
	if n := MakeNote(string(long)); len(n.String()) != NoteLen {
		t.Errorf("%d bytes", len(n.String()))
	}
}
