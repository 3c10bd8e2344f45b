package backup_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/history"
	"qcat/core/record"
	"qcat/persist/backup"
	"qcat/persist/journal"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/snapshot"
	"qcat/persist/sqlite"
	"qcat/persist/store"
	"qcat/persist/vfs"
)

// bed is a machine with a data directory, whose journal and store are open as if a
// server ran, and a folder of backups.
type bed struct {
	t       *testing.T
	kind    string
	dataDir string
	dir     string
	log     *journal.Log
	store   store.Store
	url     string // of Postgres
	project *store.JournalProjection
	next    core.OrderID
	ticks   uint64
}

// segmentBytes is small, so that a journal has several.
const segmentBytes = 16 << 10

func newBed(t *testing.T, kind string) *bed {
	t.Helper()
	b := &bed{t: t, kind: kind, dataDir: t.TempDir(), dir: t.TempDir(), next: 1}
	var err error
	b.log, err = journal.Open(journal.Options{Dir: filepath.Join(b.dataDir, "journal"), SegmentBytes: segmentBytes})
	b.must(err)
	t.Cleanup(func() { b.must(b.log.Close()) })
	if kind == backup.KindPostgres {
		b.url = migrated(t)
	}
	b.store = b.open(b.dataDir, b.url)
	state, err := b.store.Load(t.Context(), store.Journal)
	b.must(err)
	b.project = store.NewJournalProjection(b.log.ID(), state, func(core.OrderID) (history.Order, bool, error) {
		return history.Order{}, false, nil
	})
	b.define()
	return b
}

// each runs a test with both stores.
func each(t *testing.T, test func(t *testing.T, b *bed)) {
	for _, kind := range []string{backup.KindEmbedded, backup.KindPostgres} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, newBed(t, kind))
		})
	}
}

