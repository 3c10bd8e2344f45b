package metrics

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of the status codes that HTTP has.
const (
	minStatus = 100
	maxStatus = 599
)

// Route is what is counted of the requests of one method and path: it looks each
// series up once, so that a request costs two atomic additions and no search by
// label, and one that never comes has no series. Safe for concurrent use.
type Route struct {
	requests *prometheus.CounterVec // of this method and path
	lookup   func() prometheus.Observer
	duration atomic.Pointer[prometheus.Observer]
	statuses [maxStatus - minStatus + 1]atomic.Pointer[prometheus.Counter]
}

// Route returns what counts requests of one method and path. Both become labels:
// they must come from a fixed list, never from a client.
func (r *Registry) Route(method, path string) *Route {
	labels := Labels{"method": method, "path": path}
	return &Route{requests: r.requests.MustCurryWith(labels),
		lookup: func() prometheus.Observer { return r.duration.With(labels) }}
}

// Observe counts one answered request. It does not allocate but for the first
// answer of each status.
func (r *Route) Observe(status int, took time.Duration) {
	r.status(status).Inc()
	d := r.duration.Load()
	if d == nil {
		found := r.lookup()
		d = &found
		r.duration.Store(d) // whoever else does so stores the same
	}
	(*d).Observe(took.Seconds())
}

// status returns the counter of a status; one that is none counts as 500.
func (r *Route) status(code int) prometheus.Counter {
	if code < minStatus || code > maxStatus {
		code = 500
	}
	at := &r.statuses[code-minStatus]
	if c := at.Load(); c != nil {
		return *c
	}
	c := r.requests.WithLabelValues(strconv.Itoa(code))
	at.Store(&c) // whoever else does so stores the same
	return c
}
