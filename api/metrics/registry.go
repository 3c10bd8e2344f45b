package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// Registry holds the server's metrics.
type Registry struct {
	reg      *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	handler  fasthttp.RequestHandler
	began    time.Time // what is counted was zero then

	mu     sync.Mutex // of what follows, and of what is read at a scrape: one scrape at a time
	series []series
	known  map[string]bool // descriptions, so that none is there twice
	scrape uint64          // the number of the scrape that is under way
}

// requestBounds are the buckets of http_request_duration_seconds: three a decade, from an
// order that meets an idle engine to a question that waits for a database.
var requestBounds = []float64{
	10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 0.1, 0.2, 0.5, 1, 2, 5, 10,
}

// New returns a registry with the HTTP, Go runtime and process metrics.
func New() *Registry {
	r := &Registry{
		reg:   prometheus.NewRegistry(),
		began: time.Now(),
		known: map[string]bool{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "HTTP requests answered.",
		}, []string{"method", "path", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time from the request's being read to its answer's being ready.",
			Buckets: requestBounds,
		}, []string{"method", "path"}),
	}
	r.reg.MustRegister(r.requests, r.duration, (*sampled)(r),
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsScheduler)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// Answers are not compressed: that would cost more than all of the rest.
	r.handler = fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(r.reg, promhttp.HandlerOpts{DisableCompression: true}))
	return r
}

// Handler serves /metrics, as text or, to who asks for it, as protobuf.
func (r *Registry) Handler(c *fasthttp.RequestCtx) { r.handler(c) }
