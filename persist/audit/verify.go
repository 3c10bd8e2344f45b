package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
)

// pageRows is how many entries Verify reads at once.
const pageRows = 512

// Verify looks at every entry, and at every anchor. Others may append meanwhile. progress,
// which may be nil, is told after each page how many entries were looked at of how many.
//
// An error means that it could not look, which is no verdict; one of the tables being gone
// is one of them.
func (l *Log) Verify(ctx context.Context, progress func(done, total int64)) (*Report, error) {
	v := &verifier{r: &Report{Findings: []Finding{}}}
	// What is anchored was committed before: anchors first, then the entries.
	if err := v.load(ctx, l.head); err != nil {
		return nil, err
	}
	var total int64
	if err := l.db.QueryRowContext(ctx, "SELECT count(*) FROM audit_log").Scan(&total); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	for more := true; more; {
		var err error
		if more, err = v.page(ctx, l); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		if progress != nil {
			progress(v.r.Entries, max(total, v.r.Entries))
		}
	}
	if err := v.ends(ctx, l); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return v.r, nil
}

// verifier is the state of one walk.
type verifier struct {
	r       *Report
	anchors []anchor // those still ahead, ascending
	agreed  int64    // the newest entry whose anchor agrees
	last    link     // the entry before, as its row says
	from    int64    // read on behind this one
}

// load reads the anchors.
func (v *verifier) load(ctx context.Context, f *headFile) error {
	v.from = math.MinInt64
	if f == nil {
		v.r.find(NoAnchors, 0, 0, "this process was not told where the anchors are: nothing outside the database vouches for the log")
		return nil
	}
	var h heads
	err := f.locked(ctx, func() (err error) {
		h, err = f.load()
		return err
	})
	switch {
	case errors.Is(err, ErrNoHead):
		v.r.find(NoAnchors, 0, 0, "%s is missing: nothing outside the database vouches for the log", f.path)
	case errors.Is(err, ErrHeadKey):
		v.r.find(AnchorsKey, 0, 0, "%s was sealed with another master key, and says nothing under this one", f.path)
	case errors.Is(err, ErrHeadBroken):
		v.r.find(AnchorBroken, 0, 0, "%v", err)
	case err != nil:
		return err
	}
	for _, line := range h.broken {
		v.r.find(AnchorBroken, int64(line), int64(line), "line %d of the anchors was changed, or lines before it were removed", line)
	}
	v.anchors, v.r.Anchors = h.anchors, len(h.anchors)
	if n := len(h.anchors); n > 0 {
		v.r.AnchoredFrom, v.r.AnchoredTo, v.r.AnchoredAt = h.anchors[0].n, h.anchors[n-1].n, h.anchors[n-1].time
	}
	return nil
}

// page looks at the next entries and reports whether there may be more.
func (v *verifier) page(ctx context.Context, l *Log) (more bool, err error) {
	rows, err := l.db.QueryContext(ctx, "SELECT "+columns+" FROM audit_log WHERE n > $1 ORDER BY n LIMIT $2", v.from, int64(pageRows))
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }() // what failed is in Err
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return false, err
		}
		v.entry(&r)
		v.from, more = r.entry.N, true
	}
	return more, rows.Err()
}

// entry looks at one entry.
func (v *verifier) entry(r *row) {
	n := r.entry.N
	v.r.Entries++
	if n <= v.last.n { // the chain goes on from the one that came first
		v.r.find(Doubled, n, n, "entry %d is there twice, or has a number that none can have", n)
		return
	}
	var prev, is hash
	copy(prev[:], r.prev)
	copy(is[:], r.hash)
	gap := n > v.last.n+1
	if gap {
		v.r.find(Missing, v.last.n+1, n-1, "%s missing", entries(v.last.n+1, n-1))
	}
	switch {
	case r.odd != "":
		v.r.find(Changed, n, n, "entry %d was changed: %s", n, r.odd)
	case digest(prev, &r.entry) != is:
		v.r.find(Changed, n, n, "entry %d was changed: its hash is of something else", n)
	case !gap && prev != v.last.hash:
		v.r.find(Unlinked, n, n, "entry %d does not continue entry %d: one of the two was written anew", n, n-1)
	}
	v.last = link{n, is}
	v.held()
}

// held compares the anchors up to the entry in hand.
func (v *verifier) held() {
	for len(v.anchors) > 0 && v.anchors[0].n <= v.last.n {
		a := v.anchors[0]
		v.anchors = v.anchors[1:]
		switch {
		case a.link == v.last || a.link == link{}:
			v.agreed = a.n
		case a.n == v.last.n: // one that is missing was reported
			v.r.find(Rewritten, a.n, a.n, "entry %d is not the one that was anchored at %s: what lies between %d, where the anchors agree, and %d was written anew",
				a.n, a.time.Time().Format("2006-01-02T15:04:05Z"), v.agreed, a.n)
		}
	}
}

// ends looks at where the log ends.
func (v *verifier) ends(ctx context.Context, l *Log) error {
	v.r.Last, v.r.Hash = v.last.n, hex.EncodeToString(v.last.hash[:])
	v.held() // of an empty log
	if n := len(v.anchors); n > 0 {
		a := v.anchors[n-1]
		v.r.find(Shrunk, v.last.n+1, a.n, "%s missing at the end: entry %d was anchored at %s",
			entries(v.last.n+1, a.n), a.n, a.time.Time().Format("2006-01-02T15:04:05Z"))
	}
	// One statement sees one state, whatever is appended meanwhile.
	const query = `SELECT (SELECT count(*) FROM audit_log WHERE n <= $1 OR n IS NULL), (SELECT count(*) FROM audit_head),
		(SELECT count(*) FROM audit_head h WHERE h.n = (SELECT coalesce(max(n), 0) FROM audit_log)
			AND (h.n = 0 OR h.hash = (SELECT l.hash FROM audit_log l WHERE l.n = h.n)))`
	var rows, heads, right int64
	if err := l.db.QueryRowContext(ctx, query, v.last.n).Scan(&rows, &heads, &right); err != nil {
		return err
	}
	if rows != v.r.Entries {
		v.r.find(Doubled, 0, 0, "%d rows have the numbers of %d entries", rows, v.r.Entries)
	}
	if heads != 1 || right != 1 {
		v.r.find(HeadWrong, v.last.n, v.last.n, "the database's own note of where the log ends is not entry %d", v.last.n)
	}
	return nil
}

// entries names some entries and says that they are.
func entries(from, to int64) string {
	if from == to {
		return fmt.Sprintf("entry %d is", from)
	}
	return fmt.Sprintf("entries %d to %d are", from, to)
}
