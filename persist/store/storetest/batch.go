package storetest

import (
	"math"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// next begins the next batch of a stream, of at most 9 records.
func (w *world) next(s store.Stream) *store.Batch {
	b := &store.Batch{Stream: s, Log: w.log, From: w.seq[s] + 1}
	w.seq[s] += 1 + w.rng.Uint64N(9)
	w.now += core.Nanos(w.rng.Int64N(20_000_000_000))
	b.To, b.Time = w.seq[s], w.now
	w.times = append(w.times, w.now, core.CandleOpenTime(w.now, 60e9))
	return b
}

// definitions is the first batch of the journal: all of the directory.
func (w *world) definitions() *store.Batch {
	b := w.next(store.Journal)
	for _, in := range w.dir.Instruments() {
		b.Instruments = append(b.Instruments, *in)
	}
	for _, a := range w.dir.Accounts() {
		b.Accounts = append(b.Accounts, *a)
	}
	for _, s := range w.dir.Strategies() {
		b.Strategies = append(b.Strategies, *s)
	}
	return b
}

// journal is a batch with about n rows of each of the journal's tables.
func (w *world) journal(n int) *store.Batch {
	b := w.next(store.Journal)
	orders := map[core.OrderID]int{}
	for range n {
		o := w.someOrder(b)
		if at, ok := orders[o.ID]; ok {
			b.Orders[at] = o
		} else {
			orders[o.ID] = len(b.Orders)
			b.Orders = append(b.Orders, o)
		}
		b.Executions = append(b.Executions, w.execution(&o))
	}
	w.held(b, n)
	w.equity(b)
	for seq := b.From; seq <= b.To; seq++ {
		if w.flip() {
			b.RiskEvents = append(b.RiskEvents, w.riskEvent(seq))
		}
		if w.flip() {
			b.Audit = append(b.Audit, history.Audit{Seq: seq, Time: w.now, Action: w.action(), Scope: w.scope(), Detail: w.text()})
		}
		if w.flip() {
			b.Transfers = append(b.Transfers, history.Transfer{Seq: seq, Time: w.now, Account: w.strategy().Account, Currency: w.currency(),
				Amount: w.number(), Balance: w.number(), By: w.text(), Note: w.text()})
		}
	}
	w.totals(b)
	return b
}

// totals adds what was transferred, each key once.
func (w *world) totals(b *store.Batch) {
	for _, a := range w.dir.Accounts() {
		for _, currency := range currencies {
			if w.flip() {
				b.Totals = append(b.Totals, store.TransferTotal{Account: a.ID, Currency: currency, Amount: w.number(), Time: w.now})
			}
		}
	}
}

var currencies = [...]string{"BTC", "USDT", "'); DROP TABLE transfers; --", "長"}

func (w *world) currency() string { return currencies[w.rng.IntN(len(currencies))] }

var actions = [...]string{"define_account", "set_limits", "set_state", "cancel_all"}

func (w *world) action() string { return actions[w.rng.IntN(len(actions))] }

// someOrder is a new order, or the next state of one there is.
func (w *world) someOrder(b *store.Batch) history.Order {
	if len(w.orders) > 0 && w.rng.IntN(3) > 0 {
		at := w.rng.IntN(len(w.orders))
		o := &w.orders[at]
		w.change(o, b.To)
		return *o
	}
	st := w.strategy()
	w.order++
	o := history.Order{Order: core.Order{ID: w.order, Account: st.Account, Strategy: st.ID, Instrument: w.instrument().ID,
		Side: core.Side(1 + w.rng.IntN(2)), Type: core.OrdType(1 + w.rng.IntN(2)), TIF: core.TimeInForce(1 + w.rng.IntN(5)),
		ReduceOnly: w.flip(), Price: core.Price(w.number()), Qty: core.Qty(w.number()), ExpireTime: core.Nanos(w.number()),
		CreateTime: w.now - core.Nanos(w.rng.Int64N(1_000_000_000)), ClOrdID: w.clOrdID(),
		Leg: core.Leg(w.byte()), CancelOnDrop: w.flip(), Session: core.SessionID(w.count())}}
	w.change(&o, b.To)
	w.orders = append(w.orders, o)
	return o
}

// change gives an order another state.
func (w *world) change(o *history.Order, seq uint64) {
	o.Status = core.OrdStatus(1 + w.rng.IntN(6))
	o.VenueAcked, o.PendingCxl, o.PendingRepl, o.Unknown = w.flip(), w.flip(), w.flip(), w.flip()
	o.CumQty, o.CumCost = core.Qty(w.number()), w.wide()
	o.NewPrice, o.NewQty = core.Price(w.number()), core.Qty(w.number())
	o.Amends, o.Reason = uint32(w.number()), uint16(w.number())
	o.UpdateTime, o.Due, o.Seq = w.now, core.Nanos(w.number()), seq
}

func (w *world) execution(o *history.Order) history.Execution {
	w.exec++
	return history.Execution{Execution: core.Execution{ID: w.exec, Order: o.ID, Account: o.Account, Strategy: o.Strategy,
		Instrument: o.Instrument, Side: o.Side, Liquidity: core.Liquidity(w.byte()), LastPx: core.Price(w.number()),
		LastQty: core.Qty(w.number()), Fee: core.Notional(w.number()), VenueTime: w.marketTime(), Time: w.now, ClOrdID: o.ClOrdID,
		Leg: o.Leg, FeeIn: core.FeeCurrency(w.byte())}, Seq: o.Seq}
}

// held adds positions and marks, each key once.
func (w *world) held(b *store.Batch, n int) {
	seen := map[positionKey]bool{}
	marked := map[core.InstrumentID]bool{}
	for range n {
		st, in, leg := w.strategy(), w.instrument(), core.Leg(w.rng.IntN(3))
		if key := (positionKey{st.ID, in.ID, leg}); !seen[key] {
			seen[key] = true
			b.Positions = append(b.Positions, history.Position{Account: st.Account, Strategy: st.ID, Instrument: in.ID, Leg: leg,
				Position: w.position(), Seq: b.To, Time: w.now})
		}
		if !marked[in.ID] {
			marked[in.ID] = true
			b.Marks = append(b.Marks, store.Mark{Instrument: in.ID, Price: core.Price(w.number()), Time: w.now})
		}
	}
}

func (w *world) position() core.Position {
	p := core.Position{Qty: core.Qty(w.number()), EntryNum: w.wide(), EntryDen: w.count(), Cash: w.wide(),
		Fees: core.Notional(w.number()), Funding: core.Notional(w.number()), Volume: core.Qty(w.number()), Fills: w.count(),
		BaseFees: core.Notional(w.number()), Dust: core.Notional(w.number())}
	if w.extreme && w.flip() {
		p.EntryDen = math.MaxUint64
	}
	return p
}

// equity adds rows of some minutes since the last ones.
func (w *world) equity(b *store.Batch) {
	for ; w.minute+60e9 <= w.now; w.minute += 60e9 {
		w.times = append(w.times, w.minute+60e9)
		for _, a := range w.dir.Accounts() {
			for i, settle := range []string{"BTC", "JPY", "USDT", "USDT"} {
				if w.rng.IntN(3) == 0 {
					continue
				}
				b.Equity = append(b.Equity, history.Equity{Account: a.ID, Settle: settle, Scale: uint8(8 - i), Time: w.minute + 60e9,
					Transfers: core.Notional(w.number()), Realised: core.Notional(w.number()), Unrealised: core.Notional(w.number()),
					Fees: core.Notional(w.number()), Funding: core.Notional(w.number()), Valued: w.flip(), Seq: b.From})
			}
		}
	}
}

func (w *world) riskEvent(seq uint64) history.RiskEvent {
	e := history.RiskEvent{Seq: seq, Time: w.now, Kind: history.RiskEventKind(1 + w.rng.IntN(10)), Scope: w.scope(), State: w.byte(),
		Action: w.byte(), Cancelled: uint32(w.number()),
		Code: uint16(w.number()), Unit: w.byte(), Limit: w.number(), Value: w.number(), Note: w.text()}
	if w.flip() {
		st := w.strategy()
		e.Order, e.Account, e.Strategy, e.Side, e.ClOrdID = core.OrderID(w.count()), st.Account, st.ID, core.Side(w.byte()), w.clOrdID()
		if w.flip() {
			e.Instrument, e.Price, e.Qty = w.instrument().ID, core.Price(w.number()), core.Qty(w.number())
		}
	}
	return e
}

// ticks is a batch with about n rows of each of the ticks' tables.
func (w *world) ticks(n int) *store.Batch {
	b := w.next(store.Ticks)
	w.seq[store.Ticks] += uint64(4 * n)
	b.To = w.seq[store.Ticks]
	tick := b.From
	candles := map[candleKey]int{}
	for range n {
		in := w.instrument().ID
		b.Trades = append(b.Trades, history.Trade{Instrument: in, ID: tick, Side: core.Side(w.rng.IntN(3)), Price: core.Price(w.number()),
			Qty: core.Qty(w.number()), ExchangeTime: w.marketTime(), ReceiveTime: w.now, Tick: tick})
		b.Quotes = append(b.Quotes, w.quote(in, tick+1))
		c := w.candle(in)
		if at, ok := candles[candleKey{in, c.Interval, c.OpenTime}]; ok {
			b.Candles[at] = c
		} else {
			candles[candleKey{in, c.Interval, c.OpenTime}] = len(b.Candles)
			b.Candles = append(b.Candles, c)
		}
		if w.rng.IntN(5) == 0 {
			b.Gaps = append(b.Gaps, history.Gap{Tick: tick + 2, Lost: w.count(), From: w.marketTime(), To: w.marketTime(), Reason: w.text()})
		}
		tick += 3
	}
	return b
}

func (w *world) quote(in core.InstrumentID, tick uint64) history.Quote {
	at := max(w.now, w.quoted[in]) + 1 + core.Nanos(w.rng.IntN(1000))
	w.quoted[in] = at
	w.times = append(w.times, at)
	return history.Quote{Instrument: in, Stale: w.flip(), BidPrice: core.Price(w.number()), AskPrice: core.Price(w.number()),
		BidQty: core.Qty(w.number()), AskQty: core.Qty(w.number()), ExchangeTime: w.marketTime(), ReceiveTime: at, Tick: tick}
}

func (w *world) candle(in core.InstrumentID) history.Candle {
	interval := history.CandleIntervals[w.rng.IntN(len(history.CandleIntervals))]
	return history.Candle{Instrument: in, Interval: interval, Gap: w.flip(), Candle: core.Candle{
		Open: core.Price(w.number()), High: core.Price(w.number()), Low: core.Price(w.number()), Close: core.Price(w.number()),
		Volume: core.Qty(w.number()), Trades: uint32(w.number()), Closed: w.flip(),
		OpenTime: core.CandleOpenTime(w.marketTime(), interval)}}
}
