package replay_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"qcat/feed/binance"
	"qcat/feed/replay"
)

// TestDisturbedCaptures removes, repeats and swaps lines. A gap is seen at once,
// the book is stale until the next snapshot, and then ends as the clean one does.
func TestDisturbedCaptures(t *testing.T) {
	for name, clean := range tapes(t) {
		t.Run(name, func(t *testing.T) {
			want := clean.run(t)
			if want.Stale || want.DepthGaps != 0 || want.BadMessages != 0 || want.TradeGaps != 0 || want.Snapshots != 1 ||
				want.BBOChecked == 0 || want.BBOChecked != want.BBOMatched {
				t.Fatalf("the clean tape: %+v", want)
			}
			depth := clean.depthLines()
			mid := depth[len(depth)/2]
			late := depth[len(depth)*3/4]
			snapshot := clean.snapshotAfter(t, late)
			lost := clean.edit(func(l []string) []string { return slices.Delete(l, mid, mid+1) })

			t.Run("removed", func(t *testing.T) {
				got := lost.run(t)
				if got.DepthGaps != 1 || !got.Stale || got.DepthApplied >= want.DepthApplied || got.BookHash == want.BookHash {
					t.Errorf("%+v", got)
				}
				if got.Trades != want.Trades || got.Quotes != want.Quotes || got.TradeGaps != 0 {
					t.Errorf("other streams were touched: %+v", got)
				}
			})
			t.Run("removed, then a snapshot", func(t *testing.T) {
				got := lost.edit(func(l []string) []string { return slices.Insert(l, late+7, snapshot) }).run(t)
				if got.DepthGaps != 1 || got.Stale || got.Snapshots != 2 || got.BookHash != want.BookHash || got.BBOChecked != got.BBOMatched {
					t.Errorf("%+v\nclean %+v", got, want)
				}
			})
			t.Run("removed, then a snapshot of before", func(t *testing.T) {
				old := clean.snapshotAfter(t, depth[len(depth)/2-1])
				got := lost.edit(func(l []string) []string { return slices.Insert(l, late, old) }).run(t)
				if got.DepthGaps != 1 || !got.Stale || got.Snapshots != 2 {
					t.Errorf("%+v", got)
				}
			})
			t.Run("repeated", func(t *testing.T) {
				got := clean.edit(func(l []string) []string {
					return slices.Insert(l, late, l[mid:mid+3]...)
				}).run(t)
				if got.DepthGaps != 0 || got.Stale || got.BookHash != want.BookHash || got.DepthApplied != want.DepthApplied ||
					got.BBOChecked != want.BBOChecked || got.BBOMatched != want.BBOMatched {
					t.Errorf("%+v\nclean %+v", got, want)
				}
			})
			t.Run("swapped, then a snapshot", func(t *testing.T) {
				next := depth[len(depth)/2+1]
				swapped := clean.edit(func(l []string) []string {
					l[mid], l[next] = l[next], l[mid]
					return slices.Insert(l, late+1, snapshot)
				})
				got := swapped.run(t)
				if got.DepthGaps != 1 || got.Stale || got.BookHash != want.BookHash {
					t.Errorf("%+v\nclean %+v", got, want)
				}
			})
			t.Run("a snapshot that nobody needs", func(t *testing.T) {
				got := clean.edit(func(l []string) []string { return slices.Insert(l, late+1, snapshot) }).run(t)
				if got.Snapshots != 2 || got.DepthGaps != 0 || got.Stale || got.BookHash != want.BookHash || got.DepthApplied != want.DepthApplied {
					t.Errorf("%+v\nclean %+v", got, want)
				}
			})
			t.Run("garbage", func(t *testing.T) {
				got := clean.edit(func(l []string) []string { return slices.Insert(l, mid, "1 {\"e\":", "2 []") }).run(t)
				if got.BadMessages == 0 || got.Stale || got.BookHash != want.BookHash {
					t.Errorf("%+v", got)
				}
			})
			t.Run("a trade removed", func(t *testing.T) {
				trade := mid
				for !strings.Contains(clean.lines[trade], `"e":"trade"`) {
					trade++
				}
				got := clean.edit(func(l []string) []string { return slices.Delete(l, trade, trade+1) }).run(t)
				if got.TradeGaps != 1 || got.Stale || got.BookHash != want.BookHash {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestGapIsSeenAtOnce: the very message after the missing one makes the book stale.
func TestGapIsSeenAtOnce(t *testing.T) {
	clean := synthetic(binance.SpotVenue, 50)
	depth := clean.depthLines()
	gone, after := depth[20], depth[21]
	cut := func(n int) replay.Report {
		return clean.edit(func(l []string) []string { return slices.Delete(l[:n], gone, gone+1) }).run(t)
	}
	if before, then := cut(after), cut(after+1); before.Stale || !then.Stale || then.DepthGaps != 1 {
		t.Errorf("before %+v\nthen %+v", before, then)
	}
}

// TestRunUnbound: a capture that no frame tells about is an error, not a report.
func TestRunUnbound(t *testing.T) {
	r, err := replay.NewReader(strings.NewReader("1 {}\n2 {}\n"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replay.Run(context.Background(), r, bindBinance(binance.SpotVenue), nil); !errors.Is(err, replay.ErrCapture) {
		t.Errorf("error %v", err)
	}
	broken := errors.New("no such venue")
	r, _ = replay.NewReader(strings.NewReader("1 {}\n"), 0)
	refuse := func([]byte) (replay.Binding, bool, error) { return replay.Binding{}, false, broken }
	if _, err := replay.Run(context.Background(), r, refuse, nil); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// TestRunBrokenLine: a line that is not of the format ends the run with its
// number; what was found until then is reported.
func TestRunBrokenLine(t *testing.T) {
	p := synthetic(binance.SpotVenue, 50).edit(func(l []string) []string { return slices.Insert(l, 30, "what is this") })
	r, err := replay.NewReader(bytes.NewReader(p.text()), 0)
	if err != nil {
		t.Fatal(err)
	}
	var read int64
	got, err := replay.Run(context.Background(), r, bindBinance(p.venue), func(n, _ int64) { read = n })
	if !errors.Is(err, replay.ErrCapture) || !strings.Contains(err.Error(), ":31:") || got.Messages != 30 || read == 0 {
		t.Errorf("report %+v, error %v, %d bytes read", got, err, read)
	}
}
