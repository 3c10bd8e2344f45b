package main

import (
	"fmt"
	"time"

	"qcat/api/metrics"
	"qcat/api/rest"
	"qcat/persist/journal"
	"qcat/persist/redis"
	"qcat/persist/store"
	"qcat/persist/ticklog"
)

// From when on a store that is behind counts as degraded: by time, and while it
// catches up, by records. Every start has a few to catch up with, which takes no time.
const (
	storeLagBound     = 10 * time.Second
	storeRecordsBound = 10_000
)

// storageComponents are what /health asks after of everything that is kept.
func (s *server) storageComponents() []rest.Component {
	parts := []rest.Component{
		{Name: "journal", Check: s.journalHealth},
		{Name: "store", Check: s.archive.health},
		{Name: "snapshots", Check: s.snapshotHealth},
		{Name: "orders", Check: s.orderHealth},
	}
	if s.ticks != nil {
		parts = append(parts, rest.Component{Name: "tick_log", Check: s.tickHealth})
	}
	if s.redis != nil {
		parts = append(parts, rest.Component{Name: "redis", Check: s.redisHealth})
	}
	return parts
}

// journalHealth is down when no order can be recorded.
func (s *server) journalHealth() (rest.Status, string) {
	switch err := s.journal.Err(); {
	case err != nil:
		return rest.Down, err.Error()
	case s.journal.Stats().DiskFull.Load():
		return rest.Degraded, "the disk has no room for another file; orders are refused once this one is full"
	}
	return rest.OK, ""
}

// orderHealth tells of orders that a restart left in doubt.
func (s *server) orderHealth() (rest.Status, string) {
	switch n := s.engine.Unknown(); n {
	case 0:
		return rest.OK, ""
	case 1:
		return rest.Degraded, "1 order is unknown since the restart: its venue is being asked"
	default:
		return rest.Degraded, fmt.Sprintf("%d orders are unknown since the restart: their venues are being asked", n)
	}
}

func (s *server) snapshotHealth() (rest.Status, string) {
	if st := s.keeper.Stats(); st.Err != nil {
		return rest.Degraded, "the last one was not taken: " + st.Err.Error()
	}
	return rest.OK, ""
}

func (s *server) tickHealth() (rest.Status, string) {
	if err := s.ticks.Err(); err != nil {
		return rest.Degraded, "market data is not kept until the next start: " + err.Error()
	}
	return rest.OK, ""
}

func (s *server) redisHealth() (rest.Status, string) {
	if st := s.redis.Status(); !st.Connected {
		return rest.Degraded, "not connected: " + st.LastError
	}
	return rest.OK, ""
}

// health is never worse than degraded: the logs keep what the store does not have.
func (a *archive) health() (rest.Status, string) {
	if why := a.failure.Load(); why != nil {
		return rest.Degraded, "not open: " + *why
	}
	for i := range a.followers {
		f := a.followers[i].Load()
		if f == nil {
			continue
		}
		if why := followerTrouble(f.Stats()); why != "" {
			return rest.Degraded, why
		}
	}
	return rest.OK, ""
}

// followerTrouble says what is wrong with a follower, "" when nothing is.
func followerTrouble(st store.FollowerStats) string {
	switch {
	case st.State == store.Stopped && st.Err != nil:
		return fmt.Sprintf("%s: stopped at record %d: %v", st.Stream, st.Position.Seq, st.Err)
	case st.State == store.Retrying:
		return fmt.Sprintf("%s: does not answer (%s); %d records behind", st.Stream, st.LastError, st.Behind)
	case st.State == store.CatchingUp && st.Behind < storeRecordsBound:
		return ""
	case st.State == store.CatchingUp && st.CatchUpTo > st.CatchUpFrom:
		done := min(st.Position.Seq, st.CatchUpTo) - st.CatchUpFrom
		return fmt.Sprintf("%s: catching up, %d of %d records, %d%%", st.Stream, done, st.CatchUpTo-st.CatchUpFrom, percent(done, st.CatchUpTo-st.CatchUpFrom))
	case st.Lag > storeLagBound:
		return fmt.Sprintf("%s: %v behind", st.Stream, st.Lag.Round(time.Second))
	}
	return ""
}

// registerStorage puts everything that is kept on /metrics.
func (s *server) registerStorage(r *metrics.Registry) {
	registerLog(r, "journal", s.journal)
	r.Histogram("qcat_journal_sync_seconds", "Time a sync of the journal took.", nil, s.journal.Stats().Sync.Snapshot)
	r.Gauge("qcat_journal_lag_records", "Records that wait for the disk.", nil, func() float64 { return float64(s.journalLag.Records()) })
	r.Gauge("qcat_journal_lag_seconds", "How long the oldest of them has been waiting.", nil, func() float64 { return s.journalLag.Time().Seconds() })
	r.Gauge("qcat_snapshot_seq", "Record that the newest snapshot is of.", nil, func() float64 { return float64(s.keeper.Stats().LastSeq) })
	r.Gauge("qcat_snapshot_timestamp_seconds", "When the newest snapshot was taken; 0: there is none.", nil, func() float64 { return float64(s.keeper.Stats().LastTime) / 1e9 })
	r.Gauge("qcat_snapshot_bytes", "Size of the last snapshot taken.", nil, func() float64 { return float64(s.keeper.Stats().Bytes) })
	r.Counter("qcat_snapshot_failures_total", "Snapshots that could not be taken.", nil, func() uint64 { return s.keeper.Stats().Failed })
	for stream := range store.NumStreams {
		s.archive.register(r, stream)
	}
	if s.ticks != nil {
		registerLog(r, "ticks", s.archive.ticks)
		registerTicks(r, s.ticks)
	}
	if s.redis != nil {
		registerRedis(r, s.redis)
	}
}

