package main

// infrastructure shows the process, what is kept, the databases, and what watches.
func infrastructure() board {
	return board{
		uid: "qcat-infrastructure", title: "QCAT / Infrastructure", about: "The process and its disk, stores and backups, Postgres, Redis, Prometheus and Alertmanager.",
		variables: []variable{instances},
		sections: []section{
			{"Process", []panel{
				{title: "Processors", about: "Processor seconds a second. The engine may spin on one of its own.", queries: one(`rate(process_cpu_seconds_total{`+ofQCAT+`}[$__rate_interval])`, "{{instance}}")},
				{title: "Memory", about: "What the process holds, what of it is live on the heap, and the heap's goal.", unit: "bytes",
					queries: []query{{`process_resident_memory_bytes{` + ofQCAT + `}`, "resident"}, {`go_gc_heap_live_bytes{` + ofQCAT + `}`, "live"}, {`go_gc_heap_goal_bytes{` + ofQCAT + `}`, "goal"}}},
				{title: "Goroutines and files", about: "Both grow with clients, and should fall with them.",
					queries: []query{{`go_goroutines{` + ofQCAT + `}`, "goroutines"}, {`process_open_fds{` + ofQCAT + `}`, "open files"}}},
			}},
			{"Journal", []panel{
				{title: "Records", about: "Records a second that the journal took.", unit: "ops", queries: one(`sum(rate(qcat_journal_records_total{instance=~"$instance"}[$__rate_interval]))`, "records")},
				{title: "Waiting for the disk", about: "Records and bytes that are not safe on the disk yet.",
					queries: []query{{`max(qcat_journal_lag_records{instance=~"$instance"})`, "records"}, {`max by (log) (qcat_log_buffered_bytes{instance=~"$instance"})`, "{{log}} bytes"}}},
				panel{title: "Age of what waits", about: "Age of the oldest record that is not safe on the disk. Above a second it is an alert.", unit: "s",
					queries: one(`max(qcat_journal_lag_seconds{instance=~"$instance"})`, "lag")}.limits(0.1, 1),
				{title: "Size of the logs", about: "All files of each log; retention deletes what stores and snapshots have passed.", unit: "bytes", queries: one(`max by (log) (qcat_log_bytes{instance=~"$instance"})`, "{{log}}")},
				panel{title: "Trouble", about: "Halted, disk full, records refused and records deleted unstored in the last hour. All should be 0.",
					queries: []query{{`max by (log) (qcat_log_failed{instance=~"$instance"})`, "{{log}} halted"}, {`max by (log) (qcat_log_disk_full{instance=~"$instance"})`, "{{log}} disk full"},
						{`sum by (log) (increase(qcat_log_refused_total{instance=~"$instance"}[1h]))`, "{{log}} refused"}, {`sum by (log) (increase(qcat_log_dropped_records_total{instance=~"$instance"}[1h]))`, "{{log}} deleted unstored"}}}.limits(1, 1),
				{title: "Snapshots", about: "Age of the newest, and failures in the last hour.", unit: "s",
					queries: []query{{`max((time() - (qcat_snapshot_timestamp_seconds{instance=~"$instance"} > 0)) or 0 * up{job="qcat", instance=~"$instance"})`, "age"}, {`sum(increase(qcat_snapshot_failures_total{instance=~"$instance"}[1h]))`, "failures"}}},
			}},
			{"Stores", []panel{
				panel{title: "Lag", about: "Age of the oldest record that is not in the database. After it was away it falls as the store catches up.", unit: "s",
					queries: one(`max by (stream) (qcat_store_lag_seconds{instance=~"$instance"})`, "{{stream}}")}.limits(10, 60),
				{title: "Behind", about: "Records that are not in the database yet.", queries: one(`max by (stream) (qcat_store_behind_records{instance=~"$instance"})`, "{{stream}}")},
				{title: "Rows and errors", about: "Rows a second that were stored, and calls that failed.", unit: "ops",
					queries: []query{{`sum by (stream) (rate(qcat_store_rows_total{instance=~"$instance"}[$__rate_interval]))`, "{{stream}} rows"}, {`sum by (stream) (rate(qcat_store_errors_total{instance=~"$instance"}[$__rate_interval]))`, "{{stream}} errors"}}},
			}},
			{"Backups and certificates", []panel{
				stat("Age", "Of the last good backup; 0 where there is none yet.", "s", `max((time() - (qcat_backup_last_success_timestamp_seconds{instance=~"$instance"} > 0)) or 0 * up{job="qcat", instance=~"$instance"})`).limits(86400, 93600).wide(4),
				stat("Took", "Duration of the last backup.", "s", `max(qcat_backup_last_duration_seconds{instance=~"$instance"}) or vector(0)`).wide(4),
				stat("Size", "Of the last backup. A sudden change deserves a look.", "bytes", `max(qcat_backup_last_bytes{instance=~"$instance"}) or vector(0)`).wide(4),
				stat("Verified", "Whether the newest backup was read back and found whole.", "", `min(qcat_backup_verified{instance=~"$instance"}) or vector(0)`).named(map[string]state{"0": {"no", orange}, "1": {"yes", green}}).wide(4),
				stat("Failures today", "Backups that failed in the last 24 hours.", "", `sum(increase(qcat_backup_failures_total{instance=~"$instance"}[24h])) or vector(0)`).limits(1, 3).wide(4),
				panel{title: "Certificates", about: "Time until each ends; 0 where none is watched.", kind: "stat", unit: "s", width: 4, height: 4,
					queries: one(`min by (file) (qcat_tls_file_expiry_seconds{instance=~"$instance"} or qcat_tls_certificate_expiry_seconds{instance=~"$instance"}) or vector(0)`, "{{file}}")}.atLeast(14*86400, 3*86400),
			}},
			{"Postgres", []panel{
				{title: "Connections", about: "By database. Above 80% of max_connections it is an alert.", queries: one(`sum by (datname) (pg_stat_database_numbackends{datname!=""})`, "{{datname}}")},
				panel{title: "Connections used", about: "Share of max_connections.", queries: one(`instance:pg_connections:ratio`, "{{instance}}")}.limits(0.6, 0.8).ratio(),
				{title: "Transactions", about: "Committed and rolled back, a second.", unit: "ops",
					queries: []query{{`sum by (datname) (rate(pg_stat_database_xact_commit{datname!~"|postgres|template.*"}[$__rate_interval]))`, "commits"}, {`sum by (datname) (rate(pg_stat_database_xact_rollback{datname!~"|postgres|template.*"}[$__rate_interval]))`, "rollbacks"}}},
				panel{title: "Read from memory", about: "Share of blocks that were found in shared buffers. Much below 99%: shared_buffers is small for what is asked.",
					queries: one(`sum(rate(pg_stat_database_blks_hit{datname!~"|postgres|template.*"}[$__rate_interval])) / clamp_min(sum(rate(pg_stat_database_blks_hit{datname!~"|postgres|template.*"}[$__rate_interval])) + sum(rate(pg_stat_database_blks_read{datname!~"|postgres|template.*"}[$__rate_interval])), 0.001)`, "qcat")}.ratio(),
				{title: "Size", about: "Of each database that is not one of Postgres itself.", unit: "bytes", queries: one(`pg_database_size_bytes{datname!~"|postgres|template.*"}`, "{{datname}}")},
				panel{title: "Deadlocks", about: "In the last hour. QCAT's writers never take locks in two orders: one here comes from elsewhere.", queries: one(`sum(increase(pg_stat_database_deadlocks{datname!~"|postgres|template.*"}[1h]))`, "deadlocks")}.limits(1, 5),
			}},
			{"Redis", []panel{
				{title: "Memory", about: "Used, and the most that it may use (0: no limit).", unit: "bytes", queries: []query{{`redis_memory_used_bytes`, "used"}, {`redis_memory_max_bytes`, "limit"}}},
				{title: "Commands", about: "Commands a second, of all clients.", unit: "ops", queries: one(`rate(redis_commands_processed_total[$__rate_interval])`, "{{instance}}")},
				{title: "Clients and evictions", about: "Connections, and keys thrown out for want of memory in the last hour.",
					queries: []query{{`redis_connected_clients`, "clients"}, {`increase(redis_evicted_keys_total[1h])`, "evicted"}}},
			}},
			{"Monitoring", []panel{
				panel{title: "Scrapes", about: "Time that a scrape of each target took. Above 4 s it is given up.", unit: "s", queries: one(`scrape_duration_seconds`, "{{job}}")}.limits(1, 4),
				{title: "Series", about: "Series in Prometheus's memory. It should be level.", queries: one(`prometheus_tsdb_head_series`, "{{instance}}")},
				{title: "Notifications", about: "Sent by Alertmanager, and failed, in the last hour.",
					queries: []query{{`sum(increase(alertmanager_notifications_total[1h]))`, "sent"}, {`sum(increase(alertmanager_notifications_failed_total[1h]))`, "failed"}}},
			}},
		},
	}
}
