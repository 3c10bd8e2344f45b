package main

// group is the benchmarks of one package.
type group struct {
	pkg  string
	rows []row
}

// row is one line of the table: a benchmark and, in words, what one operation is.
type row struct {
	benchmark string
	what      string
	workload  string
	captures  bool // needs recorded data (QCAT_CAPTURES)
}

// groups are the figures in the order of a quote's way in and an order's way out.
var groups = []group{
	{"./feed/binance", []row{
		{"BenchmarkDecode/trade", "decode a trade", "USD-M frame, combined stream", false},
		{"BenchmarkDecode/quote", "decode a bookTicker", "USD-M frame, combined stream", false},
		{"BenchmarkDecode/depth10", "decode a depth message", "USD-M frame of 10 levels", false},
		{"BenchmarkLaneFrames/instruments=10", "frame to ring, a level", "depth frames of 10 levels, 10 instruments in turn: decoded, sequence checked, book, events, quote", false},
		{"BenchmarkLaneFrames/instruments=1000", "frame to ring, a level", "the same, 1 000 instruments", false},
		{"BenchmarkLaneFrames/instruments=10000", "frame to ring, a level", "the same, 10 000 instruments", false},
		{"BenchmarkDecode/general-trade", "decode a trade, general path", "the same frame with its keys in another order", false},
	}},
	{"./core/book", []row{
		{"BenchmarkSet/spot-btcusdt-20240808.gz", "set a level of a book", "all level updates of the spot capture in turn", true},
		{"BenchmarkSet/usdm-btcusdt-20240808.gz", "set a level of a book", "all level updates of the USD-M capture in turn", true},
		{"BenchmarkInstruments/10", "set a level of a book", "USD-M capture near its touch, 10 books in random order", true},
		{"BenchmarkInstruments/1000", "set a level of a book", "USD-M capture near its touch, 1 000 books in random order", true},
		{"BenchmarkInstruments/10000", "set a level of a book", "USD-M capture near its touch, 10 000 books in random order", true},
	}},
	{"./feed", []row{
		{"BenchmarkLaneDepth", "depth message to ring", "10 levels: sequence check, book, events, quote", false},
	}},
	{"./ringbuf", []row{
		{"BenchmarkOneToOne/channel", "Go channel, 1 → 1", "64-byte values, two goroutines", false},
		{"BenchmarkOneToOne/SPSC/push=1/pop=1", "SPSC, 1 → 1", "64-byte values, one at a time", false},
		{"BenchmarkOneToOne/SPSC/push=64/pop=64", "SPSC, 1 → 1", "64-byte values, batches of 64", false},
		{"BenchmarkRoundTrip/words", "cache-line ping-pong", "two words, two goroutines: the floor of a round trip", false},
		{"BenchmarkRoundTrip/SPSC", "SPSC round trip", "there and back through two rings", false},
		{"BenchmarkManyToOne/MPSC/producers=1", "MPSC, 1 → 1", "64-byte values", false},
		{"BenchmarkManyToOne/MPSC/producers=8", "MPSC, 8 → 1", "64-byte values, more producers than cores", false},
		{"BenchmarkManyToOne/channel/producers=8", "Go channel, 8 → 1", "64-byte values", false},
		{"BenchmarkBroadcast/readers=3", "broadcast, 1 → 3", "64-byte values, readers that may be lapped", false},
	}},
	{"./core/hist", []row{
		{"BenchmarkRecord", "record a latency", "single writer", false},
	}},
	{"./core/market", []row{
		{"BenchmarkQuoteTable/store", "store a quote", "one writer", false},
		{"BenchmarkQuoteTable/load", "load a quote", "one reader, nobody writes", false},
	}},
	{"./risk", []row{
		{"BenchmarkCheckNew/accounts=10/instruments=10", "pre-trade check", "every limit set on four levels, 10 accounts × 10 instruments held", false},
		{"BenchmarkCheckNew/accounts=1000/instruments=10", "pre-trade check", "the same, 1 000 accounts", false},
		{"BenchmarkCheckNew/accounts=100000/instruments=10", "pre-trade check", "the same, 100 000 accounts", false},
		{"BenchmarkCheckNew/accounts=100/instruments=1000", "pre-trade check", "the same, 100 accounts × 1 000 instruments held", false},
		{"BenchmarkCheckQueued/accounts=10/instruments=10", "pre-trade check, of a queue", "every limit, 10 accounts × 10 instruments; memory asked for ahead, as the engine does", false},
		{"BenchmarkCheckQueued/accounts=1000/instruments=10", "pre-trade check, of a queue", "the same, 1 000 accounts", false},
		{"BenchmarkCheckQueued/accounts=100000/instruments=10", "pre-trade check, of a queue", "the same, 100 000 accounts", false},
		{"BenchmarkCheckQueued/accounts=100/instruments=1000", "pre-trade check, of a queue", "the same, 100 accounts × 1 000 instruments held", false},
		{"BenchmarkLife", "an order's life in the limit tree", "check, accept, half filled, released: every limit on, 1 000 accounts", false},
	}},
	{"./core/engine", []row{
		{"BenchmarkOrderCycle", "an order's life in the engine", "new order and its end: ring, check, journal in memory, reply, gateway, events", false},
		{"BenchmarkOrderToAck", "order to answer, in process", "through the rings of a running engine, one at a time", false},
	}},
	{"./core/engine", []row{
		{"BenchmarkSnapshot", "snapshot of a full state", "131 072 open and 131 072 closed orders, in memory", false},
		{"BenchmarkRestore", "restore it", "into a new engine", false},
		{"BenchmarkRestoreIntoView", "restore it with a view", "that is told of all of it", false},
	}},
	{"./persist/snapshot", []row{
		{"BenchmarkWrite", "write a snapshot file", "compressed, synced, renamed", false},
		{"BenchmarkLoad", "load it", "checked and decompressed", false},
	}},
	{"./persist/journal", []row{
		{"BenchmarkAppend", "append a record", "128 bytes into the buffer: what the engine pays", false},
		{"BenchmarkCommit/group=1", "commit a record, alone", "128 bytes, fdatasync, waited for", false},
		{"BenchmarkCommit/group=64", "commit a record, 64 a sync", "the same", false},
		{"BenchmarkCommit/group=1024", "commit a record, 1 024 a sync", "the same", false},
		{"BenchmarkRead", "read a record", "128 bytes from the page cache, checksums checked", false},
		{"BenchmarkOpen", "check a record at the start", "128 bytes from the page cache", false},
	}},
	{"./persist/ticklog", []row{
		{"BenchmarkWriter", "tick log, an event", "16 instruments: half levels, a quarter quotes, a quarter trades", false},
	}},
	{"./persist/store", []row{
		{"BenchmarkJournalProjection", "project the journal", "20 000 records of orders, fills, cancels, marks an op", false},
		{"BenchmarkTicksProjection", "project the tick log", "20 000 ticks of four instruments an op", false},
	}},
	{"./persist/postgres", []row{
		{"BenchmarkEncode", "encode 1 000 trades for COPY", "without a server", false},
	}},
	{"./persist/sqlite", []row{
		{"BenchmarkWrite/quotes/8192", "embedded store, quotes", "batches of 8 192 rows into a file that grows", false},
		{"BenchmarkWrite/orders/8192", "embedded store, orders", "the same, five indexes, synced", false},
		{"BenchmarkPage/newest", "embedded store, a page", "the newest 100 of 100 000 orders of an account", false},
	}},
	{"./api/hub", []row{
		{"BenchmarkServe/clients=1", "fan out a quote", "to 1 connection that discards", false},
		{"BenchmarkServe/clients=100", "fan out a quote", "to 100 connections that discard", false},
	}},
}
