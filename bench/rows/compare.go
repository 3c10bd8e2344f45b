package rows

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/journal"
	"qcat/persist/store"
	"qcat/persist/store/storetest"
	"qcat/persist/vfs"
	"qcat/risk"
)

// Report is what was compared.
type Report struct {
	Rows    uint64 // of all tables
	Records uint64 // of the journal
	Sum     uint32 // CRC32C of all records of the journal, one after the other
	Ticks   uint64 // of the tick log
}

// ErrDiffer is wrapped when a store does not hold what the logs say.
var ErrDiffer = errors.New("rows: the store differs from the logs")

// errCut is wrapped when a log no longer has its first record: what was stored of it
// cannot be told any more.
var errCut = errors.New("rows: the log has lost its beginning")

// flushRows is how many rows a projection holds at a time.
const flushRows = 4096

// Castagnoli is the polynomial of Report.Sum.
var Castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Compare projects both logs of dataDir and holds have against the result.
// sampleEvery is the server's --quote-sample, 0 its default.
//
// Errors: ErrDiffer, naming the tables; those of reading.
func Compare(ctx context.Context, dataDir string, sampleEvery time.Duration, have store.Store) (Report, error) {
	want := storetest.NewMemory()
	var r Report
	if err := r.journal(ctx, dataDir, want); err != nil {
		return r, fmt.Errorf("journal: %w", err)
	}
	if err := r.ticks(ctx, dataDir, core.Nanos(sampleEvery), want); err != nil {
		return r, fmt.Errorf("tick log: %w", err)
	}
	expected, err := want.Digest(ctx)
	if err != nil {
		return r, err
	}
	found, err := have.Digest(ctx)
	if err != nil {
		return r, err
	}
	for _, t := range expected.Tables {
		r.Rows += t.Rows
	}
	return r, differences(expected, found)
}

// differences is nil when both hold the same.
func differences(want, have store.Digest) error {
	if want.Equal(have) {
		return nil
	}
	byName := map[string]store.TableDigest{}
	for _, t := range have.Tables {
		byName[t.Table] = t
	}
	var said []string
	for _, w := range want.Tables {
		if h := byName[w.Table]; h != w {
			said = append(said, fmt.Sprintf("%s: the logs give %d rows (%x), the store has %d (%x)", w.Table, w.Rows, w.Sum, h.Rows, h.Sum))
		}
	}
	return fmt.Errorf("%w: %s", ErrDiffer, strings.Join(said, "; "))
}

// projection is what both kinds have in common.
type projection interface {
	Apply(rec []byte) error
	Rows() int
	Take() *store.Batch
}

// project writes what p makes of records, and calls seen with each record.
func project(ctx context.Context, p projection, records iter.Seq2[[]byte, error], to store.Store, seen func(rec []byte)) error {
	for rec, err := range records {
		if err == nil {
			seen(rec)
			err = p.Apply(rec)
		}
		if err == nil && p.Rows() >= flushRows {
			err = to.Write(ctx, p.Take())
		}
		if err != nil {
			return err
		}
	}
	if last := p.Take(); last != nil {
		return to.Write(ctx, last)
	}
	return nil
}

func (r *Report) journal(ctx context.Context, dataDir string, want *storetest.Memory) error {
	log, err := open(dataDir, "journal")
	if err != nil {
		return err
	}
	find := func(id core.OrderID) (history.Order, bool, error) { return want.Order(ctx, id) }
	p := store.NewJournalProjection(log.ID(), &store.State{}, find)
	p.Tell(store.Texts{Limit: risk.LimitText, Reason: risk.ReasonText, Action: risk.ActionText})
	return project(ctx, p, all(log), want, func(rec []byte) {
		r.Records++
		r.Sum = crc32.Update(r.Sum, Castagnoli, rec)
	})
}

func (r *Report) ticks(ctx context.Context, dataDir string, sampleEvery core.Nanos, want *storetest.Memory) error {
	log, err := open(dataDir, "ticks")
	if errors.Is(err, journal.ErrNone) {
		return nil // none was kept
	}
	if err != nil {
		return err
	}
	dir, err := directory(ctx, want)
	if err != nil {
		return err
	}
	// A server's store follows a nameless tick log: one that was lost and begun anew
	// goes on under the same position.
	p := store.NewTicksProjection(store.LogID{}, &store.State{}, dir, sampleEvery)
	return project(ctx, p, all(log), want, func([]byte) { r.Ticks++ })
}

// open opens one log of a data directory and wants it to be whole.
func open(dataDir, name string) (*journal.ReadOnly, error) {
	log, err := journal.OpenReadOnly(filepath.Join(dataDir, name), name, vfs.OS{})
	if err == nil && log.First() != 1 {
		err = fmt.Errorf("%w: it begins at record %d", errCut, log.First())
	}
	return log, err
}

// all are the records of a log, which may be empty.
func all(log *journal.ReadOnly) iter.Seq2[[]byte, error] {
	if log.Last() == 0 {
		return func(func([]byte, error) bool) {}
	}
	return log.Records(1, log.Last())
}

// directory has the instruments that the journal defines: without their scales a
// tick means nothing.
func directory(ctx context.Context, s store.Store) (*core.Directory, error) {
	st, err := s.Load(ctx, store.Journal)
	if err != nil {
		return nil, err
	}
	dir := core.NewDirectory()
	for _, in := range st.Instruments { // by id
		added, err := dir.AddInstrument(in)
		if err != nil {
			return nil, err
		}
		if added.ID != in.ID {
			return nil, fmt.Errorf("rows: instrument %d comes out as %d", in.ID, added.ID)
		}
	}
	return dir, nil
}
