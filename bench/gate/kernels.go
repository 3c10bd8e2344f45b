package main

// kernel is a benchmark that the gate holds: one goroutine, no disk, no network, the
// same work every time.
type kernel struct {
	pkg   string // its folder
	bench string // its whole name, sub-benchmarks by slashes
	why   string // what of the hot path it stands for
}

// name is what trailers and tables call it.
func (k kernel) name() string { return k.pkg + "." + k.bench }

// kernels is the list of what is gated, in the order of a quote's way in and an order's
// way out.
var kernels = []kernel{
	{"feed/binance", "BenchmarkDecode/trade", "the most frequent frame of a busy market"},
	{"feed/binance", "BenchmarkDecode/quote", "the frame the reference price comes from"},
	{"feed/binance", "BenchmarkDecode/depth10", "the frame a book lives on"},
	{"feed/binance", "BenchmarkDecode/general-depth10", "the general reader: what a changed shape would cost"},
	{"core", "BenchmarkParseDecimal", "every price and quantity that comes as text"},
	{"core", "BenchmarkPositionApply", "every fill"},
	{"core/book", "BenchmarkWalk/books=1", "a level of one book that stays in the cache"},
	{"core/book", "BenchmarkWalk/books=100", "a level of a book that others have displaced from it"},
	{"feed", "BenchmarkLaneApply", "a decoded message on its whole way into the ring"},
	{"feed", "BenchmarkLaneDepth", "the same of depth messages, the dearest ones"},
	{"ringbuf", "BenchmarkUncontended/SPSC", "a value into a queue and out of it"},
	{"ringbuf", "BenchmarkUncontended/SPSC-64", "the same in batches, as event rings are used"},
	{"ringbuf", "BenchmarkUncontended/MPSC", "a command into its ring and out of it"},
	{"ringbuf", "BenchmarkUncontended/Broadcast", "an event into its ring and to one reader"},
	{"ringbuf", "BenchmarkWake", "what a publication pays for a waiter that is awake"},
	{"core/market", "BenchmarkQuoteTable/store", "each quote"},
	{"core/market", "BenchmarkQuoteTable/load", "each order's reference price"},
	{"core/market", "BenchmarkTap", "an event to the hub, the tick log and the paper venue"},
	{"risk", "BenchmarkCheckNew/accounts=10/instruments=10", "the check with every control on"},
	{"bench/gate/life", "BenchmarkLife", "check, accept, fill and release, in a small tree"},
	{"core/engine", "BenchmarkOrderCycle", "an order's whole turn of the engine"},
	{"core/record", "BenchmarkAppendNew", "what each order writes"},
	{"persist/journal", "BenchmarkAppend", "what the engine pays to have it written"},
	{"api/wire", "BenchmarkEncode/bbo", "what is sent most"},
	{"api/wire", "BenchmarkEncode/depth", "what is longest"},
	{"api/hub", "BenchmarkServe/clients=1", "an event to a client: what is paid once"},
	{"api/hub", "BenchmarkServe/clients=100", "the same to many: what is paid for each"},
	{"core/hist", "BenchmarkRecord", "each sample of a stage"},
}
