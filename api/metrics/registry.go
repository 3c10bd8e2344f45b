package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"qcat/core/hist"
)

// Registry holds the server's metrics.
type Registry struct {
	reg      *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	handler  fasthttp.RequestHandler
}

// New returns a registry with the HTTP, Go runtime and process metrics.
func New() *Registry {
	r := &Registry{
		reg: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "HTTP requests answered.",
		}, []string{"method", "path", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time from the request's being read to its answer's being ready.",
			Buckets: []float64{20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3, 0.1, 0.5, 1, 5},
		}, []string{"method", "path"}),
	}
	r.reg.MustRegister(r.requests, r.duration,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsScheduler)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.handler = fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(r.reg, promhttp.HandlerOpts{}))
	return r
}

// Handler serves /metrics.
func (r *Registry) Handler(c *fasthttp.RequestCtx) { r.handler(c) }

// Labels are the constant labels of one series.
type Labels = prometheus.Labels

// Counter adds a series whose value is read at each scrape and never falls.
func (r *Registry) Counter(name, help string, labels Labels, read func() uint64) {
	r.reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
		func() float64 { return float64(read()) }))
}

// Gauge adds a series whose value is read at each scrape.
func (r *Registry) Gauge(name, help string, labels Labels, read func() float64) {
	r.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// Stage adds the latency histogram of one stage, in seconds, read at each scrape.
// The stages share one metric name: qcat_stage_duration_seconds{stage="…"}.
func (r *Registry) Stage(stage string, read func() hist.Snapshot) {
	r.reg.MustRegister(&stageCollector{
		desc: prometheus.NewDesc("qcat_stage_duration_seconds", "Sampled time spent in one stage.", nil, Labels{"stage": stage}),
		read: read,
	})
}

// stageBounds are the upper bounds shown, in ns: three a decade from 50 ns to 1 s.
var stageBounds = []int64{
	50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 20e3, 50e3, 100e3, 200e3, 500e3,
	1e6, 2e6, 5e6, 10e6, 20e6, 50e6, 100e6, 200e6, 500e6, 1e9,
}

// stageCollector converts a hist.Snapshot when it is scraped.
type stageCollector struct {
	desc *prometheus.Desc
	read func() hist.Snapshot
}

// Describe implements prometheus.Collector.
func (s *stageCollector) Describe(ch chan<- *prometheus.Desc) { ch <- s.desc }

// Collect implements prometheus.Collector.
func (s *stageCollector) Collect(ch chan<- prometheus.Metric) {
	snap := s.read()
	buckets := make(map[float64]uint64, len(stageBounds))
	for _, ns := range stageBounds {
		buckets[float64(ns)/1e9] = snap.CountAtMost(ns)
	}
	m, err := prometheus.NewConstHistogram(s.desc, snap.Count, float64(snap.Sum)/1e9, buckets)
	if err != nil {
		m = prometheus.NewInvalidMetric(s.desc, err)
	}
	ch <- m
}
