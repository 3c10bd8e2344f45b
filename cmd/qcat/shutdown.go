package main

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"qcat/core/engine"
	"qcat/risk"
)

// shutdown stops taking orders, cancels what is open if that is set, lets clients
// see it, and then stops the parts along the way of an order.
func (s *server) shutdown() error {
	deadline := time.Now().Add(s.cfg.ShutdownTimeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	s.gate.closed.Store(true) // /ready says no from here on
	s.saving.end()            // a backup that is being made removes its files meanwhile
	if s.cfg.CancelOnShutdown {
		s.cancelAll(ctx)
	} else if s.journal.Err() == nil && !s.caughtUp(ctx) { // what has been taken is told to its clients before they go
		s.log.Warn("gave up waiting for the last orders to be answered")
	}
	s.clients.stop()
	err := s.rest.Shutdown(ctx)
	s.callers.stop()
	s.watchers.stop()
	s.orders.stop()
	s.venue.stop()
	s.feeds.stop()
	s.recorders.stop()
	s.mirrors.stop()
	s.readers.stop()
	s.archive.drain(ctx)
	s.stores.stop()
	s.saving.stop()
	if s.guard != nil {
		s.guard.finish(ctx)
	}
	err = errors.Join(err, s.close())
	s.log.Info("stopped", zap.Uint64("journal_seq", s.engine.Seq()))
	return err
}

// close closes the store and the logs, and keeps the state for the next start.
func (s *server) close() error {
	var errs []error
	if s.guard != nil {
		errs = append(errs, s.guard.close())
	}
	if s.archive != nil {
		errs = append(errs, s.archive.close())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	if s.keeper != nil {
		s.finalSnapshot()
	}
	return errors.Join(errs...)
}

// cancelEvery is how often cancelAll asks again: a cancel overtakes the new orders
// that still wait in the command ring, and misses them.
const cancelEvery = 50 * time.Millisecond

// cancelAll cancels every open order and waits until none is left or ctx is done.
// It looks twice: a client that found the gate open may still be about to hand
// its order over at the first time.
func (s *server) cancelAll(ctx context.Context) {
	var asked time.Time
	told := false
	for none := 0; none < 2; {
		if time.Since(asked) >= cancelEvery && s.engine.Submit(&engine.Command{Kind: engine.CmdCancelAll, Scope: risk.FirmScope()}) {
			asked = time.Now()
		}
		if err := s.journal.Err(); err != nil {
			s.log.Warn("open orders are cancelled on the venues alone: their end cannot be recorded", zap.Error(err))
			return
		}
		if !s.caughtUp(ctx) || !sleep(ctx, 5*time.Millisecond) {
			s.log.Warn("gave up waiting for open orders to be cancelled")
			return
		}
		open := len(s.view.Orders(engine.OrderFilter{OpenOnly: true}))
		if open == 0 {
			none++
			continue
		}
		if none = 0; !told {
			told = true
			s.log.Info("cancelling open orders", zap.Int("orders", open))
		}
	}
}

// passed is told when the engine has answered.
type passed chan struct{}

// Deliver implements engine.ReplySink.
func (p passed) Deliver(*engine.Reply) {
	select {
	case p <- struct{}{}:
	default:
	}
}

// caughtUp waits until the engine has taken what waits in its command ring now,
// and the view shows it. It reports whether that was so before ctx was done.
func (s *server) caughtUp(ctx context.Context) bool {
	p := make(passed, 1)
	to, ok := s.engine.RegisterSink(p)
	if !ok || s.engine.Health() == engine.HealthStopped {
		return false
	}
	defer s.engine.UnregisterSink(to)
	// An order to be checked takes its turn among the others and changes nothing.
	for !s.engine.Submit(&engine.Command{Kind: engine.CmdCheck, Reply: to}) {
		if !sleep(ctx, time.Millisecond) {
			return false
		}
	}
	select {
	case <-ctx.Done():
		return false
	case <-p:
		return s.view.WaitFor(ctx, s.engine.Answered()) == nil
	}
}

// sleep waits for d and reports whether ctx is still good.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
