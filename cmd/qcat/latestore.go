package main

import (
	"context"
	"errors"
	"sync/atomic"

	"qcat/core/history"
	"qcat/persist/store"
)

// errNoStore is the answer to questions about the past while the store is away.
var errNoStore = errors.New("the store is not open")

// lateStore answers questions about the past once there is a store to ask. Any
// goroutine.
type lateStore struct{ opened atomic.Pointer[store.Store] }

// store returns the store, nil before there is one.
func (l *lateStore) store() store.Store {
	if st := l.opened.Load(); st != nil {
		return *st
	}
	return nil
}

// ask puts one question.
func ask[Q, R any](ctx context.Context, l *lateStore, question func(store.Store, context.Context, Q) ([]R, error), q Q) ([]R, error) {
	st := l.store()
	if st == nil {
		return nil, errNoStore
	}
	return question(st, ctx, q)
}

// Orders implements history.Reader, as do those below.
func (l *lateStore) Orders(ctx context.Context, q history.OrderQuery) ([]history.Order, error) {
	return ask(ctx, l, store.Store.Orders, q)
}

// Executions asks for executions.
func (l *lateStore) Executions(ctx context.Context, q history.ExecutionQuery) ([]history.Execution, error) {
	return ask(ctx, l, store.Store.Executions, q)
}

// Trades asks for trades.
func (l *lateStore) Trades(ctx context.Context, q history.TradeQuery) ([]history.Trade, error) {
	return ask(ctx, l, store.Store.Trades, q)
}

// Quotes asks for sampled quotes.
func (l *lateStore) Quotes(ctx context.Context, q history.QuoteQuery) ([]history.Quote, error) {
	return ask(ctx, l, store.Store.Quotes, q)
}

// Candles asks for candles.
func (l *lateStore) Candles(ctx context.Context, q history.CandleQuery) ([]history.Candle, error) {
	return ask(ctx, l, store.Store.Candles, q)
}

// Equity asks for what accounts had made.
func (l *lateStore) Equity(ctx context.Context, q history.EquityQuery) ([]history.Equity, error) {
	return ask(ctx, l, store.Store.Equity, q)
}

// Transfers asks for what was moved into accounts and out of them.
func (l *lateStore) Transfers(ctx context.Context, q history.TransferQuery) ([]history.Transfer, error) {
	return ask(ctx, l, store.Store.Transfers, q)
}

// RiskEvents asks for refusals, halts and the like.
func (l *lateStore) RiskEvents(ctx context.Context, q history.EventQuery) ([]history.RiskEvent, error) {
	return ask(ctx, l, store.Store.RiskEvents, q)
}

// Audit asks for administrative acts.
func (l *lateStore) Audit(ctx context.Context, q history.EventQuery) ([]history.Audit, error) {
	return ask(ctx, l, store.Store.Audit, q)
}
