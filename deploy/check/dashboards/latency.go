package main

import "fmt"

// quantile asks for one quantile of a classic histogram, of everything that a selector
// chooses. Where nothing was observed it is 0.
func quantile(q, metric, selector string) string {
	return fmt.Sprintf(`histogram_quantile(%s, sum by (le) (rate(%s_bucket{%s}[$__rate_interval]))) >= 0 or vector(0)`, q, metric, selector)
}

// stageQuantile is that of the stages, whose native histogram is finer; a Prometheus without
// native histograms has the classic one alone.
func stageQuantile(q, selector string) string {
	return fmt.Sprintf(`histogram_quantile(%s, sum(rate(qcat_stage_latency_seconds{%s}[$__rate_interval]))) >= 0 or `, q, selector) +
		quantile(q, "qcat_stage_duration_seconds", selector)
}

// usual are the quantiles that are shown.
var usual = []struct{ of, legend string }{{"0.5", "p50"}, {"0.9", "p90"}, {"0.99", "p99"}, {"0.999", "p99.9"}}

func quantiles(metric, selector string) (qs []query) {
	for _, q := range usual {
		qs = append(qs, query{quantile(q.of, metric, selector), q.legend})
	}
	return qs
}

func stageQuantiles(selector string) (qs []query) {
	for _, q := range usual {
		qs = append(qs, query{stageQuantile(q.of, selector), q.legend})
	}
	return qs
}

const ofQCAT = `job="qcat", instance=~"$instance"`

// latency shows where time goes, from the wire to the disk and back.
func latency() board {
	return board{
		uid: "qcat-latency", title: "QCAT / Latency", about: "Where time goes: stages of market data and of orders, the journal's disk, HTTP, and the runtime's pauses.",
		variables: []variable{instances, stages},
		sections: []section{
			{"Stages", []panel{
				{title: "Half of what passes (p50)", about: "Median of each stage over 5 minutes. A stage that nothing passed is not shown.", unit: "s", width: 12,
					queries: one(`stage:qcat_stage_latency_seconds:p50_rate5m{instance=~"$instance"} or 0 * up{job="qcat", instance=~"$instance"}`, "{{stage}}")},
				{title: "All but one in a hundred (p99)", about: "A stage whose p99 rises alone is where to look; if all rise together, the machine is short of processors.", unit: "s", width: 12,
					queries: one(`stage:qcat_stage_latency_seconds:p99_rate5m{instance=~"$instance"} or 0 * up{job="qcat", instance=~"$instance"}`, "{{stage}}")},
				{title: "Chosen stages", about: "Quantiles over all stages that are chosen above.", unit: "s", width: 12,
					queries: stageQuantiles(`instance=~"$instance", stage=~"$stage"`)},
				{title: "Observations", about: "Samples a second that the quantiles stand on.", unit: "ops", width: 12,
					queries: one(`sum by (stage) (rate(qcat_stage_duration_seconds_count{instance=~"$instance", stage=~"$stage"}[$__rate_interval]))`, "{{stage}}")},
			}},
			{"Journal and HTTP", []panel{
				{title: "Sync of the journal", about: "Time of one sync of the disk; every order waits for one. Above 100 ms the disk is too slow.", unit: "s",
					queries: quantiles("qcat_journal_sync_seconds", `instance=~"$instance"`)},
				{title: "HTTP", about: "From a request's being read to its answer's being ready, without probes.", unit: "s",
					queries: quantiles("http_request_duration_seconds", ofQCAT+`, path!~"/health|/ready|/metrics"`)},
				{title: "HTTP by route (p99)", about: "The ten slowest routes.", unit: "s",
					queries: one(`topk(10, histogram_quantile(0.99, sum by (method, path, le) (rate(http_request_duration_seconds_bucket{`+ofQCAT+`}[$__rate_interval])))) or vector(0)`, "{{method}} {{path}}")},
			}},
			{"Runtime", []panel{
				{title: "Pauses of the collector", about: "Time in which everything stood still for the collector. Above a millisecond it shows in p99.9 of orders.", unit: "s",
					queries: quantiles("go_sched_pauses_total_gc_seconds", ofQCAT)},
				{title: "Waiting for a processor", about: "Time in which a goroutine could run and did not. It rises when the machine is short of processors.", unit: "s",
					queries: quantiles("go_sched_latencies_seconds", ofQCAT)},
				{title: "Collections", about: "Collections a minute. Many: memory is close to its limit, or something allocates on a path that should not.", unit: "short",
					queries: one(`60 * rate(go_gc_cycles_total_gc_cycles_total{`+ofQCAT+`}[$__rate_interval])`, "{{instance}}")},
			}},
		},
	}
}
