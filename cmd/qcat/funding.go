package main

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/engine"
	"qcat/core/market"
)

// fundingEvery parts the moments at which the paper venue's derivatives pay funding:
// 00:00, 08:00 and 16:00 UTC. Moments at which nobody was there are left out.
const fundingEvery = core.Nanos(8 * time.Hour)

// maxFundingRate bounds the rate of one payment: 10 %, in 10^-9.
const maxFundingRate = 100_000_000

// fundingLook bounds how long the timer sleeps, because clocks are set.
const fundingLook = time.Minute

// funding pays the paper venue's funding, one rate for all its derivatives. One
// goroutine.
type funding struct {
	rate   int64 // 10^-9 of the notional, paid by longs
	clock  core.Clock
	engine *engine.Engine
	view   *engine.View
	quotes *market.QuoteTable
	log    *zap.Logger
}

func (s *server) newFunding() (*funding, error) {
	rate, err := parsePercent(s.cfg.PaperFundingRate, 7)
	if err != nil {
		return nil, badSetting("paper-funding-rate", "%v", err)
	}
	if rate < -maxFundingRate || rate > maxFundingRate {
		return nil, badSetting("paper-funding-rate", "must be within 10%% either way")
	}
	return &funding{rate: rate, clock: s.clock, engine: s.engine, view: s.view, quotes: s.quotes, log: s.log}, nil
}

// nextFunding is the first moment after now.
func nextFunding(now core.Nanos) core.Nanos { return now - now%fundingEvery + fundingEvery }

// run pays at each moment until ctx is done; a rate of zero pays nothing.
func (f *funding) run(ctx context.Context) {
	if f.rate == 0 {
		return
	}
	for next := nextFunding(f.clock.Now()); ; {
		left := time.Duration(next - f.clock.Now())
		if left <= 0 {
			f.pay()
			next = nextFunding(max(next, f.clock.Now()))
			continue
		}
		if !sleep(ctx, min(left, fundingLook)) {
			return
		}
	}
}

// pay books one payment for every derivative that somebody holds.
func (f *funding) pay() {
	for _, id := range f.held() {
		in := f.engine.Directory().Instrument(id)
		if in == nil || in.Kind == core.Spot {
			continue
		}
		price := f.price(id)
		if price <= 0 {
			f.log.Error("no funding is paid: there is no price", zap.String("instrument", in.Name()))
			continue
		}
		seq, reason, err := f.engine.DefineFunding(id, f.rate, price)
		if err = refusedOr(reason, err); err != nil {
			f.log.Error("no funding is paid", zap.String("instrument", in.Name()), zap.Error(err))
			continue
		}
		f.log.Info("funding is paid", zap.String("instrument", in.Name()), zap.Uint64("journal_seq", seq))
	}
}

// held are the instruments in which anybody has a position, by id.
func (f *funding) held() (ids []core.InstrumentID) {
	for _, p := range f.view.Positions(engine.PositionFilter{OpenOnly: true}) {
		ids = append(ids, p.Instrument)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// price is the mark, or where the venue sends none the middle of its book.
func (f *funding) price(id core.InstrumentID) core.Price {
	var q core.Quote
	if !f.quotes.Load(id, &q) {
		return 0
	}
	if q.MarkPrice > 0 {
		return q.MarkPrice
	}
	if q.BidPrice > 0 && q.AskPrice > 0 && !q.Crossed() {
		return q.BidPrice + (q.AskPrice-q.BidPrice)/2
	}
	return q.LastPrice
}
