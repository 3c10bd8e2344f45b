package main

const (
	green  = "green"
	orange = "orange"
	red    = "red"
)

var (
	upDown  = map[string]state{"0": {"DOWN", red}, "1": {"UP", green}}
	trading = map[string]state{"0": {"ACTIVE", green}, "1": {"REDUCING", orange}, "2": {"HALTED", red}}
	yesNo   = map[string]state{"0": {"no", green}, "1": {"YES", red}}
)

// overview answers on one screen whether all is well, and where to look if not.
func overview() board {
	return board{
		uid: "qcat-overview", title: "QCAT / Overview", about: "Is it well, and if not, where? The first line is the answer; each number has a dashboard of its own behind it.",
		variables: []variable{instances},
		sections: []section{
			{"", []panel{
				stat("QCAT", "Whether the server answers Prometheus. DOWN: no order is taken.", "", `min(up{job="qcat", instance=~"$instance"})`).named(upDown),
				stat("Trading", "State of the firm. REDUCING and HALTED stay until somebody resumes trading.", "", `max(qcat_trading_state{scope="firm", instance=~"$instance"})`).named(trading),
				stat("Alerts", "Alerts that fire now; the list below has them.", "", `count(ALERTS{alertstate="firing"}) or vector(0)`).limits(1, 3),
				stat("Feed silence", "Longest time for which a feed has sent nothing. Orders need a live price.", "s", `max(qcat_feed_staleness_seconds{instance=~"$instance"})`).limits(5, 10),
				stat("Journal lag", "Age of the oldest record that is not safe on the disk: orders wait for it.", "s", `max(qcat_journal_lag_seconds{instance=~"$instance"})`).limits(0.1, 1),
				stat("Database lag", "Age of the oldest record that is not in the database. Orders do not wait for it.", "s", `max(qcat_store_lag_seconds{instance=~"$instance"})`).limits(10, 60),
				stat("Errors", "Share of requests answered with a 5xx status, of the last 5 minutes, without probes.", "percentunit", `max(instance:http_request_errors:ratio_rate5m{instance=~"$instance"})`).limits(0.01, 0.05),
				stat("Limit used", "The limit nearest to being used up, of all controls and levels.", "percentunit", `max(qcat_limit_utilisation_ratio{instance=~"$instance"}) or vector(0)`).limits(0.8, 0.95),
			}},
			{"", []panel{
				{title: "Alerts that fire or are about to", about: "From the rules of Prometheus. Each has a section in chapter 3 of docs/operations.md, to which its runbook link leads.", kind: "alertlist", width: 8, height: 8},
				{title: "What answers", about: "One line a part: QCAT, the exporters, Prometheus and Alertmanager; and whether the exporters reach Postgres and Redis.", kind: "stat", width: 8, height: 8,
					queries: []query{{`up`, "{{job}}"}, {`pg_up`, "postgres server"}, {`redis_up`, "redis server"}}, states: upDown},
				panel{title: "Limits, most used first", about: "The ten limits nearest to being used up; beyond 100% orders are refused.", kind: "bargauge", width: 8, height: 8,
					queries: one(`topk(10, max by (control, level) (qcat_limit_utilisation_ratio{instance=~"$instance"})) or vector(0)`, "{{control}} {{level}}")}.limits(0.8, 0.95).ratio(),
			}},
			{"Traffic", []panel{
				{title: "Orders", about: "New orders a second by outcome. Many refused: see the dashboard of risk. Any shed: the engine is overloaded.", unit: "ops", stack: true,
					queries: one(`sum by (outcome) (rate(qcat_orders_total{kind="new", instance=~"$instance"}[$__rate_interval]))`, "{{outcome}}")},
				{title: "Requests", about: "HTTP requests a second by status. 429: somebody sends too much. 5xx: look at the log.", unit: "reqps", stack: true,
					queries: one(`sum by (status) (rate(http_requests_total{job="qcat", instance=~"$instance"}[$__rate_interval]))`, "{{status}}")},
				panel{title: "Response time", about: "Half, and all but one in twenty and one in a hundred, of the requests were answered within.", unit: "s",
					queries: []query{
						{`instance:http_request_duration_seconds:p95_rate5m{instance=~"$instance"}`, "p95"},
						{`instance:http_request_duration_seconds:p99_rate5m{instance=~"$instance"}`, "p99"},
					}}.limits(0.25, 0.5),
				{title: "Market data", about: "Messages a second by feed. A line that falls to zero is a feed that is silent.", unit: "ops",
					queries: one(`sum by (feed) (rate(qcat_feed_messages_total{instance=~"$instance"}[$__rate_interval]))`, "{{feed}}")},
				{title: "WebSocket clients", about: "Connections that are open.", queries: one(`sum by (instance) (qcat_ws_connections{instance=~"$instance"})`, "{{instance}}")},
				panel{title: "Memory", about: "What QCAT uses of its limit; beyond 90% the collector works without end.", queries: one(`instance:qcat_memory:ratio{instance=~"$instance"}`, "{{instance}}")}.limits(0.8, 0.9).ratio(),
			}},
			{"What is kept", []panel{
				stat("Last good backup", "Age of it. One a day is due; more than 26 hours is an alert. None yet: 0.", "s", `max((time() - (qcat_backup_last_success_timestamp_seconds{instance=~"$instance"} > 0)) or 0 * up{job="qcat", instance=~"$instance"})`).limits(86400, 93600).wide(4),
				stat("Newest snapshot", "Age of it: what a start has to replay.", "s", `max((time() - (qcat_snapshot_timestamp_seconds{instance=~"$instance"} > 0)) or 0 * up{job="qcat", instance=~"$instance"})`).limits(3600, 7200).wide(4),
				stat("Certificate", "Time until the first certificate ends.", "s", `min(qcat_tls_file_expiry_seconds{instance=~"$instance"} or qcat_tls_certificate_expiry_seconds{instance=~"$instance"}) or vector(0)`).atLeast(14*86400, 3*86400).wide(4),
				stat("Journal halted", "Whether the journal takes no more records: then every order is refused.", "", `max(qcat_log_failed{log="journal", instance=~"$instance"})`).named(yesNo).wide(4),
				stat("Orders in doubt", "Orders of which nobody knows what their venue made of them.", "", `sum(qcat_orders_unknown{instance=~"$instance"})`).limits(1, 1).wide(4),
				stat("Up for", "Time since the start of the server.", "s", `min(time() - process_start_time_seconds{job="qcat", instance=~"$instance"})`).wide(4),
			}},
		},
	}
}
