package store

import (
	"github.com/cespare/xxhash/v2"

	"qcat/core"
	"qcat/core/history"
)

// TableDigest sums up one table: how many rows, and the sums of the rows' hashes,
// which do not depend on their order.
type TableDigest struct {
	Table string
	Rows  uint64
	Sum   [2]uint64 // of two hashes a row, each wrapping at 2^64
}

// Digest sums up a store, one entry a table in the order of Tables. It tells
// whether two stores hold the same by accident or not; against malice it is no
// protection.
type Digest struct{ Tables []TableDigest }

// Equal reports whether two digests are of the same content.
func (d Digest) Equal(o Digest) bool { return d.Diff(o) == nil }

// Diff names the tables in which the two differ.
func (d Digest) Diff(o Digest) (tables []string) {
	for i := range max(len(d.Tables), len(o.Tables)) {
		switch {
		case i >= len(d.Tables):
			tables = append(tables, o.Tables[i].Table)
		case i >= len(o.Tables) || d.Tables[i] != o.Tables[i]:
			tables = append(tables, d.Tables[i].Table)
		}
	}
	return tables
}

// Table numbers the tables of a store in the order of a Digest.
type Table int

const (
	TableInstruments Table = iota
	TableAccounts
	TableStrategies
	TableOrders
	TableExecutions
	TablePositions
	TableMarks
	TableTotals
	TableTransfers
	TableEquity
	TableRiskEvents
	TableAudit
	TableTrades
	TableQuotes
	TableCandles
	TableGaps
	TableStreams
	NumTables
)

var tableNames = [NumTables]string{"instruments", "accounts", "strategies", "orders", "executions", "positions",
	"marks", "transfer_totals", "transfers", "equity", "risk_events", "audit", "trades", "quotes", "candles", "tick_gaps", "stream_positions"}

// String returns the name of the table in every store.
func (t Table) String() string { return tableNames[t] }

// DigestBuilder makes a Digest of rows that come in any order. Its zero value is
// ready; one goroutine. docs/format/store-digest.md holds the encoding.
//
//	var b store.DigestBuilder
//	for each row { b.AddOrder(&row) }
//	return b.Digest()
type DigestBuilder struct {
	rows [NumTables]uint64
	sums [NumTables][2]uint64
	buf  []byte
}

// Digest returns the sums of what was added.
func (d *DigestBuilder) Digest() Digest {
	out := Digest{Tables: make([]TableDigest, NumTables)}
	for t := range NumTables {
		out.Tables[t] = TableDigest{t.String(), d.rows[t], d.sums[t]}
	}
	return out
}

// begin is a row's buffer: the byte that tells the two hashes apart comes first.
func (d *DigestBuilder) begin() []byte { return append(d.buf[:0], 0) }

func (d *DigestBuilder) add(t Table, row []byte) {
	d.buf = row
	d.rows[t]++
	for i := range d.sums[t] {
		row[0] = byte(i)
		d.sums[t][i] += xxhash.Sum64(row)
	}
}

// AddInstrument adds a row of instruments.
func (d *DigestBuilder) AddInstrument(in *core.Instrument) {
	d.add(TableInstruments, appendInstrument(d.begin(), in))
}

// AddAccount adds a row of accounts.
func (d *DigestBuilder) AddAccount(a *core.Account) {
	d.add(TableAccounts, appendAccount(d.begin(), a))
}

// AddStrategy adds a row of strategies.
func (d *DigestBuilder) AddStrategy(s *core.Strategy) {
	d.add(TableStrategies, appendStrategy(d.begin(), s))
}

// AddOrder adds a row of orders.
func (d *DigestBuilder) AddOrder(o *history.Order) { d.add(TableOrders, appendOrder(d.begin(), o)) }

// AddExecution adds a row of executions.
func (d *DigestBuilder) AddExecution(x *history.Execution) {
	d.add(TableExecutions, appendExecution(d.begin(), x))
}

// AddPosition adds a row of positions.
func (d *DigestBuilder) AddPosition(p *history.Position) {
	d.add(TablePositions, appendPosition(d.begin(), p))
}

// AddMark adds a row of marks.
func (d *DigestBuilder) AddMark(m *Mark) { d.add(TableMarks, appendMark(d.begin(), m)) }

// AddTotal adds a row of transfer_totals.
func (d *DigestBuilder) AddTotal(t *TransferTotal) { d.add(TableTotals, appendTotal(d.begin(), t)) }

// AddTransfer adds a row of transfers.
func (d *DigestBuilder) AddTransfer(t *history.Transfer) {
	d.add(TableTransfers, appendTransfer(d.begin(), t))
}

// AddEquity adds a row of equity.
func (d *DigestBuilder) AddEquity(e *history.Equity) { d.add(TableEquity, appendEquity(d.begin(), e)) }

// AddRiskEvent adds a row of risk_events.
func (d *DigestBuilder) AddRiskEvent(e *history.RiskEvent) {
	d.add(TableRiskEvents, appendRiskEvent(d.begin(), e))
}

// AddAudit adds a row of audit.
func (d *DigestBuilder) AddAudit(a *history.Audit) { d.add(TableAudit, appendAudit(d.begin(), a)) }

// AddTrade adds a row of trades.
func (d *DigestBuilder) AddTrade(t *history.Trade) { d.add(TableTrades, appendTrade(d.begin(), t)) }

// AddQuote adds a row of quotes.
func (d *DigestBuilder) AddQuote(q *history.Quote) { d.add(TableQuotes, appendQuote(d.begin(), q)) }

// AddCandle adds a row of candles.
func (d *DigestBuilder) AddCandle(c *history.Candle) { d.add(TableCandles, appendCandle(d.begin(), c)) }

// AddGap adds a row of tick_gaps.
func (d *DigestBuilder) AddGap(g *history.Gap) { d.add(TableGaps, appendGap(d.begin(), g)) }

// AddPositionOf adds a row of stream_positions: how far the store is in a stream.
func (d *DigestBuilder) AddPositionOf(s Stream, p Position) {
	d.add(TableStreams, appendStream(d.begin(), s, p))
}
