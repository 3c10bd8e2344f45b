package main

// hot is a test that counts the allocations of functions of the hot path, in a file
// that the race detector's builds leave out (there allocations are the detector's).
type hot struct {
	pkg       string
	test      string
	functions []string // what it runs and holds: Function, or Type.Method
}

// hotFunctions is the list of what allocates nothing (invariant I1), in the order of a
// quote's way in and an order's way out. Tests show that it names every test that
// counts allocations, and that each test runs the functions beside it.
var hotFunctions = []hot{
	// The market-data lane.
	{"core/frame", "TestReaderAllocatesNothing", []string{"Reader.Next"}},
	{"feed", "TestFramesDoNotAllocate", []string{"connection.readOne", "socket.next", "socket.write", "stamped.Read"}},
	{"feed/binance", "TestDecodeDoesNotAllocate", []string{"Decoder.Decode", "Decoder.fast", "Decoder.general"}},
	{"core", "TestAllocations", []string{"ParseDecimal", "AppendDecimal", "Instrument.Notional", "Int128.Add", "MulInt64", "MakeClOrdID",
		"Directory.Instrument", "Directory.InstrumentNamed", "Directory.AccountNamed", "Directory.StrategyNamed", "systemClock.Now"}},
	{"core/book", "TestAllocations", []string{"Book.Set", "Book.Ahead", "Book.AheadOf", "Book.Clear", "Book.BestBid", "Book.BestAsk", "Book.Qty", "Book.Levels", "Book.Walk",
		"Book.Hash", "Replica.Apply"}},
	{"feed", "TestLaneDoesNotAllocate", []string{"Lane.Frame", "Lane.Apply", "Lane.Duty", "Lane.RequestSnapshot"}},
	{"feed", "TestWaitingDoesNotAllocate", []string{"Lane.Apply", "Sync.Depth"}},
	{"feed/replay", "TestReplayDoesNotAllocate", []string{"Reader.Next"}},
	{"feed/sim", "TestAdvanceDoesNotAllocate", []string{"Exchange.Advance"}},
	{"core/market", "TestQuoteTableNoAllocations", []string{"QuoteTable.Store", "QuoteTable.Load"}},
	{"core/market", "TestTapAllocations", []string{"Tap.Poll"}},
	{"ringbuf", "TestNoAllocations", []string{"SPSC.Push", "SPSC.Pop", "SPSC.PushBatch", "SPSC.PopBatch", "MPSC.Push", "MPSC.Pop", "MPSC.PopBatch",
		"Broadcast.Publish", "Broadcast.TryPublish", "Broadcast.PublishBatch", "Reader.Read", "Cell.Store", "Cell.Load", "Waiter.Wait", "Waiter.Wake"}},
	{"core/hist", "TestNoAllocations", []string{"Histogram.Record", "Histogram.RecordN", "Histogram.AddTo"}},
	// The way to clients.
	{"api/wire", "TestNoAllocations", []string{"AppendHead", "AppendBBO", "AppendDepth", "AppendTail", "AppendOrder", "DecodeOrder",
		"Request.ResolveOrder", "AppendReasonProblem", "AppendErrorProblem"}},
	{"api/hub", "TestNoAllocationsPerEvent", []string{"feedHandler.handle", "feedHandler.publish", "Conn.pushPublic", "Conn.write"}},
	{"api/hub", "TestNoAllocationsPerPrivateEvent", []string{"eventHandler.poll", "eventHandler.flush"}},
	{"api/ws", "TestDeskAllocatesNothing", []string{"desk.issue", "desk.keep", "desk.AppendPending"}},
	// Who sends an order.
	{"api/auth", "TestAllocations", []string{"Gate.Bearer", "Gate.Signed", "Principal.CanAccount", "Principal.CanStrategy", "Principal.Touches"}},
	{"api/auth/signature", "TestAllocations", []string{"hmacKey.Verify", "edKey.Verify", "Request.Stamp", "Nonces.Take"}},
	// The order lane.
	{"api/ws", "TestOrderAllocatesNothing", []string{"session.request", "session.submit", "session.handOver", "session.counts"}},
	{"api/rest", "TestOrderAllocatesNothing", []string{"Server.Handler"}},
	{"api/rest", "TestNewOrderAllocations", []string{"Server.Handler", "Server.newOrder"}},
	{"api/calls", "TestAddAllocatesNothing", []string{"Log.Add"}},
	{"api/metrics", "TestObserveAllocatesNothing", []string{"Route.Observe"}},
	{"risk", "TestNoAllocations", []string{"Tree.CheckNew", "Tree.CheckAmend", "Tree.Accept", "Tree.ConfirmAmend", "Tree.Fill", "Tree.CountCancel",
		"Tree.Release", "Tree.Mark"}},
	{"risk", "TestNoAllocationsOfEvents", []string{"Tree.Fill", "Tree.Mark", "Tree.NextBreach", "Tree.Act", "Tree.Tick"}},
	{"core/engine", "TestOrderPathDoesNotAllocate", []string{"Engine.Submit", "Engine.duty", "machine.decideNew", "machine.applyNew",
		"machine.decideAmend", "machine.decideCancel", "machine.decideReport"}},
	{"core/engine", "TestRefusalAndDuplicateDoNotAllocate", []string{"Engine.Submit", "Engine.duty", "machine.decideNew"}},
	{"core/record", "TestOrderRecordsDoNotAllocate", []string{"Record.Append", "Decode"}},
	{"persist/journal", "TestAppendAllocates", []string{"Log.Append", "Log.Flush"}},
	{"persist/journal", "TestRefusalAllocates", []string{"Log.Append"}},
	{"persist/journal", "TestReadAllocates", []string{"Reader.Next"}},
	{"feed/paper", "TestSteadyStateDoesNotAllocate", []string{"Matcher.Submit", "Matcher.Event", "Matcher.Advance"}},
	// What is beside it, and keeps up with it.
	{"persist/ticklog", "TestTurnsDoNotAllocate", []string{"Writer.turn"}},
	{"persist/ticklog", "TestCodecDoesNotAllocate", []string{"Record.Append", "Decode"}},
	{"persist/postgres", "TestEncodingAllocatesNothing", []string{"encoder.decimal", "encoder.decimal128", "table.appendRow"}},
}
