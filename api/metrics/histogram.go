package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"qcat/core/hist"
)

// Histogram adds a histogram with buckets of fixed bounds, in seconds, read at each
// scrape.
//
// A hist.Histogram divides an octave into 32 buckets of its own. One of them that a bound
// cuts counts as above it: a quantile taken from the bounds is never too low by it, and
// too high by 1/32 at most beyond what the bounds themselves leave open.
func (r *Registry) Histogram(name, help string, labels Labels, read func() hist.Snapshot) {
	r.add(series{prometheus.NewDesc(name, help, nil, labels), func(desc *prometheus.Desc, ch chan<- prometheus.Metric) {
		snap := read()
		ch <- classic(desc, &snap)
	}})
}

// Stage adds the latency histogram of one stage, in seconds, read at each scrape. The
// stages share two metric names: qcat_stage_duration_seconds{stage="…"} has buckets of
// fixed bounds, qcat_stage_latency_seconds{stage="…"} is a native histogram. They have
// names of their own because a Prometheus that scrapes native histograms drops the fixed
// bounds of a metric that has both.
func (r *Registry) Stage(stage string, read func() hist.Snapshot) {
	once := PerScrape(r, read)
	labels := Labels{"stage": stage}
	r.add(series{prometheus.NewDesc("qcat_stage_duration_seconds", "Sampled time spent in one stage.", nil, labels),
		func(desc *prometheus.Desc, ch chan<- prometheus.Metric) { ch <- classic(desc, once()) }})
	r.add(series{prometheus.NewDesc("qcat_stage_latency_seconds", "Sampled time spent in one stage, as a native histogram.", nil, labels),
		func(desc *prometheus.Desc, ch chan<- prometheus.Metric) { ch <- native(desc, once(), r.began) }})
}

// bounds are the upper bounds of fixed buckets, in ns: three a decade from 50 ns to 10 s.
var bounds = []int64{
	50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 20e3, 50e3, 100e3, 200e3, 500e3,
	1e6, 2e6, 5e6, 10e6, 20e6, 50e6, 100e6, 200e6, 500e6, 1e9, 2e9, 5e9, 10e9,
}

// classic converts to buckets of fixed bounds.
func classic(desc *prometheus.Desc, snap *hist.Snapshot) prometheus.Metric {
	buckets := make(map[float64]uint64, len(bounds))
	var seen uint64
	next := 0 // the first bound that more may lie below
	for b := range snap.Buckets() {
		for ; next < len(bounds) && bounds[next] < b.High; next++ {
			buckets[float64(bounds[next])/1e9] = seen
		}
		seen += b.Count
	}
	for ; next < len(bounds); next++ {
		buckets[float64(bounds[next])/1e9] = seen
	}
	m, err := prometheus.NewConstHistogram(desc, snap.Count, float64(snap.Sum)/1e9, buckets)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}

const (
	// nativeSchema 3 divides an octave into 8 buckets, each 2^(1/8), 9.05 %, above the one
	// below it.
	nativeSchema = 3
	// nativeZero is below 1 ns: only what took no time at all is in the bucket of zero.
	nativeZero = 1e-10
)

// native converts to a native histogram: each bucket of snap goes where its upper bound
// belongs. The upper bound of the native bucket a sample is found in is therefore never
// below the sample, and above it by 2^(1/8)·(1+1/32) at most, 12.5 %: what the native
// buckets alone would leave open, and the width of one of ours.
func native(desc *prometheus.Desc, snap *hist.Snapshot, began time.Time) prometheus.Metric {
	buckets := make(map[int]int64, 64)
	var zero uint64
	for b := range snap.Buckets() {
		if b.High <= 0 {
			zero += b.Count
			continue
		}
		buckets[nativeBucket(b.High)] += int64(b.Count)
	}
	m, err := prometheus.NewConstNativeHistogram(desc, snap.Count, float64(snap.Sum)/1e9, buckets, nil, zero, nativeSchema, nativeZero, began)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}

// nativeBucket is the index of the bucket that holds ns: its upper bound is 2^(index/8)
// seconds, itself included.
func nativeBucket(ns int64) int {
	return int(math.Ceil(math.Log2(float64(ns)/1e9) * (1 << nativeSchema)))
}