func registerLog(r *metrics.Registry, name string, l *journal.Log) {
	labels, stats, gauges := metrics.Labels{"log": name}, l.Stats(), metrics.PerScrape(r, l.Gauges)
	for _, g := range []struct {
		name, help string
		read       func(*journal.Gauges) float64
	}{
		{"qcat_log_committed_seq", "Last record that is committed.", func(g *journal.Gauges) float64 { return float64(g.Committed) }},
		{"qcat_log_durable_seq", "Last record that survives a power cut.", func(g *journal.Gauges) float64 { return float64(g.Durable) }},
		{"qcat_log_first_seq", "Oldest record that is kept.", func(g *journal.Gauges) float64 { return float64(g.First) }},
		{"qcat_log_bytes", "Size of all files.", func(g *journal.Gauges) float64 { return float64(g.Bytes) }},
		{"qcat_log_buffered_bytes", "What waits to be written.", func(g *journal.Gauges) float64 { return float64(g.Buffered) }},
		{"qcat_log_failed", "1 when the log takes no more records.", func(g *journal.Gauges) float64 { return boolGauge(g.Err != nil) }},
	} {
		r.Gauge(g.name, g.help, labels, func() float64 { return g.read(gauges()) })
	}
	r.Counter("qcat_log_commits_total", "Batches written.", labels, stats.Commits.Load)
	r.Counter("qcat_log_written_bytes_total", "Bytes of them.", labels, stats.Bytes.Load)
	r.Counter("qcat_log_refused_total", "Records that there was no room for.", labels, stats.Full.Load)
	r.Counter("qcat_log_dropped_records_total", "Records that were deleted before the store had them.", labels, stats.Lost.Load)
	r.Gauge("qcat_log_disk_full", "1 while the disk has no room for another file.", labels, func() float64 { return boolGauge(stats.DiskFull.Load()) })
}

func boolGauge(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// register puts one follower on /metrics, also while there is none.
func (a *archive) register(r *metrics.Registry, stream store.Stream) {
	labels := metrics.Labels{"stream": stream.String()}
	stats := metrics.PerScrape(r, func() (st store.FollowerStats) {
		if f := a.followers[stream].Load(); f != nil {
			st = f.Stats()
		}
		return st
	})
	r.Gauge("qcat_store_position_seq", "Last record whose rows are stored.", labels, func() float64 { return float64(stats().Position.Seq) })
	r.Gauge("qcat_store_behind_records", "Records that are not stored yet.", labels, func() float64 { return float64(stats().Behind) })
	r.Gauge("qcat_store_lag_seconds", "Age of the oldest record that is not stored yet.", labels, func() float64 { return stats().Lag.Seconds() })
	r.Counter("qcat_store_rows_total", "Rows stored.", labels, func() uint64 { return stats().Rows })
	r.Counter("qcat_store_batches_total", "Transactions of them.", labels, func() uint64 { return stats().Batches })
	r.Counter("qcat_store_errors_total", "Calls of the store that failed.", labels, func() uint64 { return stats().Errors })
	r.Gauge("qcat_store_up", "1 while the store follows the log.", labels, func() float64 {
		st := stats()
		return boolGauge(st.State == store.Following || st.State == store.CatchingUp)
	})
}

func registerTicks(r *metrics.Registry, w *ticklog.Writer) {
	for _, c := range []struct {
		name, help string
		read       func(*ticklog.Stats) uint64
	}{
		{"qcat_ticks_trades_total", "Trades written down.", func(s *ticklog.Stats) uint64 { return s.Trades }},
		{"qcat_ticks_quotes_total", "Quotes written down.", func(s *ticklog.Stats) uint64 { return s.Quotes }},
		{"qcat_ticks_marks_total", "Mark prices written down.", func(s *ticklog.Stats) uint64 { return s.Marks }},
		{"qcat_ticks_gaps_total", "Gaps marked.", func(s *ticklog.Stats) uint64 { return s.Gaps }},
		{"qcat_ticks_lost_events_total", "Events of the lanes that were overwritten unread.", func(s *ticklog.Stats) uint64 { return s.Lost }},
		{"qcat_ticks_dropped_total", "Records that the log did not take.", func(s *ticklog.Stats) uint64 { return s.Dropped }},
	} {
		r.Counter(c.name, c.help, nil, func() uint64 { st := w.Stats(); return c.read(&st) })
	}
}

func registerRedis(r *metrics.Registry, c *redis.Cache) {
	r.Gauge("qcat_redis_up", "1 while Redis takes what is written.", nil, func() float64 { return boolGauge(c.Status().Connected) })
	r.Counter("qcat_redis_commands_total", "Commands that Redis answered.", nil, func() uint64 { return c.Status().Commands })
	r.Counter("qcat_redis_rewrites_total", "Times that everything was written anew.", nil, func() uint64 { return c.Status().Rewrites })
	r.Counter("qcat_redis_failures_total", "Times that the connection was given up.", nil, func() uint64 { return c.Status().Failures })
}
