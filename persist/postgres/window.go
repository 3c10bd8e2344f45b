package postgres

import (
	"context"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"qcat/core"
)

// filter is conditions joined by AND, and their arguments.
type filter struct {
	conditions []string
	args       []any
}

// add appends a condition in which $ stands for the next argument.
func (f *filter) add(condition string, arg any) {
	f.args = append(f.args, arg)
	f.conditions = append(f.conditions, strings.Replace(condition, "$", "$"+strconv.Itoa(len(f.args)), 1))
}

// with returns a copy that can be added to.
func (f *filter) with() *filter {
	return &filter{append([]string(nil), f.conditions...), append([]any(nil), f.args...)}
}

// equal adds an equality unless v is zero, which selects all.
func equal[T ~int64 | ~uint64 | ~uint32 | ~uint8](f *filter, column string, v T) {
	if v != 0 {
		f.add(column+" = $", int64(v))
	}
}

// unless returns the column, as an expression that has no index when better is there: an
// account may have a great part of all rows, each somewhere else.
func unless(better bool, column string) string {
	if better {
		return column + " + 0"
	}
	return column
}

// within adds [from, to) of a time; zero bounds nothing.
func (f *filter) within(column string, from, to core.Nanos) {
	if from != 0 {
		f.add(column+" >= $", int64(from))
	}
	if to != 0 {
		f.add(column+" < $", int64(to))
	}
}

func (f *filter) where() string {
	if len(f.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.conditions, " AND ")
}

// keys is an inclusive range of keys. It is empty when first is above last.
type keys struct{ first, last int64 }

var allKeys = keys{math.MinInt64, math.MaxInt64}

// belowID is the range of the ids before one, all of them for 0.
func belowID[T ~uint64](before T) keys {
	if before == 0 || before > math.MaxInt64 {
		return allKeys
	}
	return keys{math.MinInt64, int64(before) - 1}
}

// of returns the part of k that is in [from, to); zero bounds nothing.
func (k keys) of(from, to core.Nanos) keys {
	if from != 0 {
		k.first = max(k.first, int64(from))
	}
	if to == math.MinInt64 {
		return keys{0, -1}
	}
	if to != 0 {
		k.last = min(k.last, int64(to)-1)
	}
	return k
}

// windowSlack is how many times as many rows as the page needs the first window should
// have: rows of other instruments and accounts stand between those of the question.
const windowSlack = 8

// windowGrowth is how much wider each window is than the one before: a question that
// few rows answer costs a number of windows that grows with the logarithm of the table.
const windowGrowth = 4

// days is an inclusive range of days.
type days struct{ first, last int32 }

var allDays = days{math.MinInt32, math.MaxInt32}

// daysOf is the days that [from, to) touches; zero bounds nothing.
func daysOf(from, to core.Nanos) days {
	d := allDays
	if from != 0 {
		d.first = dayOf(from)
	}
	switch {
	case to == math.MinInt64:
		d.last = math.MinInt32
	case to != 0:
		d.last = dayOf(to - 1)
	}
	return d
}

// page returns the newest rows by key, at most limit, that are in k, in the partitions of
// d, and pass f. order is the whole ORDER BY, which begins with the key.
func (p *parted[R]) page(ctx context.Context, s *Store, tx pgx.Tx, f *filter, k keys, d days, order string, limit int) ([]R, error) {
	parts, err := p.partitions(ctx, s, tx, k, d)
	if err != nil {
		return nil, err
	}
	var list []R
	width := uint64(0)
	for cur := k.last; len(list) < limit; {
		top, part := highest(parts, cur)
		if part == nil || top < k.first {
			break
		}
		if width == 0 {
			width = firstWidth(part, limit)
		}
		window := keys{k.first, top}
		if uint64(top)-uint64(k.first) >= width {
			window.first = top - int64(width) + 1
		}
		rows, err := p.window(ctx, s, tx, f, window, parts, order, limit-len(list))
		if err != nil {
			return nil, err
		}
		list = append(list, rows...)
		if window.first == k.first {
			break
		}
		cur = window.first - 1
		width = min(width, math.MaxInt64/windowGrowth) * windowGrowth
	}
	return list, nil
}

// partitions returns what those partitions of d hold that overlap k.
func (p *parted[R]) partitions(ctx context.Context, s *Store, tx pgx.Tx, k keys, d days) ([]keyRange, error) {
	return rowsOf(ctx, s, tx, keyRanges, "SELECT "+keyRanges.list+" FROM partition_ranges"+
		" WHERE parent = $1 AND day BETWEEN $2 AND $3 AND first_key <= $4 AND last_key >= $5", p.name, d.first, d.last, k.last, k.first)
}

// highest returns the highest key at or below cur that any partition can have, and that
// partition.
func highest(parts []keyRange, cur int64) (top int64, part *keyRange) {
	for i := range parts {
		r := &parts[i]
		if r.first > cur {
			continue
		}
		if key := min(r.last, cur); part == nil || key > top {
			top, part = key, r
		}
	}
	return top, part
}

// firstWidth is how many keys of the partition the page should take.
func firstWidth(part *keyRange, limit int) uint64 {
	span := uint64(part.last) - uint64(part.first)
	if span != math.MaxUint64 {
		span++
	}
	hi, lo := bits.Mul64(span, uint64(limit)*windowSlack)
	copied := max(uint64(part.copied), 1)
	if hi >= copied {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, copied)
	return min(q+1, math.MaxInt64)
}

// window reads the rows of one window, from the partitions that overlap it.
func (p *parted[R]) window(ctx context.Context, s *Store, tx pgx.Tx, f *filter, k keys, parts []keyRange, order string, limit int) ([]R, error) {
	firstDay, lastDay := int32(math.MaxInt32), int32(math.MinInt32)
	for i := range parts {
		if parts[i].first <= k.last && parts[i].last >= k.first {
			firstDay, lastDay = min(firstDay, parts[i].day), max(lastDay, parts[i].day)
		}
	}
	if firstDay > lastDay {
		return nil, nil
	}
	sql, args := p.windowQuery(f, k, firstDay, lastDay, order, limit)
	return rowsOf(ctx, s, tx, p.table, sql, args...)
}

// windowQuery selects the rows of k in the partitions of some days.
func (p *parted[R]) windowQuery(f *filter, k keys, firstDay, lastDay int32, order string, limit int) (sql string, args []any) {
	low, high := dayBounds(firstDay, lastDay)
	g := f.with()
	g.add(p.key+" >= $", k.first)
	g.add(p.key+" <= $", k.last)
	g.add(p.at+" >= $", low)
	g.add(p.at+" <= $", high)
	where := g.where()
	g.args = append(g.args, limit)
	return "SELECT " + p.list + " FROM " + p.name + where + " ORDER BY " + order + " LIMIT " + lastArg(g), g.args
}
