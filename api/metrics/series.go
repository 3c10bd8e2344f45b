package metrics

import "github.com/prometheus/client_golang/prometheus"

// Labels are the constant labels of one series.
type Labels = prometheus.Labels

// series is one description and what it is read from at a scrape, on the scraping
// goroutine and under the registry's lock.
type series struct {
	desc    *prometheus.Desc
	collect func(desc *prometheus.Desc, ch chan<- prometheus.Metric)
}

// add keeps a series. One that is there already is a mistake in the program, and add
// panics.
func (r *Registry) add(s series) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := s.desc.String()
	if r.known[id] {
		panic("metrics: registered twice: " + id)
	}
	r.known[id] = true
	r.series = append(r.series, s)
}

// Counter adds a series whose value is read at each scrape and never falls.
func (r *Registry) Counter(name, help string, labels Labels, read func() uint64) {
	r.value(name, help, labels, prometheus.CounterValue, func() float64 { return float64(read()) })
}

// Gauge adds a series whose value is read at each scrape.
func (r *Registry) Gauge(name, help string, labels Labels, read func() float64) {
	r.value(name, help, labels, prometheus.GaugeValue, read)
}

func (r *Registry) value(name, help string, labels Labels, kind prometheus.ValueType, read func() float64) {
	r.add(series{prometheus.NewDesc(name, help, nil, labels), func(desc *prometheus.Desc, ch chan<- prometheus.Metric) {
		ch <- prometheus.MustNewConstMetric(desc, kind, read())
	}})
}

// Gauges adds series of one name that are told apart by the values of labels, and that
// come and go: each scrape shows those that read emits, each pair of values at most once.
// What labels can be must be bounded by the program, never by a client.
func (r *Registry) Gauges(name, help string, labels []string, read func(emit func(value float64, labels ...string))) {
	r.add(series{prometheus.NewDesc(name, help, labels, nil), func(desc *prometheus.Desc, ch chan<- prometheus.Metric) {
		read(func(value float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
		})
	}})
}

// PerScrape returns a function that calls read once a scrape and otherwise returns what
// it got: for several series that are parts of one snapshot. It may be called only by the
// functions that are handed to r.
func PerScrape[T any](r *Registry, read func() T) func() *T {
	var value T
	var scrape uint64
	return func() *T {
		if scrape != r.scrape {
			value, scrape = read(), r.scrape
		}
		return &value
	}
}

// sampled is the registry as the collector of everything that is read at a scrape. It
// describes nothing beforehand: parts of the server come to it one by one, while it
// starts and may be scraped already.
type sampled Registry

// Describe implements prometheus.Collector.
func (*sampled) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (r *sampled) Collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scrape++
	for i := range r.series {
		r.series[i].collect(r.series[i].desc, ch)
	}
}
