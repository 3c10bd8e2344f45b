package postgres

import (
	"context"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"

	"qcat/core"
	"qcat/core/history"
)

// read asks a question in one snapshot. When a row names an instrument that was defined
// since the store last looked, it looks again and asks once more.
func read[R any](ctx context.Context, s *Store, name string, limit int, f func(context.Context, pgx.Tx) ([]R, error)) (rows []R, err error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	err = s.ask(ctx, name, func(ctx context.Context) (int, error) {
		attempt := func(tx pgx.Tx) error {
			rows, err = f(ctx, tx)
			return err
		}
		err := s.snapshot(ctx, attempt)
		if errors.Is(err, errInstrument) {
			err = s.snapshot(ctx, func(tx pgx.Tx) error {
				if err := s.learn(ctx, tx); err != nil {
					return err
				}
				return attempt(tx)
			})
		}
		return len(rows), err
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Orders answers from the open and the closed orders.
func (s *Store) Orders(ctx context.Context, q history.OrderQuery) ([]history.Order, error) {
	var f filter
	equal(&f, unless(q.ClOrdID.Len() > 0, "account"), q.Account)
	equal(&f, "strategy", q.Strategy)
	equal(&f, "instrument", q.Instrument)
	equal(&f, "side", q.Side)
	equal(&f, "status", q.Status)
	if q.ClOrdID.Len() > 0 {
		f.add("cl_ord_id = $", q.ClOrdID.String())
	}
	f.within("create_ns", q.From, q.To)
	return read(ctx, s, "orders", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.Order, error) {
		var open, closed []history.Order
		var err error
		if q.Status == 0 || q.Status.Open() {
			if open, err = s.openOrders(ctx, tx, &f, q.Before, q.Limit); err != nil {
				return nil, err
			}
		}
		if !q.OpenOnly && !q.Status.Open() {
			if closed, err = partedOrders.page(ctx, s, tx, &f, belowID(q.Before), daysOf(q.From, q.To), "id DESC", q.Limit); err != nil {
				return nil, err
			}
		}
		return mergeOrders(open, closed, q.Limit), nil
	})
}

func (s *Store) openOrders(ctx context.Context, tx pgx.Tx, f *filter, before core.OrderID, limit int) ([]history.Order, error) {
	g := f.with()
	if before != 0 && before <= math.MaxInt64 {
		g.add("id < $", int64(before))
	}
	where := g.where()
	g.args = append(g.args, limit)
	return rowsOf(ctx, s, tx, ordersOpen, "SELECT "+ordersOpen.list+" FROM orders_open"+where+" ORDER BY id DESC LIMIT "+lastArg(g), g.args...)
}

// mergeOrders merges two lists that descend by id, up to limit rows. In one snapshot an
// order is in one of them.
func mergeOrders(a, b []history.Order, limit int) []history.Order {
	list := make([]history.Order, 0, min(len(a)+len(b), limit))
	for len(list) < limit && (len(a) > 0 || len(b) > 0) {
		if len(b) == 0 || (len(a) > 0 && a[0].ID > b[0].ID) {
			a, b = b, a
		}
		list = append(list, b[0])
		b = b[1:]
	}
	return list
}

// Order returns one order, open or closed.
func (s *Store) Order(ctx context.Context, id core.OrderID) (history.Order, bool, error) {
	if id == 0 || id > math.MaxInt64 {
		return history.Order{}, false, ctx.Err()
	}
	var f filter
	f.add("id = $", int64(id))
	rows, err := read(ctx, s, "order", 1, func(ctx context.Context, tx pgx.Tx) ([]history.Order, error) {
		open, err := rowsOf(ctx, s, tx, ordersOpen, "SELECT "+ordersOpen.list+" FROM orders_open WHERE id = $1", int64(id))
		if err != nil || len(open) > 0 {
			return open, err
		}
		return partedOrders.page(ctx, s, tx, &f, keys{int64(id), int64(id)}, allDays, "id DESC", 1)
	})
	if err != nil || len(rows) == 0 {
		return history.Order{}, false, err
	}
	return rows[0], true, nil
}

// Executions answers from all executions.
func (s *Store) Executions(ctx context.Context, q history.ExecutionQuery) ([]history.Execution, error) {
	var f filter
	equal(&f, unless(q.Order != 0, "account"), q.Account)
	equal(&f, "strategy", q.Strategy)
	equal(&f, "instrument", q.Instrument)
	equal(&f, "order_id", q.Order)
	f.within("time_ns", q.From, q.To)
	return read(ctx, s, "executions", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.Execution, error) {
		return partedExecutions.page(ctx, s, tx, &f, belowID(q.Before), daysOf(q.From, q.To), "id DESC", q.Limit)
	})
}

// RiskEvents answers from all risk events.
func (s *Store) RiskEvents(ctx context.Context, q history.EventQuery) ([]history.RiskEvent, error) {
	var f filter
	equal(&f, "kind", q.Kind)
	equal(&f, "account", q.Account)
	equal(&f, "strategy", q.Strategy)
	f.within("time_ns", q.From, q.To)
	return read(ctx, s, "risk_events", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.RiskEvent, error) {
		return partedRiskEvents.page(ctx, s, tx, &f, belowID(q.Before), daysOf(q.From, q.To), "seq DESC", q.Limit)
	})
}

