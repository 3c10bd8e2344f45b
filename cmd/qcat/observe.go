package main

import (
	"fmt"
	"runtime/debug"
	"strconv"

	"qcat/api/hub"
	"qcat/api/metrics"
	"qcat/api/rest"
	"qcat/core/hist"
	"qcat/feed"
)

// components are what /health asks after, beside the engine.
func (s *server) components() []rest.Component {
	parts := []rest.Component{{Name: "market_data", Check: s.marketHealth}, {Name: "paper_venue", Check: s.venueHealth}}
	for i := range s.lanes {
		lane := &s.lanes[i]
		parts = append(parts, rest.Component{Name: "feed_" + lane.name, Check: func() (rest.Status, string) { return laneHealth(lane) }})
	}
	return append(append(parts, s.storageComponents()...), s.guardComponents()...)
}

// marketHealth is down when no instrument at all has a live book: no order could
// be checked against a price.
func (s *server) marketHealth() (rest.Status, string) {
	var all, stale uint64
	for i := range s.lanes {
		st := s.lanes[i].stats()
		all, stale = all+st.Instruments, stale+st.Stale
	}
	switch stale {
	case 0:
		return rest.OK, ""
	case all:
		return rest.Down, "no instrument has a live book"
	}
	return rest.Degraded, fmt.Sprintf("%d of %d instruments wait for a snapshot", stale, all)
}

func (s *server) venueHealth() (rest.Status, string) {
	if !s.paper.Ready() {
		return rest.Down, "not running"
	}
	return rest.OK, ""
}

// laneHealth is never worse than degraded: the others trade on.
func laneHealth(l *laneRunner) (rest.Status, string) {
	var link feed.SessionStatus
	if l.session != nil {
		if link = l.session.Status(); !link.Connected {
			return rest.Degraded, "not connected: " + link.LastError
		}
	}
	if st := l.stats(); st.Stale > 0 {
		return rest.Degraded, fmt.Sprintf("%d of %d instruments wait for a snapshot", st.Stale, st.Instruments)
	}
	for _, aux := range link.Auxiliary {
		if !aux.Connected {
			return rest.Degraded, fmt.Sprintf("not connected to %s: %s", aux.Address, aux.LastError)
		}
	}
	return rest.OK, ""
}

// register puts the counters and stage histograms of every part on /metrics.
func (s *server) register(r *metrics.Registry) {
	r.Gauge("qcat_build_info", "1, with the version as a label.", metrics.Labels{"version": version, "go": goVersion()}, func() float64 { return 1 })
	for i := range s.lanes {
		s.registerLane(r, &s.lanes[i])
	}
	s.registerEngine(r)
	s.registerRings(r)
	registerOrders(r, &s.engine.Stats().Tally)
	registerStops(r, s.view)
	registerLimits(r, s.fullest)
	registerHub(r, s.hub)
	s.registerStorage(r)
	registerBackups(r, s.backups)
	s.watchCertificates(r)
	merged := func(pick func(*laneRunner) *hist.Histogram) func() hist.Snapshot {
		return func() (sum hist.Snapshot) {
			for i := range s.lanes {
				one := pick(&s.lanes[i]).Snapshot()
				sum.Merge(&one)
			}
			return sum
		}
	}
	r.Stage("decode", merged(func(l *laneRunner) *hist.Histogram { return l.decode }))
	r.Stage("book", merged(func(l *laneRunner) *hist.Histogram { return l.book }))
}

func goVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return "unknown"
}

func (s *server) registerLane(r *metrics.Registry, l *laneRunner) {
	labels, began := metrics.Labels{"feed": l.name}, s.clock.Now()
	stats := metrics.PerScrape(r, l.stats)
	for _, c := range []struct {
		name, help string
		read       func(*feed.Stats) uint64
	}{
		{"qcat_feed_messages_total", "Messages received.", func(s *feed.Stats) uint64 { return s.Messages }},
		{"qcat_feed_bad_messages_total", "Messages that could not be decoded.", func(s *feed.Stats) uint64 { return s.Bad }},
		{"qcat_feed_depth_gaps_total", "Depth messages found missing.", func(s *feed.Stats) uint64 { return s.DepthGaps }},
		{"qcat_feed_depth_duplicates_total", "Depth messages repeated or late.", func(s *feed.Stats) uint64 { return s.DepthDuplicates }},
		{"qcat_feed_trade_gaps_total", "Gaps in trade ids.", func(s *feed.Stats) uint64 { return s.TradeGaps }},
		{"qcat_feed_marks_total", "Mark prices received.", func(s *feed.Stats) uint64 { return s.Marks }},
		{"qcat_feed_resyncs_total", "Snapshots asked of the venue.", func(s *feed.Stats) uint64 { return s.Resyncs }},
		{"qcat_feed_snapshots_total", "Snapshots received.", func(s *feed.Stats) uint64 { return s.Snapshots }},
		{"qcat_feed_crossed_total", "Messages after which a book or quote was crossed.", func(s *feed.Stats) uint64 { return s.Crossed }},
		{"qcat_feed_disconnects_total", "Connections lost, and the books with them.", func(s *feed.Stats) uint64 { return s.Disconnects }},
	} {
		r.Counter(c.name, c.help, labels, func() uint64 { return c.read(stats()) })
	}
	if l.session != nil {
		registerAuxiliary(r, l.session, labels)
	}
	r.Gauge("qcat_feed_instruments", "Instruments followed.", labels, func() float64 { return float64(stats().Instruments) })
	r.Gauge("qcat_feed_stale_instruments", "Instruments whose book waits for a snapshot.", labels, func() float64 { return float64(stats().Stale) })
	r.Gauge("qcat_feed_last_receive_timestamp_seconds", "When the last message was received.", labels, func() float64 { return float64(stats().LastReceive) / 1e9 })
	r.Gauge("qcat_feed_staleness_seconds", "Time since the last message was received; since the start, as long as there was none.", labels,
		func() float64 { return max(0, float64(s.clock.Now()-max(stats().LastReceive, began))/1e9) })
}

