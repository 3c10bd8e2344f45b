package rows

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/journal"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
)

// writeLog makes a log of records below dir.
func writeLog(t *testing.T, dir, name string, records [][]byte) store.LogID {
	t.Helper()
	l, err := journal.Open(journal.Options{Dir: filepath.Join(dir, name), Name: name, Sync: journal.SyncOS})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range records {
		if _, err := l.Append(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return store.LogID(l.ID())
}

// TestCompare fills a store from two logs and wants it to agree; then with a row
// that is in no log, a batch that was stored halfway, and ticks that are missing,
// it must not.
func TestCompare(t *testing.T) {
	dataDir := t.TempDir()
	dir := core.NewDirectory()
	if _, err := dir.AddInstrument(core.Instrument{Venue: "sim", Symbol: "A", Settle: "U", Kind: core.Linear, PriceScale: 2,
		QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.AddAccount("demo"); err != nil {
		t.Fatal(err)
	}
	orders, ticks := storetest.Journal(dir, 1, 900), storetest.Ticks(dir, 1, 900)
	id := writeLog(t, dataDir, "journal", orders)
	writeLog(t, dataDir, "ticks", ticks)

	fill := func(orders, ticks [][]byte) *storetest.Memory {
		m := storetest.NewMemory()
		storetest.Fill(t, m, dir, storetest.NewLog(id, orders...), storetest.NewLog(store.LogID{}, ticks...))
		return m
	}
	compare := func(have store.Store) (Report, error) { return Compare(t.Context(), dataDir, 0, have) }

	r, err := compare(fill(orders, ticks))
	if err != nil || r.Records != uint64(len(orders)) || r.Ticks != uint64(len(ticks)) || r.Rows < 900 || r.Sum == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	differs := func(table string, have store.Store) {
		t.Helper()
		if _, err := compare(have); !errors.Is(err, ErrDiffer) || !strings.Contains(err.Error(), table) {
			t.Errorf("%s: %v", table, err)
		}
	}
	differs("stream_positions", fill(orders[:len(orders)-1], ticks))
	differs("trades", fill(orders, ticks[:len(ticks)/2]))
	differs("audit", oneMore{fill(orders, ticks)})
}

// oneMore is a store with a row too many.
type oneMore struct{ store.Store }

func (s oneMore) Digest(ctx context.Context) (store.Digest, error) {
	var b store.DigestBuilder
	b.AddAudit(&history.Audit{Seq: 1})
	more := b.Digest()
	d, err := s.Store.Digest(ctx)
	for i := range d.Tables {
		d.Tables[i].Rows += more.Tables[i].Rows
		for k := range d.Tables[i].Sum {
			d.Tables[i].Sum[k] += more.Tables[i].Sum[k]
		}
	}
	return d, err
}

// TestCompareWithoutLogs: a directory that holds no journal agrees with nothing.
func TestCompareWithoutLogs(t *testing.T) {
	if _, err := Compare(t.Context(), t.TempDir(), 0, storetest.NewMemory()); !errors.Is(err, journal.ErrNone) {
		t.Errorf("got %v", err)
	}
}
