package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// Memory is a store in memory that does everything the plain way: rows in maps
// and slices, answers by looking at all of them.
type Memory struct {
	mu        sync.RWMutex
	positions [store.NumStreams]store.Position
	closed    bool

	instruments map[core.InstrumentID]core.Instrument
	accounts    map[core.AccountID]core.Account
	strategies  map[core.StrategyID]core.Strategy
	orders      map[core.OrderID]history.Order
	held        map[positionKey]history.Position
	marks       map[core.InstrumentID]store.Mark
	totals      map[totalKey]store.TransferTotal
	candles     map[candleKey]history.Candle

	executions []history.Execution
	transfers  []history.Transfer
	equity     []history.Equity
	riskEvents []history.RiskEvent
	audit      []history.Audit
	trades     []history.Trade
	quotes     []history.Quote
	gaps       []history.Gap
}

type positionKey struct {
	strategy   core.StrategyID
	instrument core.InstrumentID
	leg        core.Leg
}

type totalKey struct {
	account  core.AccountID
	currency string
}

type candleKey struct {
	instrument core.InstrumentID
	interval   core.Nanos
	open       core.Nanos
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		instruments: map[core.InstrumentID]core.Instrument{}, accounts: map[core.AccountID]core.Account{},
		strategies: map[core.StrategyID]core.Strategy{}, orders: map[core.OrderID]history.Order{},
		held: map[positionKey]history.Position{}, marks: map[core.InstrumentID]store.Mark{},
		totals:  map[totalKey]store.TransferTotal{},
		candles: map[candleKey]history.Candle{},
	}
}

var errClosed = errors.New("storetest: store is closed")

// usable is the error of a call that cannot be answered; the lock is held.
func (m *Memory) usable(ctx context.Context) error {
	if m.closed {
		return errClosed
	}
	return ctx.Err()
}

// Ping is nil until Close.
func (m *Memory) Ping(ctx context.Context) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.usable(ctx)
}

// Close makes every later call fail.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Position implements store.Store.
func (m *Memory) Position(ctx context.Context, s store.Stream) (store.Position, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.positions[s], m.usable(ctx)
}

// Write implements store.Store.
func (m *Memory) Write(ctx context.Context, b *store.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(ctx); err != nil {
		return err
	}
	at := m.positions[b.Stream]
	switch {
	case at.Seq > 0 && at.Log != b.Log:
		return fmt.Errorf("%w: %s of log %x, batch of %x", store.ErrForeign, b.Stream, at.Log, b.Log)
	case b.From != at.Seq+1 || b.To < b.From:
		return fmt.Errorf("%w: %s at %d, batch %d to %d", store.ErrPosition, b.Stream, at.Seq, b.From, b.To)
	}
	m.put(b)
	m.positions[b.Stream] = store.Position{Log: b.Log, Seq: b.To, Time: b.Time}
	return nil
}

func (m *Memory) put(b *store.Batch) {
	putAll(m.instruments, b.Instruments, func(in *core.Instrument) core.InstrumentID { return in.ID })
	putAll(m.accounts, b.Accounts, func(a *core.Account) core.AccountID { return a.ID })
	putAll(m.strategies, b.Strategies, func(s *core.Strategy) core.StrategyID { return s.ID })
	putAll(m.orders, b.Orders, func(o *history.Order) core.OrderID { return o.ID })
	putAll(m.held, b.Positions, func(p *history.Position) positionKey { return positionKey{p.Strategy, p.Instrument, p.Leg} })
	putAll(m.marks, b.Marks, func(k *store.Mark) core.InstrumentID { return k.Instrument })
	putAll(m.candles, b.Candles, func(c *history.Candle) candleKey { return candleKey{c.Instrument, c.Interval, c.OpenTime} })
	putAll(m.totals, b.Totals, func(t *store.TransferTotal) totalKey { return totalKey{t.Account, t.Currency} })
	m.executions = append(m.executions, b.Executions...)
	m.transfers = append(m.transfers, b.Transfers...)
	m.equity = append(m.equity, b.Equity...)
	m.riskEvents = append(m.riskEvents, b.RiskEvents...)
	m.audit = append(m.audit, b.Audit...)
	m.trades = append(m.trades, b.Trades...)
	m.quotes = append(m.quotes, b.Quotes...)
	m.gaps = append(m.gaps, b.Gaps...)
}