// registerAuxiliary tells of the addresses on which no book depends, together.
func registerAuxiliary(r *metrics.Registry, s *feed.Session, labels metrics.Labels) {
	sum := func(pick func(*feed.LinkStatus) uint64) func() uint64 {
		return func() (n uint64) {
			for _, aux := range s.Status().Auxiliary {
				n += pick(&aux)
			}
			return n
		}
	}
	r.Counter("qcat_feed_auxiliary_disconnects_total", "Auxiliary connections lost, such as that of mark prices.", labels,
		sum(func(l *feed.LinkStatus) uint64 { return l.Breaks }))
	down := sum(func(l *feed.LinkStatus) uint64 {
		if l.Connected {
			return 0
		}
		return 1
	})
	r.Gauge("qcat_feed_auxiliary_down", "Auxiliary addresses that are not connected.", labels, func() float64 { return float64(down()) })
}

func (s *server) registerEngine(r *metrics.Registry) {
	st := s.engine.Stats()
	r.Counter("qcat_engine_commands_total", "Commands taken by the engine.", nil, st.Commands.Load)
	r.Counter("qcat_engine_shed_total", "Commands turned away because their queue was full, reports that come again included.", nil, st.Shed.Load)
	r.Counter("qcat_executions_total", "Fills recorded.", nil, st.Executions.Load)
	r.Counter("qcat_journal_records_total", "Records in the journal.", nil, s.engine.Published)
	r.Gauge("qcat_orders_unknown", "Orders of which nobody knows what their venue made of them.", nil, func() float64 { return float64(s.engine.Unknown()) })
	r.Counter("qcat_risk_breaches_total", "Limits crossed by what is held, and acted on.", nil, st.Breaches.Load)
	r.Stage("command_ring_wait", st.RingWait.Snapshot)
	r.Stage("risk", st.Risk.Snapshot)
	r.Stage("journal", st.Journal.Snapshot)
	r.Stage("route", st.Route.Snapshot)
	r.Stage("mark_to_action", st.MarkToAction.Snapshot)
}

func registerHub(r *metrics.Registry, h *hub.Hub) {
	stats := metrics.PerScrape(r, h.Stats)
	r.Gauge("qcat_ws_connections", "WebSocket connections open.", nil, func() float64 { return float64(h.Len()) })
	for _, c := range []struct {
		name, help string
		read       func(*hub.Snapshot) uint64
	}{
		{"qcat_ws_frames_total", "Public frames queued for clients.", func(s *hub.Snapshot) uint64 { return s.Delivered }},
		{"qcat_ws_private_frames_total", "Private frames queued for clients.", func(s *hub.Snapshot) uint64 { return s.Private }},
		{"qcat_ws_conflated_total", "Quotes and candles that lagging clients were not sent.", func(s *hub.Snapshot) uint64 { return s.Conflated }},
		{"qcat_ws_dropped_trades_total", "Trades that lagging clients were not sent.", func(s *hub.Snapshot) uint64 { return s.Dropped }},
		{"qcat_ws_depth_resyncs_total", "Book changes replaced by a snapshot for lagging clients.", func(s *hub.Snapshot) uint64 { return s.Resynced }},
		{"qcat_ws_written_bytes_total", "Bytes written to clients.", func(s *hub.Snapshot) uint64 { return s.Bytes }},
		{"qcat_ws_writes_total", "System calls that wrote to clients.", func(s *hub.Snapshot) uint64 { return s.Writes }},
		{"qcat_md_ring_overruns_total", "Times a lane lapped the fan-out.", func(s *hub.Snapshot) uint64 { return s.Overruns }},
		{"qcat_md_ring_lost_events_total", "Events lost by that.", func(s *hub.Snapshot) uint64 { return s.Lost }},
	} {
		r.Counter(c.name, c.help, nil, func() uint64 { return c.read(stats()) })
	}
	for _, d := range hub.Disconnects {
		code := d.Code
		r.Counter("qcat_ws_disconnects_total", "Connections closed by the server.", metrics.Labels{"code": strconv.Itoa(int(code)), "reason": d.Text},
			func() uint64 { return stats().Disconnects[code] })
	}
	r.Stage("ring_wait", func() hist.Snapshot { return stats().RingWait })
	r.Stage("encode", func() hist.Snapshot { return stats().Encode })
	r.Stage("write", func() hist.Snapshot { return stats().Write })
}
