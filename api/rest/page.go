package rest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/core"
)

// page is which part of a list is wanted.
type page struct {
	limit    int
	from, to core.Nanos // 0: unbounded
	cursor   cursor     // where the page before ended
	filters  uint64
}

// pagedParameters are those of every list that has pages.
var pagedParameters = []string{"from", "to", "limit", "cursor"}

// paged is query for a list that has pages, and which one is wanted.
func (s *Server) paged(c exchange, def, most int, names ...string) (*query, page) {
	q := s.query(c, slices.Concat(names, pagedParameters)...)
	p := page{limit: q.count("limit", def, most), from: q.instant("from"), to: q.instant("to"), filters: filtersOf(c)}
	if q.ok && p.from != 0 && p.to != 0 && p.to <= p.from {
		q.bad("to", "must be after from")
	}
	if text := q.text("cursor"); text != "" && q.ok {
		var wrong string
		if p.cursor, wrong = parseCursor(text, p.filters); wrong != "" {
			q.bad("cursor", wrong)
		}
	}
	return q, p
}

// plain reports whether the newest rows are wanted, whatever their time.
func (p *page) plain() bool { return !p.cursor.set && p.from == 0 && p.to == 0 }

// leastInstant is the smallest number that is taken as nanoseconds, in 1973:
// seconds, milliseconds and microseconds of this century are below it.
const leastInstant = 100_000_000_000_000_000

// instant reads a moment: Unix nanoseconds, or RFC 3339. 0 when it is not given.
func (q *query) instant(name string) core.Nanos {
	text := q.text(name)
	if text == "" {
		return 0
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n < leastInstant {
			q.bad(name, "a number is nanoseconds since 1970; this one looks like seconds, milliseconds or microseconds")
		}
		return core.Nanos(n)
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil && strings.Contains(text, " "):
		q.bad(name, "wanted nanoseconds since 1970, or a time such as 2026-01-31T09:30:00Z (a + is written %2B in a query)")
	case err != nil:
		q.bad(name, "wanted nanoseconds since 1970, or a time such as 2026-01-31T09:30:00Z")
	case t.Year() < 1973 || t.Year() > 2261:
		q.bad(name, "wanted a time between 1973 and 2262")
	}
	return core.Nanos(t.UnixNano())
}

// cut takes the page off rows, of which one more than it holds was asked for, and
// tells where it ends if more follow.
func cut[T any](rows []T, limit int, key func(*T) cursor) ([]T, cursor) {
	if len(rows) <= limit {
		return rows, cursor{}
	}
	return rows[:limit], key(&rows[limit-1])
}

// HeaderCursor is the header that has the cursor of the next page, on all pages
// but the last.
const HeaderCursor = "Next-Cursor"

// listPage sends n elements as list does, and how to get the next page if there is
// one: in Next-Cursor, and as a whole in Link (RFC 8288).
func listPage(c exchange, p *page, next cursor, n int, each func(dst []byte, i int) []byte) {
	linkNext(c, p, next)
	list(c, n, each)
}

// linkNext says how to get the next page, if there is one.
func linkNext(c exchange, p *page, next cursor) {
	if !next.set {
		return
	}
	text := next.text(p.filters)
	c.Response.Header.Set(HeaderCursor, text)
	args := fasthttp.AcquireArgs()
	defer fasthttp.ReleaseArgs(args)
	c.QueryArgs().CopyTo(args)
	args.Set("cursor", text)
	link := append(append([]byte{'<'}, c.URI().PathOriginal()...), '?')
	c.Response.Header.SetBytesV("Link", append(args.AppendBytes(link), `>; rel="next"`...))
}

// mergeNewest merges two lists that are newest first, and keeps limit rows. newer
// is negative when x comes before y in such a list, and 0 for two rows of one
// thing, of which better tells the one that stays.
func mergeNewest[T any](a, b []T, limit int, newer func(x, y *T) int, better func(x, y *T) *T) []T {
	out := make([]T, 0, min(len(a)+len(b), limit))
	for len(out) < limit && (len(a) > 0 || len(b) > 0) {
		switch {
		case len(b) == 0:
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0:
			out, b = append(out, b[0]), b[1:]
		default:
			switch order := newer(&a[0], &b[0]); {
			case order < 0:
				out, a = append(out, a[0]), a[1:]
			case order > 0:
				out, b = append(out, b[0]), b[1:]
			default:
				out = append(out, *better(&a[0], &b[0]))
				a, b = a[1:], b[1:]
			}
		}
	}
	return out
}

// first is better for rows that are equal in both lists.
func first[T any](x, _ *T) *T { return x }