func putAll[K comparable, R any](m map[K]R, rows []R, key func(*R) K) {
	for i := range rows {
		m[key(&rows[i])] = rows[i]
	}
}

// Load implements store.Store.
func (m *Memory) Load(ctx context.Context, s store.Stream) (*store.State, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	st := &store.State{Position: m.positions[s]}
	if s == store.Ticks {
		m.loadTicks(st)
		return st, nil
	}
	st.Instruments = sorted(m.instruments, func(in *core.Instrument) core.InstrumentID { return in.ID })
	st.Accounts = sorted(m.accounts, func(a *core.Account) core.AccountID { return a.ID })
	st.Strategies = sorted(m.strategies, func(s *core.Strategy) core.StrategyID { return s.ID })
	st.Open = sorted(m.orders, func(o *history.Order) core.OrderID { return o.ID })
	st.Open = slices.DeleteFunc(st.Open, func(o history.Order) bool { return !o.Status.Open() })
	st.Positions = slices.Collect(maps.Values(m.held))
	st.Marks = sorted(m.marks, func(k *store.Mark) core.InstrumentID { return k.Instrument })
	st.Totals = slices.Collect(maps.Values(m.totals))
	return st, nil
}

func (m *Memory) loadTicks(st *store.State) {
	quotes := map[core.InstrumentID]history.Quote{}
	for _, q := range m.quotes {
		if have, ok := quotes[q.Instrument]; !ok || q.ReceiveTime > have.ReceiveTime {
			quotes[q.Instrument] = q
		}
	}
	st.Quotes = sorted(quotes, func(q *history.Quote) core.InstrumentID { return q.Instrument })
	candles := map[candleKey]history.Candle{}
	for _, c := range m.candles {
		key := candleKey{instrument: c.Instrument, interval: c.Interval}
		if have, ok := candles[key]; !ok || c.OpenTime > have.OpenTime {
			candles[key] = c
		}
	}
	for _, c := range candles {
		st.Candles = append(st.Candles, c)
	}
	slices.SortFunc(st.Candles, func(a, b history.Candle) int {
		return cmp.Or(cmp.Compare(a.Instrument, b.Instrument), cmp.Compare(a.Interval, b.Interval))
	})
	st.Gaps = slices.Clone(m.gaps)
	slices.SortFunc(st.Gaps, func(a, b history.Gap) int { return cmp.Compare(a.Tick, b.Tick) })
	st.Gaps = st.Gaps[max(0, len(st.Gaps)-store.RecentGaps):]
}

// sorted returns the rows of m by ascending key.
func sorted[K comparable, R any, O cmp.Ordered](m map[K]R, key func(*R) O) []R {
	var rows []R
	for _, r := range m {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b R) int { return cmp.Compare(key(&a), key(&b)) })
	return rows
}

// Order implements store.Store.
func (m *Memory) Order(ctx context.Context, id core.OrderID) (history.Order, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, ok := m.orders[id]
	return o, ok, m.usable(ctx)
}

// Digest implements store.Store.
func (m *Memory) Digest(ctx context.Context) (store.Digest, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var d store.DigestBuilder
	addAll(m.instruments, d.AddInstrument)
	addAll(m.accounts, d.AddAccount)
	addAll(m.strategies, d.AddStrategy)
	addAll(m.orders, d.AddOrder)
	addAll(m.held, d.AddPosition)
	addAll(m.marks, d.AddMark)
	addAll(m.totals, d.AddTotal)
	addAll(m.candles, d.AddCandle)
	addEach(m.executions, d.AddExecution)
	addEach(m.transfers, d.AddTransfer)
	addEach(m.equity, d.AddEquity)
	addEach(m.riskEvents, d.AddRiskEvent)
	addEach(m.audit, d.AddAudit)
	addEach(m.trades, d.AddTrade)
	addEach(m.quotes, d.AddQuote)
	addEach(m.gaps, d.AddGap)
	for s, p := range m.positions {
		if p.Seq > 0 {
			d.AddPositionOf(store.Stream(s), p)
		}
	}
	return d.Digest(), m.usable(ctx)
}

func addAll[K comparable, R any](rows map[K]R, add func(*R)) {
	for _, r := range rows {
		add(&r)
	}
}

func addEach[R any](rows []R, add func(*R)) {
	for i := range rows {
		add(&rows[i])
	}
}
