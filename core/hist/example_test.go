package hist_test

import (
	"fmt"

	"qcat/core/hist"
)

func Example() {
	var decode, other hist.Histogram // one per recording goroutine
	for ns := int64(1); ns <= 50; ns++ {
		decode.Record(ns)
		other.Record(ns + 50)
	}
	var s hist.Snapshot
	decode.AddTo(&s)
	other.AddTo(&s)
	fmt.Println(s.Count, s.Quantile(0.5), s.Max)
	// Output: 100 50 100
}
