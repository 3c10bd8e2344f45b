package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// parted is a table with a partition for each day of at, paged by key.
type parted[R any] struct {
	*table[R]
	at    string
	atOf  func(*R) core.Nanos
	key   string
	keyOf func(*R) int64
}

var (
	partedOrders = parted[history.Order]{orders, "create_ns", func(r *history.Order) core.Nanos { return r.CreateTime },
		"id", func(r *history.Order) int64 { return int64(r.ID) }}
	partedExecutions = parted[history.Execution]{executions, "time_ns", func(r *history.Execution) core.Nanos { return r.Time },
		"id", func(r *history.Execution) int64 { return int64(r.ID) }}
	partedRiskEvents = parted[history.RiskEvent]{riskEvents, "time_ns", func(r *history.RiskEvent) core.Nanos { return r.Time },
		"seq", func(r *history.RiskEvent) int64 { return int64(r.Seq) }}
	partedTrades = parted[history.Trade]{trades, "receive_ns", func(r *history.Trade) core.Nanos { return r.ReceiveTime },
		"exchange_ns", func(r *history.Trade) int64 { return int64(r.ExchangeTime) }}
	partedQuotes = parted[history.Quote]{quotes, "receive_ns", func(r *history.Quote) core.Nanos { return r.ReceiveTime },
		"receive_ns", func(r *history.Quote) int64 { return int64(r.ReceiveTime) }}
)

const dayNanos = core.Nanos(24 * time.Hour)

// daysAhead is how many partitions are made before the first row of their day comes:
// midnight then costs nothing, and a day on which nobody may make tables is survived.
const daysAhead = 2

// dayOf returns the UTC day since 1970-01-01.
func dayOf(t core.Nanos) int32 {
	d := t / dayNanos
	if t%dayNanos < 0 {
		d--
	}
	return int32(d)
}

// dayBounds returns the first and the last instant of the days from first to last.
func dayBounds(first, last int32) (low, high int64) {
	const minDay, maxDay = int32(math.MinInt64/int64(dayNanos)) - 1, int32(math.MaxInt64 / int64(dayNanos))
	low, high = math.MinInt64, math.MaxInt64
	if first > minDay {
		low = int64(first) * int64(dayNanos)
	}
	if last < maxDay {
		high = int64(last+1)*int64(dayNanos) - 1
	}
	return low, high
}

// keyRange is a row of partition_ranges: what one partition holds.
type keyRange struct {
	parent string
	day    int32
	copied int64 // rows ever
	first  int64 // keys
	last   int64
}

var keyRanges = &table[keyRange]{
	name: "partition_ranges",
	columns: []column[keyRange]{
		texts("parent", func(r *keyRange) *string { return &r.parent }),
		{"day", integer, func(e *encoder, r *keyRange) { e.i32(r.day) }, func(d *decoder, r *keyRange) { r.day = d.i32() }},
		int64s("copied", func(r *keyRange) *int64 { return &r.copied }),
		int64s("first_key", func(r *keyRange) *int64 { return &r.first }),
		int64s("last_key", func(r *keyRange) *int64 { return &r.last }),
	},
	list: "parent, day, copied, first_key, last_key",
	merge: `INSERT INTO partition_ranges AS p (parent, day, copied, first_key, last_key)
		SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
		ON CONFLICT (parent, day) DO UPDATE SET copied = p.copied + EXCLUDED.copied,
			first_key = least(p.first_key, EXCLUDED.first_key), last_key = greatest(p.last_key, EXCLUDED.last_key)`,
}

// rangesOf returns what each partition gets of a batch.
func rangesOf(b *store.Batch, closed []history.Order) (list []keyRange) {
	list = partedOrders.ranges(list, closed)
	list = partedExecutions.ranges(list, b.Executions)
	list = partedRiskEvents.ranges(list, b.RiskEvents)
	list = partedTrades.ranges(list, b.Trades)
	return partedQuotes.ranges(list, b.Quotes)
}

// ranges appends those of rows, which mostly fall into one day or two.
func (p *parted[R]) ranges(list []keyRange, rows []R) []keyRange {
	begin, at := len(list), -1
	for i := range rows {
		day, key := dayOf(p.atOf(&rows[i])), p.keyOf(&rows[i])
		if at < 0 || list[at].day != day {
			at = begin + slices.IndexFunc(list[begin:], func(r keyRange) bool { return r.day == day })
			if at < begin {
				at = len(list)
				list = append(list, keyRange{p.name, day, 0, key, key})
			}
		}
		r := &list[at]
		r.copied++
		r.first, r.last = min(r.first, key), max(r.last, key)
	}
	return list
}

// partition names a partition that is known to be there.
type partition struct {
	parent string
	day    int32
}

// makePartitions makes what is missing for the ranges, and ahead of the batch's time, in a
// transaction of its own.
func (w *writer) makePartitions(ctx context.Context, ranges []keyRange, today int32) error {
	missing := map[string][]int32{}
	want := func(p partition) {
		if _, known := w.made[p]; !known && !slices.Contains(missing[p.parent], p.day) {
			missing[p.parent] = append(missing[p.parent], p.day)
		}
	}
	for _, r := range ranges {
		want(partition{r.parent, r.day})
		for ahead := range int32(daysAhead + 1) {
			want(partition{r.parent, today + ahead})
		}
	}
	for parent, days := range missing {
		var e encoder
		for _, day := range days {
			e.i64(int64(day))
		}
		const sql = "SELECT count(qcat_make_partition($1, day)) FROM unnest($2::bigint[]) AS day"
		r := w.conn.ExecParams(ctx, sql, [][]byte{[]byte(parent), arrayOf(bigint, len(days), e.b)}, []uint32{text.oid, bigint.array},
			[]int16{1, 1}, nil).Read()
		if r.Err != nil {
			return fmt.Errorf("partitions of %s: %w", parent, r.Err)
		}
		for _, day := range days {
			w.made[partition{parent, day}] = struct{}{}
		}
	}
	return nil
}
