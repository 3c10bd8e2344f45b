package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"qcat/feed/fakevenue"
	"qcat/persist/redis/redistest"
)

// family is one metric, as the document or a scrape has it.
type family struct {
	kind   string
	labels []string // in ascending order
}

var (
	documentRow = regexp.MustCompile("(?m)^\\| `((?:qcat|http)_\\w+)` \\| (\\w+) \\| ([^|]*) \\| ([^|]+) \\| [^|]+ \\|$")
	nameInTicks = regexp.MustCompile("`(\\w+)`")
	scrapedType = regexp.MustCompile(`(?m)^# TYPE (\w+) (\w+)$`)
	scrapedLine = regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? \S+$`)
	labelName   = regexp.MustCompile(`(\w+)="(?:[^"\\]|\\.)*"`)
)

// documented are the metrics of docs/metrics.md.
func documented(t *testing.T) map[string]family {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]family{}
	for _, m := range documentRow.FindAllStringSubmatch(string(text), -1) {
		f := family{kind: m[2]}
		for _, l := range nameInTicks.FindAllStringSubmatch(m[3], -1) {
			f.labels = append(f.labels, l[1])
		}
		slices.Sort(f.labels)
		if _, twice := all[m[1]]; twice {
			t.Errorf("docs/metrics.md has %s twice", m[1])
		}
		all[m[1]] = f
	}
	return all
}

// scraped are the metrics of a scrape.
func scraped(text string) map[string]family {
	all := map[string]family{}
	for _, m := range scrapedType.FindAllStringSubmatch(text, -1) {
		all[m[1]] = family{kind: m[2]}
	}
	for _, m := range scrapedLine.FindAllStringSubmatch(text, -1) {
		name := m[1]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && all[base].kind == "histogram" {
				name = base
			}
		}
		f := all[name]
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" && l[1] != "quantile" && !slices.Contains(f.labels, l[1]) {
				f.labels = append(f.labels, l[1])
			}
		}
		slices.Sort(f.labels)
		all[name] = f
	}
	return all
}

// everything starts a server that has all there is to measure: TLS, users, Redis, a venue
// beside the simulated market, backups on a schedule. It returns what reads its /metrics.
func everything(t *testing.T) (scrape func(accept string) (body, kind string)) {
	t.Helper()
	s, dir := &site{t: t, dir: t.TempDir(), detect: true}, t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePair(t, cert, key, 1, time.Hour)
	src := fakevenue.Synthetic(fakevenue.SyntheticConfig{Symbols: []string{"BTCUSDT"}, Messages: 100})
	venue, err := fakevenue.New(src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = venue.Close() })
	s.run(0, "", "create-user", "adam", "--admin")
	p := start(t, s.dir, s.command("serve", "--listen", "127.0.0.1:0", "--config", sampleFile, "--sim-rate", "20",
		"--tls-cert", cert, "--tls-key", key, "--watch-certificates", cert, "--redis-url", redistest.Start(t).URL(),
		"--backup-schedule", "0 2 * * *", "--backup-dir", filepath.Join(dir, "backups"), "--feed", "sim;"+src.Market.Venue()+":BTCUSDT", "--log-file", filepath.Join(dir, "qcat.log"),
		"--binance-usdm-ws-url", venue.WS(), "--binance-usdm-rest-url", venue.REST()))
	c := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // its own certificate
	t.Cleanup(c.CloseIdleConnections)
	return func(accept string) (string, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+p.addr+"/metrics", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", accept)
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d, %v: %s", resp.StatusCode, err, body)
		}
		return string(body), resp.Header.Get("Content-Type")
	}
}

// TestMetricsAreDocumented: what docs/metrics.md says and what a server shows are the same
// metrics, of the same types, with the same labels; promtool finds no fault in them where
// it is installed; and who asks for protobuf gets it.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	scrape := everything(t)
	var text string
	eventually(t, "a walk over the limits", func() bool { // and the first scrape has been counted as a request
		text, _ = scrape("text/plain")
		return strings.Contains(text, "\nqcat_limit_utilisation_ratio{") && strings.Contains(text, "\nhttp_requests_total{")
	})
	said, shown := documented(t), scraped(text)
	if len(said) < 80 {
		t.Fatalf("docs/metrics.md has %d metrics that could be read", len(said))
	}
	for name, want := range said {
		got, there := shown[name]
		switch {
		case !there:
			t.Errorf("%s is in docs/metrics.md, and no server shows it", name)
		case got.kind != want.kind || !slices.Equal(got.labels, want.labels):
			t.Errorf("%s is a %s with labels %v, docs/metrics.md says a %s with %v", name, got.kind, got.labels, want.kind, want.labels)
		}
	}
	for name := range shown {
		if _, there := said[name]; !there && (strings.HasPrefix(name, "qcat_") || strings.HasPrefix(name, "http_")) {
			t.Errorf("%s is not in docs/metrics.md", name)
		}
	}
	for _, name := range []string{"go_sched_pauses_total_gc_seconds", "go_gc_duration_seconds", "go_gc_cycles_total_gc_cycles_total", "go_gc_heap_live_bytes",
		"go_sched_latencies_seconds", "go_goroutines", "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_cpu_seconds_total"} {
		if _, there := shown[name]; !there {
			t.Errorf("no %s", name)
		}
	}
	checkMetrics(t, text)
	if body, kind := scrape("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"); !strings.HasPrefix(kind,
		"application/vnd.google.protobuf") || !strings.Contains(body, "qcat_stage_latency_seconds") {
		t.Errorf("protobuf was asked for, %s came", kind)
	}
}

// checkMetrics has promtool look at a scrape, where it is installed.
func checkMetrics(t *testing.T, text string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed: it was not asked")
		return
	}
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil || out.Len() > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out.String())
	}
}
