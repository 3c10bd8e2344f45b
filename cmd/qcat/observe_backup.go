package main

import (
	"time"

	"qcat/api/metrics"
	"qcat/persist/backup/schedule"
)

// registerBackups puts the backups on /metrics, whoever made them.
func registerBackups(r *metrics.Registry, k *schedule.Keeper) {
	for _, g := range []struct {
		name, help string
		read       func(*schedule.Stats) float64
	}{
		{"qcat_backup_last_success_timestamp_seconds", "When the newest verified backup began; 0: there is none.", func(s *schedule.Stats) float64 { return unixSeconds(s.Last) }},
		{"qcat_backup_last_duration_seconds", "How long it took to make it.", func(s *schedule.Stats) float64 { return s.Duration.Seconds() }},
		{"qcat_backup_last_bytes", "Size of its files.", func(s *schedule.Stats) float64 { return float64(s.Bytes) }},
		{"qcat_backup_verified", "1 when the newest complete backup is verified.", func(s *schedule.Stats) float64 { return boolGauge(s.Verified) }},
		{"qcat_backup_running", "1 while a scheduled backup is being made.", func(s *schedule.Stats) float64 { return boolGauge(s.Running) }},
	} {
		r.Gauge(g.name, g.help, nil, func() float64 { st := k.Stats(); return g.read(&st) })
	}
	r.Counter("qcat_backup_failures_total", "Scheduled backups that failed.", nil, func() uint64 { return k.Stats().Failures })
}

// unixSeconds is a time as metrics have it, 0 for none.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / 1e9
}
