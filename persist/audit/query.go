package audit

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"qcat/core"
	"qcat/core/identity"
)

// Entries implements identity.Auditor: From is the first instant that counts and To the
// first that does not. A Limit that is not positive asks for nothing. What it returns has
// not been verified.
func (l *Log) Entries(ctx context.Context, q identity.AuditQuery) ([]identity.AuditEntry, error) {
	if q.Limit <= 0 {
		return nil, nil
	}
	query, args := selection(&q)
	rows, err := l.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer func() { _ = rows.Close() }() // what failed is in Err
	var out []identity.AuditEntry
	for rows.Next() {
		r, err := scanRow(rows)
		if err == nil && r.odd != "" {
			err = fmt.Errorf("entry %d: %s", r.entry.N, r.odd)
		}
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		out = append(out, r.entry)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return out, nil
}

// selection is the query of one page.
func selection(q *identity.AuditQuery) (string, []any) {
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, condition)
	}
	if q.From != 0 {
		add("time_ns >= ?", int64(q.From))
	}
	if q.To != 0 {
		add("time_ns < ?", int64(q.To))
	}
	if q.Actor != "" {
		add("actor = ?", cleanText(q.Actor))
	}
	if prefix, open := strings.CutSuffix(cleanText(q.Action), "*"); open {
		add("substr(action, 1, ?) = ?", int64(utf8.RuneCountInString(prefix)), prefix)
	} else if prefix != "" {
		add("action = ?", prefix)
	}
	if q.Before != 0 {
		add("n < ?", q.Before)
	}
	query := "SELECT " + columns + " FROM audit_log"
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	args = append(args, int64(q.Limit))
	return query + " ORDER BY n DESC LIMIT $" + strconv.Itoa(len(args)), args
}

// row is a row of audit_log as it is found. Whoever owns the table can have made it hold
// anything: odd says what no entry can be.
type row struct {
	entry      identity.AuditEntry
	prev, hash []byte
	odd        string
}

func scanRow(rows *sql.Rows) (r row, err error) {
	values := make([]any, 3+len(texts)+2)
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return r, err
	}
	number := func(i int, name string) int64 {
		v, ok := values[i].(int64)
		if !ok {
			r.odd = fmt.Sprintf("%s is %T", name, values[i])
		}
		return v
	}
	r.entry.N, r.entry.Time = number(0, "n"), core.Nanos(number(1, "time_ns"))
	seq := number(2, "journal_seq")
	if seq < 0 {
		r.odd = "journal_seq is negative"
	}
	r.entry.Journal = uint64(seq) //nolint:gosec // negative is odd, above
	for i := range texts {
		v, ok := values[3+i].(string)
		if !ok {
			r.odd = fmt.Sprintf("%s is %T", texts[i].column, values[3+i])
		}
		*texts[i].of(&r.entry) = v
	}
	r.prev, _ = values[3+len(texts)].([]byte)
	r.hash, _ = values[4+len(texts)].([]byte)
	if len(r.prev) != len(hash{}) || len(r.hash) != len(hash{}) {
		r.odd = "prev or hash is no hash"
	}
	return r, nil
}
