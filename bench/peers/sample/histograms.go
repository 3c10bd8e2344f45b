package sample

import (
	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"qcat/core/hist"
)

// own is core/hist: a histogram for each goroutine.
type own struct{ all []*ownRecorder }

type ownRecorder struct{ h hist.Histogram }

func newOwn() histogram { return new(own) }

func (o *own) recorder() recorder {
	r := new(ownRecorder)
	o.all = append(o.all, r)
	return r
}

func (r *ownRecorder) record(v int64, n int) {
	for range n {
		r.h.Record(v)
		v = step(v)
	}
}

func (o *own) counted() (all, atMost uint64, err error) {
	var s hist.Snapshot
	for _, r := range o.all {
		r.h.AddTo(&s)
	}
	return s.Count, s.CountAtMost(bound), nil
}

// hdr is HdrHistogram with two digits, the like of core/hist's precision: one for
// each goroutine, since it is not made for several.
type hdr struct{ all []*hdrRecorder }

type hdrRecorder struct {
	h   *hdrhistogram.Histogram
	err error
}

func newHDR() histogram { return new(hdr) }

func newHDRHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, hist.MaxValue, 2) }

func (o *hdr) recorder() recorder {
	r := &hdrRecorder{h: newHDRHistogram()}
	o.all = append(o.all, r)
	return r
}

func (r *hdrRecorder) record(v int64, n int) {
	for range n {
		if err := r.h.RecordValue(v); err != nil {
			r.err = err
		}
		v = step(v)
	}
}

func (o *hdr) counted() (all, atMost uint64, err error) {
	sum := newHDRHistogram()
	for _, r := range o.all {
		if r.err != nil {
			return 0, 0, r.err
		}
		sum.Merge(r.h)
	}
	for _, b := range sum.Distribution() {
		if b.To <= bound {
			atMost += uint64(b.Count)
		}
	}
	return uint64(sum.TotalCount()), atMost, nil
}

// buckets are Prometheus' bounds in seconds, a power of two apart.
func buckets() []float64 { return prometheus.ExponentialBuckets(64e-9, 2, 20) }

// boundBucket is the bucket that ends nearest above bound ns.
const boundBucket = 2048e-9

// observe is a Prometheus histogram that its users hold.
type observe struct{ h prometheus.Histogram }

func newObserve() histogram {
	return observe{prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x_seconds", Buckets: buckets()})}
}

func (o observe) recorder() recorder { return o }

func (o observe) record(v int64, n int) {
	for range n {
		o.h.Observe(float64(v) / 1e9)
		v = step(v)
	}
}

func (o observe) counted() (all, atMost uint64, err error) { return counts(o.h) }

// labelled is a Prometheus histogram that is found by its label each time.
type labelled struct{ v *prometheus.HistogramVec }

func newLabelled() histogram {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "x_seconds", Buckets: buckets()}, []string{"stage"})
	for _, stage := range []string{"decode", "book", "encode", "write"} {
		v.WithLabelValues(stage)
	}
	return labelled{v}
}

func (o labelled) recorder() recorder { return o }

func (o labelled) record(v int64, n int) {
	for range n {
		o.v.WithLabelValues("book").Observe(float64(v) / 1e9)
		v = step(v)
	}
}

func (o labelled) counted() (all, atMost uint64, err error) {
	return counts(o.v.WithLabelValues("book").(prometheus.Histogram))
}

// counts reads a histogram as a scrape does. Of the samples of exactly the bucket's
// end, which is one more than bound, there is one a walk; they are not wanted.
func counts(h prometheus.Histogram) (all, atMost uint64, err error) {
	var m dto.Metric
	if err := h.Write(&m); err != nil {
		return 0, 0, err
	}
	all = m.Histogram.GetSampleCount()
	for _, b := range m.Histogram.Bucket {
		if b.GetUpperBound() <= boundBucket*(1+1e-9) {
			atMost = b.GetCumulativeCount()
		}
	}
	return all, atMost - all/period, nil
}
