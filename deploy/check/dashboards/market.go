package main

import "fmt"

// perSecond is the rate of a counter of a feed.
func perSecond(metric string) string {
	return fmt.Sprintf(`sum by (feed) (rate(%s{instance=~"$instance", feed=~"$feed"}[$__rate_interval]))`, metric)
}

// perMinute is the same for what is rare.
func perMinute(metric string) string { return "60 * " + perSecond(metric) }

// hubRate is the rate of a counter of the fan-out.
func hubRate(metric string) string {
	return fmt.Sprintf(`sum(rate(%s{instance=~"$instance"}[$__rate_interval]))`, metric)
}

const ofFeed = `{instance=~"$instance", feed=~"$feed"}`

// market shows feeds, books, and what becomes of them on the way to clients.
func market() board {
	return board{
		uid: "qcat-market", title: "QCAT / Market data", about: "From venues to clients: feeds, books, rings and the WebSocket fan-out.",
		variables: []variable{instances, feeds},
		sections: []section{
			{"Feeds", []panel{
				{title: "Messages", about: "Messages received a second.", unit: "ops", queries: one(perSecond("qcat_feed_messages_total"), "{{feed}}")},
				panel{title: "Silence", about: "Time since the last message. Above 10 s it is an alert.", unit: "s",
					queries: one(`max by (feed) (qcat_feed_staleness_seconds`+ofFeed+`)`, "{{feed}}")}.limits(5, 10),
				{title: "Books that are not live", about: "Instruments that wait for a snapshot, beside all that are followed. Orders in them are refused.",
					queries: []query{{`sum by (feed) (qcat_feed_stale_instruments` + ofFeed + `)`, "{{feed}} stale"}, {`sum by (feed) (qcat_feed_instruments` + ofFeed + `)`, "{{feed}} all"}}},
				{title: "Gaps", about: "Depth messages and trades found missing, a minute. Each depth gap costs a snapshot.", unit: "cpm",
					queries: []query{{perMinute("qcat_feed_depth_gaps_total"), "{{feed}} depth"}, {perMinute("qcat_feed_trade_gaps_total"), "{{feed}} trades"}}},
				{title: "Resyncs", about: "Snapshots asked of the venue and received, a minute. Asked and not received: the venue's REST interface refuses or is slow.", unit: "cpm",
					queries: []query{{perMinute("qcat_feed_resyncs_total"), "{{feed}} asked"}, {perMinute("qcat_feed_snapshots_total"), "{{feed}} received"}}},
				{title: "Connections lost", about: "A minute; with each, all books of the feed are stale until snapshots have come.", unit: "cpm",
					queries: []query{{perMinute("qcat_feed_disconnects_total"), "{{feed}}"}}},
				{title: "What should not come", about: "Messages that could not be decoded, that were repeated or late, and after which a book was crossed, a minute.", unit: "cpm", width: 12,
					queries: []query{{perMinute("qcat_feed_bad_messages_total"), "{{feed}} bad"}, {perMinute("qcat_feed_depth_duplicates_total"), "{{feed}} late"}, {perMinute("qcat_feed_crossed_total"), "{{feed}} crossed"}}},
				panel{title: "Auxiliary connections down", about: "Addresses on which no book depends, such as that of mark prices. Simulated and recorded feeds have none.", width: 12,
					queries: one(`sum by (feed) (qcat_feed_auxiliary_down`+ofFeed+`) or 0 * sum by (feed) (qcat_feed_instruments`+ofFeed+`)`, "{{feed}}")}.limits(1, 1),
			}},
			{"Queues", []panel{
				panel{title: "Occupancy", about: "How full each bounded queue is. Above 80% its reader does not keep up.", width: 12,
					queries: one(`max by (ring) (qcat_ring_occupancy_ratio{instance=~"$instance"})`, "{{ring}}")}.limits(0.5, 0.8).ratio(),
				{title: "Overruns", about: "Times that a lane lapped the fan-out, and events lost by it, a second. Clients get a snapshot instead.", unit: "ops", width: 12,
					queries: []query{{hubRate("qcat_md_ring_overruns_total"), "overruns"}, {hubRate("qcat_md_ring_lost_events_total"), "events lost"}, {hubRate("qcat_ticks_lost_events_total") + " or vector(0)", "not kept"}}},
			}},
			{"Clients", []panel{
				{title: "Connections", about: "WebSocket connections that are open.", queries: one(`sum(qcat_ws_connections{instance=~"$instance"})`, "open")},
				{title: "Frames", about: "Frames a second that were put in line for clients.", unit: "ops",
					queries: []query{{hubRate("qcat_ws_frames_total"), "public"}, {hubRate("qcat_ws_private_frames_total"), "private"}}},
				{title: "Bytes written", about: "Bytes a second to all clients.", unit: "Bps", queries: one(hubRate("qcat_ws_written_bytes_total"), "bytes")},
				{title: "What lagging clients were spared", about: "Quotes and candles of which only the newest was sent, trades left out, book changes replaced by a snapshot; a second.", unit: "ops", width: 12,
					queries: []query{{hubRate("qcat_ws_conflated_total"), "conflated"}, {hubRate("qcat_ws_dropped_trades_total"), "trades left out"}, {hubRate("qcat_ws_depth_resyncs_total"), "snapshots"}}},
				{title: "Connections closed by the server", about: "A minute, by reason. 4002 and 4003 are clients that do not keep up.", unit: "cpm", width: 12, stack: true,
					queries: one(`60 * sum by (code, reason) (rate(qcat_ws_disconnects_total{instance=~"$instance"}[$__rate_interval]))`, "{{code}} {{reason}}")},
			}},
		},
	}
}