// Audit answers from all audit entries.
func (s *Store) Audit(ctx context.Context, q history.EventQuery) ([]history.Audit, error) {
	var f filter
	if q.Action != "" {
		f.add("action = $", q.Action)
	}
	if q.Before != 0 && q.Before <= math.MaxInt64 {
		f.add("seq < $", int64(q.Before))
	}
	f.within("time_ns", q.From, q.To)
	where := f.where()
	f.args = append(f.args, q.Limit)
	return read(ctx, s, "audit", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.Audit, error) {
		return rowsOf(ctx, s, tx, audit, "SELECT "+audit.list+" FROM audit"+where+" ORDER BY seq DESC LIMIT "+lastArg(&f), f.args...)
	})
}

// Transfers answers from all transfers.
func (s *Store) Transfers(ctx context.Context, q history.TransferQuery) ([]history.Transfer, error) {
	var f filter
	equal(&f, "account", q.Account)
	if q.Currency != "" {
		f.add("currency = $", q.Currency)
	}
	if q.Before != 0 && q.Before <= math.MaxInt64 {
		f.add("seq < $", int64(q.Before))
	}
	f.within("time_ns", q.From, q.To)
	where := f.where()
	f.args = append(f.args, q.Limit)
	sql := "SELECT " + transfers.list + " FROM transfers" + where + " ORDER BY seq DESC LIMIT " + lastArg(&f)
	return read(ctx, s, "transfers", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.Transfer, error) {
		return rowsOf(ctx, s, tx, transfers, sql, f.args...)
	})
}

// Equity answers from all equity rows of an account.
func (s *Store) Equity(ctx context.Context, q history.EquityQuery) ([]history.Equity, error) {
	var f filter
	f.add("account = $", int64(q.Account))
	f.within("time_ns", q.From, q.To)
	if q.Before != 0 {
		f.add("time_ns < $", int64(q.Before))
	}
	where := f.where()
	f.args = append(f.args, q.Limit)
	// The page goes on to the end of the last Time it has.
	sql := "SELECT " + equity.list + " FROM equity" + where + " AND time_ns >= (SELECT min(time_ns) FROM (SELECT time_ns FROM equity" +
		where + " ORDER BY time_ns DESC LIMIT " + lastArg(&f) + ") newest) ORDER BY time_ns DESC, settle, scale"
	return read(ctx, s, "equity", q.Limit, func(ctx context.Context, tx pgx.Tx) ([]history.Equity, error) {
		return rowsOf(ctx, s, tx, equity, sql, f.args...)
	})
}