// migrated is an empty database with this program's schema.
func migrated(t *testing.T) string {
	t.Helper()
	url := pgtest.URL(t)
	db, err := postgres.OpenDB(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := migrate.Up(t.Context(), migrate.Postgres, db); err != nil {
		t.Fatal(err)
	}
	return url
}

// open opens the store that a server on dataDir would use.
func (b *bed) open(dataDir, url string) store.Store {
	b.t.Helper()
	var s store.Store
	var err error
	if b.kind == backup.KindPostgres {
		s, err = postgres.Open(b.t.Context(), postgres.Config{URL: url})
	} else {
		s, err = sqlite.Open(b.t.Context(), sqlite.Config{Path: filepath.Join(dataDir, "qcat.db"), KeepTicks: -1})
	}
	b.must(err)
	b.t.Cleanup(func() { b.must(s.Close()) })
	return s
}

// database is what a backup of the machine is of.
func (b *bed) database() backup.Database {
	if b.kind == backup.KindPostgres {
		return backup.Postgres{URL: b.url}
	}
	return backup.Embedded{DataDir: b.dataDir}
}

func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// append journals records and stores their rows.
func (b *bed) append(records ...record.Record) {
	b.t.Helper()
	for i := range records {
		r := &records[i]
		r.Seq = b.project.Position().Seq + 1
		r.Time = core.Nanos(1_700_000_000_000_000_000 + int64(r.Seq)*1_000_000)
		raw := r.Append(nil)
		b.journal(b.log, raw)
		b.must(b.project.Apply(raw))
	}
	b.must(b.log.Flush())
	for b.log.Durable() < b.project.Position().Seq {
		b.must(b.log.Err())
		time.Sleep(time.Millisecond)
	}
	b.must(b.store.Write(b.t.Context(), b.project.Take()))
}

// journal appends a record, and waits while the next segment is being made.
func (b *bed) journal(log *journal.Log, raw []byte) {
	b.t.Helper()
	_, err := log.Append(raw)
	for errors.Is(err, journal.ErrFull) {
		b.must(log.Flush())
		time.Sleep(time.Millisecond)
		_, err = log.Append(raw)
	}
	b.must(err)
}

func (b *bed) define() {
	b.append(
		record.Record{Header: record.Header{Type: record.TypeInstrument}, Instrument: record.Instrument{Definition: core.Instrument{
			ID: 1, Venue: "sim", Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT", Kind: core.Linear,
			PriceScale: 2, QtyScale: 3, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}}},
		record.Record{Header: record.Header{Type: record.TypeAccount}, Account: record.Account{ID: 1, Name: "demo"}},
		record.Record{Header: record.Header{Type: record.TypeStrategy}, Strategy: record.Strategy{ID: 1, Account: 1, Name: "it's"}},
	)
}

// trade journals n orders, each half filled, and stores as many trades of the market.
func (b *bed) trade(n int) {
	b.t.Helper()
	var records []record.Record
	ticks := &store.Batch{Stream: store.Ticks, Log: store.LogID{7}, From: b.ticks + 1, Time: 1_700_000_000_000_000_000}
	for range n {
		id := b.next
		b.next++
		price, qty := core.Price(30_000_00+int64(id)), core.Qty(2*id)
		fill := core.ExecReport{Type: core.ExecTrade, Liquidity: core.Maker, Instrument: 1, Order: id, VenueExecID: 1,
			LastPx: price, LastQty: core.Qty(id), Fee: 1, Time: 5}
		records = append(records,
			record.Record{Header: record.Header{Type: record.TypeNew}, New: record.New{Account: 1, Strategy: 1, Instrument: 1,
				Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: price, Qty: qty, Order: id}},
			record.Record{Header: record.Header{Type: record.TypeReport}, Report: record.Report{Report: fill,
				Disposition: record.Applied, Status: core.StatusPartiallyFilled, ExecID: uint64(id)}})
		b.ticks++
		at := ticks.Time + core.Nanos(b.ticks)
		ticks.Trades = append(ticks.Trades, history.Trade{Instrument: 1, ID: b.ticks, Side: core.Sell, Price: price, Qty: qty,
			ExchangeTime: at, ReceiveTime: at, Tick: b.ticks})
	}
	b.append(records...)
	ticks.To = b.ticks
	b.must(b.store.Write(b.t.Context(), ticks))
}

// snapshot writes a snapshot of the last record; what is in it does not matter here.
func (b *bed) snapshot() {
	b.t.Helper()
	payload := []byte(fmt.Sprintf("state after %d", b.log.Durable()))
	_, _, err := snapshot.Write(vfs.OS{}, filepath.Join(b.dataDir, "snapshots"),
		snapshot.Meta{Log: b.log.ID(), Seq: b.log.Durable(), Hash: sha256.Sum256(payload)}, payload)
	b.must(err)
}

func (b *bed) create() *backup.Manifest {
	b.t.Helper()
	m, err := backup.Create(b.t.Context(), b.createConfig())
	b.must(err)
	return m
}

func (b *bed) createConfig() backup.CreateConfig {
	return backup.CreateConfig{Dir: b.dir, DataDir: b.dataDir, Database: b.database(), Program: "test"}
}

// target is an empty machine.
type target struct {
	b       *bed
	dataDir string
	url     string
}

func (b *bed) target() *target {
	b.t.Helper()
	m := &target{b: b, dataDir: b.t.TempDir()}
	if b.kind == backup.KindPostgres {
		m.url = pgtest.URL(b.t)
	}
	return m
}

func (m *target) config(name string) backup.RestoreConfig {
	c := backup.RestoreConfig{Dir: m.b.dir, Name: name, DataDir: m.dataDir, Database: backup.Embedded{DataDir: m.dataDir}}
	if m.url != "" {
		c.Database = backup.Postgres{URL: m.url}
	}
	return c
}

func (m *target) restore(name string) (*backup.Outcome, error) {
	return backup.Restore(m.b.t.Context(), m.config(name))
}

// content is all that there is on the machine: file names with checksums, and the
// database's tables with their rows.
func (m *target) content() string {
	m.b.t.Helper()
	var lines []string
	m.b.must(filepath.WalkDir(m.dataDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		sum := sha256.Sum256(raw)
		lines = append(lines, strings.TrimPrefix(path, m.dataDir)+" "+hex.EncodeToString(sum[:4]))
		return err
	}))
	if m.url != "" {
		lines = append(lines, psql(m.b.t, m.url, `
			SELECT n.nspname, c.relname, CASE WHEN c.relkind <> 'S' THEN md5(query_to_xml(format('SELECT * FROM %I.%I x ORDER BY x::text', n.nspname, c.relname), true, 't', '')::text) END
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'v', 'p', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
			UNION ALL SELECT n.nspname, proname, '' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
			WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2`))
	}
	return strings.Join(lines, "\n")
}

func psql(t *testing.T, url, query string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "psql", url, "-XAtqv", "ON_ERROR_STOP=1", "-c", query).CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v: %s", err, out)
	}
	return string(out)
}
