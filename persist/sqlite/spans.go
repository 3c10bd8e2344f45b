package sqlite

import (
	"context"
	"database/sql"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// spanBits is the width of a block: 2^spanBits neighbouring keys.
const spanBits = 12

// span is a row of time_spans: between which times the rows of one block are. A span
// only ever widens, so that it holds for rows that have been replaced as well.
type span struct {
	rowsOf   string
	block    uint64
	from, to core.Nanos
}

var timeSpans = addTable("time_spans", spanFields).onConflict([]string{"rows_of", "block"},
	[]string{"from_ns = min(from_ns, excluded.from_ns)", "to_ns = max(to_ns, excluded.to_ns)"})

func spanFields(f *fields, s *span) {
	text(f, "rows_of", &s.rowsOf)
	number(f, "block", &s.block)
	number(f, "from_ns", &s.from)
	number(f, "to_ns", &s.to)
}

// spansOf sums up the rows of a batch, one span a block that they are in.
func spansOf(b *store.Batch) []span {
	var out []span
	out = addSpans(out, orders.name, b.Orders, func(o *history.Order) (uint64, core.Nanos) { return uint64(o.ID), o.CreateTime })
	out = addSpans(out, executions.name, b.Executions, func(x *history.Execution) (uint64, core.Nanos) { return x.ID, x.Time })
	out = addSpans(out, transfers.name, b.Transfers, func(t *history.Transfer) (uint64, core.Nanos) { return t.Seq, t.Time })
	out = addSpans(out, riskEvents.name, b.RiskEvents, func(e *history.RiskEvent) (uint64, core.Nanos) { return e.Seq, e.Time })
	out = addSpans(out, audit.name, b.Audit, func(a *history.Audit) (uint64, core.Nanos) { return a.Seq, a.Time })
	return out
}

func addSpans[T any](out []span, name string, rows []T, keyOf func(*T) (uint64, core.Nanos)) []span {
	if len(rows) == 0 {
		return out
	}
	blocks := map[uint64]int{} // where in out
	for i := range rows {
		key, at := keyOf(&rows[i])
		block := key >> spanBits
		j, ok := blocks[block]
		if !ok {
			j = len(out)
			blocks[block] = j
			out = append(out, span{name, block, at, at})
		}
		out[j].from, out[j].to = min(out[j].from, at), max(out[j].to, at)
	}
	return out
}

// spanning bounds the times of a table that is paged by key, and with them the keys
// that are looked at.
func (s *Store) spanning(ctx context.Context, q *query, name, key, column string, from, to core.Nanos) error {
	if from == 0 && to == 0 {
		return nil
	}
	q.between(column, from, to)
	var blocks query
	blocks.and("rows_of = ?", name)
	if from != 0 {
		blocks.and("to_ns >= ?", int64(from))
	}
	below(&blocks, "from_ns", to)
	var first, last sql.NullInt64
	err := s.readers.QueryRowContext(ctx, "SELECT min(block), max(block) FROM time_spans "+blocks.where.String(),
		blocks.args...).Scan(&first, &last)
	if err != nil {
		return s.wrap("read", err)
	}
	if !first.Valid {
		q.none = true
		return nil
	}
	q.and(key+" BETWEEN ? AND ?", first.Int64<<spanBits, last.Int64<<spanBits|(1<<spanBits-1))
	return nil
}
