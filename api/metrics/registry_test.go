package metrics

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/core/hist"
)

// scrape returns the lines of /metrics.
func scrape(t *testing.T, r *Registry) map[string]string {
	t.Helper()
	var c fasthttp.RequestCtx
	c.Init(&fasthttp.Request{}, nil, nil)
	r.Handler(&c)
	if c.Response.StatusCode() != fasthttp.StatusOK {
		t.Fatalf("status %d: %s", c.Response.StatusCode(), c.Response.Body())
	}
	lines := map[string]string{}
	for line := range strings.Lines(string(c.Response.Body())) {
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			lines[line[:i]] = strings.TrimSpace(line[i+1:])
		}
	}
	return lines
}

func wantLines(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestRoute(t *testing.T) {
	r := New()
	orders := r.Route("POST", "/api/v1/orders")
	orders.Observe(201, 15*time.Microsecond)
	orders.Observe(201, 30*time.Millisecond)
	orders.Observe(422, time.Millisecond)
	orders.Observe(-1, time.Millisecond)
	orders.Observe(1_000_000, time.Hour)
	r.Route("GET", "/api/v1/orders").Observe(200, time.Second)
	wantLines(t, scrape(t, r), map[string]string{
		`http_requests_total{method="POST",path="/api/v1/orders",status="201"}`:                "2",
		`http_requests_total{method="POST",path="/api/v1/orders",status="422"}`:                "1",
		`http_requests_total{method="POST",path="/api/v1/orders",status="500"}`:                "2",
		`http_requests_total{method="GET",path="/api/v1/orders",status="200"}`:                 "1",
		`http_request_duration_seconds_count{method="POST",path="/api/v1/orders"}`:             "5",
		`http_request_duration_seconds_bucket{method="POST",path="/api/v1/orders",le="2e-05"}`: "1",
		`http_request_duration_seconds_bucket{method="POST",path="/api/v1/orders",le="0.05"}`:  "4",
	})
}

func TestRouteConcurrent(t *testing.T) {
	r := New()
	route := r.Route("GET", "/x")
	const workers, each = 4, 1000
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range each {
				route.Observe(200+i%3, time.Microsecond)
			}
		})
	}
	wg.Wait()
	lines, sum := scrape(t, r), 0
	for status := 200; status < 203; status++ {
		n, _ := strconv.Atoi(lines[`http_requests_total{method="GET",path="/x",status="`+strconv.Itoa(status)+`"}`])
		sum += n
	}
	if sum != workers*each {
		t.Errorf("%d requests counted, %d made", sum, workers*each)
	}
}

func TestReadAtScrape(t *testing.T) {
	r := New()
	count, gauge := uint64(7), 1.5
	var h hist.Histogram
	r.Counter("c_total", "c", Labels{"k": "v"}, func() uint64 { return count })
	r.Gauge("g", "g", nil, func() float64 { return gauge })
	r.Stage("one", h.Snapshot)
	r.Stage("two", h.Snapshot)
	h.Record(80)
	h.Record(3_000)
	h.Record(5_000_000_000)
	wantLines(t, scrape(t, r), map[string]string{
		`c_total{k="v"}`: "7",
		`g`:              "1.5",
		`qcat_stage_duration_seconds_count{stage="one"}`:             "3",
		`qcat_stage_duration_seconds_count{stage="two"}`:             "3",
		`qcat_stage_duration_seconds_bucket{stage="one",le="5e-08"}`: "0",
		`qcat_stage_duration_seconds_bucket{stage="one",le="1e-07"}`: "1",
		`qcat_stage_duration_seconds_bucket{stage="one",le="1e-05"}`: "2",
		`qcat_stage_duration_seconds_bucket{stage="one",le="1"}`:     "2",
		`qcat_stage_duration_seconds_bucket{stage="one",le="+Inf"}`:  "3",
	})
	count, gauge = 8, 2
	wantLines(t, scrape(t, r), map[string]string{`c_total{k="v"}`: "8", `g`: "2"})
	for _, prefix := range []string{"go_", "process_"} {
		found := false
		for name := range scrape(t, r) {
			found = found || strings.HasPrefix(name, prefix)
		}
		if !found {
			t.Errorf("no metric begins with %s", prefix)
		}
	}
}
