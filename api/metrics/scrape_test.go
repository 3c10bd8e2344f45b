package metrics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"qcat/core/hist"
)

// What comes and goes is shown as it is at each scrape.
func TestGauges(t *testing.T) {
	r := New()
	values := map[string]float64{"a": 1, "b": 2}
	r.Gauges("g", "g", []string{"k"}, func(emit func(float64, ...string)) {
		for k, v := range values {
			emit(v, k)
		}
	})
	wantLines(t, scrape(t, r), map[string]string{`g{k="a"}`: "1", `g{k="b"}`: "2"})
	delete(values, "a")
	wantLines(t, scrape(t, r), map[string]string{`g{k="a"}`: "", `g{k="b"}`: "2"})
}

// Series that are parts of one snapshot take it once a scrape.
func TestPerScrape(t *testing.T) {
	r, taken := New(), 0
	read := PerScrape(r, func() int { taken++; return taken })
	for _, k := range []string{"a", "b", "c"} {
		r.Gauge("g", "g", Labels{"k": k}, func() float64 { return float64(*read()) })
	}
	for i, want := range []string{"1", "2"} {
		wantLines(t, scrape(t, r), map[string]string{`g{k="a"}`: want, `g{k="b"}`: want, `g{k="c"}`: want})
		if taken != i+1 {
			t.Fatalf("%d snapshots in %d scrapes", taken, i+1)
		}
	}
}

func TestRegisteredTwice(t *testing.T) {
	r := New()
	r.Gauge("g", "g", Labels{"k": "a"}, func() float64 { return 0 })
	r.Gauge("g", "g", Labels{"k": "b"}, func() float64 { return 0 })
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	r.Counter("g", "g", Labels{"k": "a"}, func() uint64 { return 0 })
}

// Who asks for protobuf gets it, and in it native histograms.
func TestProtobuf(t *testing.T) {
	r := New()
	var h hist.Histogram
	h.Record(1000)
	r.Stage("one", h.Snapshot)
	var c fasthttp.RequestCtx
	var request fasthttp.Request
	request.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.5")
	request.Header.Set("Accept-Encoding", "gzip")
	c.Init(&request, nil, nil)
	r.Handler(&c)
	if kind := string(c.Response.Header.ContentType()); !strings.HasPrefix(kind, "application/vnd.google.protobuf") {
		t.Errorf("content type %s", kind)
	}
	if coding := c.Response.Header.ContentEncoding(); len(coding) > 0 {
		t.Errorf("it was compressed: %s", coding)
	}
	if !strings.Contains(string(c.Response.Body()), "qcat_stage_latency_seconds") {
		t.Error("no native histogram")
	}
}

// BenchmarkScrape reads as many series as a server has: 20 stages, 400 counters, the Go
// runtime's.
func BenchmarkScrape(b *testing.B) {
	for _, accept := range []string{"text/plain", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"} {
		b.Run(accept[:strings.IndexByte(accept, '/')+5], func(b *testing.B) {
			r := New()
			for i := range 400 {
				r.Counter("c_total", "c", Labels{"k": fmt.Sprint(i)}, func() uint64 { return uint64(i) })
			}
			for i := range 20 {
				h := new(hist.Histogram)
				for v := range int64(1 << 12) {
					h.Record(v * 1000)
				}
				r.Stage(fmt.Sprint(i), h.Snapshot)
			}
			var request fasthttp.Request
			request.Header.Set("Accept", accept)
			b.ReportAllocs()
			for b.Loop() {
				var c fasthttp.RequestCtx
				c.Init(&request, nil, nil)
				if r.Handler(&c); c.Response.StatusCode() != fasthttp.StatusOK {
					b.Fatal(string(c.Response.Body()))
				}
			}
		})
	}
}
