package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/sqlite"
)

// TestQueriesUseAnIndex asks SQLite how it would run each kind of question: none may
// read a whole table, or sort more than the rows of one moment.
func TestQueriesUseAnIndex(t *testing.T) {
	id, _ := core.MakeClOrdID("c-7")
	from, to := scriptDay, scriptDay+day
	for name, ask := range map[string]func(context.Context, *sqlite.Store) error{
		"orders": func(ctx context.Context, s *sqlite.Store) error {
			return each(ctx, s.Orders, []history.OrderQuery{{Limit: 9}, {Account: 1, Limit: 9}, {Strategy: 10, Limit: 9}, {Instrument: 1, Limit: 9},
				{Account: 1, Before: 50, Limit: 9}, {Account: 1, From: from, To: to, Limit: 9}, {From: from, Limit: 9}, {OpenOnly: true, Limit: 9},
				{Account: 1, OpenOnly: true, Limit: 9}, {ClOrdID: id, Limit: 9}, {Account: 1, ClOrdID: id, Limit: 9},
				{Account: 1, Strategy: 10, Instrument: 1, Limit: 9}, {Account: 1, Strategy: 10, OpenOnly: true, ClOrdID: id, From: from, Limit: 9}})
		},
		"executions": func(ctx context.Context, s *sqlite.Store) error {
			return each(ctx, s.Executions, []history.ExecutionQuery{{Limit: 9}, {Account: 1, Limit: 9}, {Strategy: 10, Limit: 9}, {Instrument: 1, Limit: 9},
				{Order: 7, Limit: 9}, {Account: 1, Strategy: 10, Order: 7, Limit: 9}, {Account: 1, Before: 50, Limit: 9}, {Account: 1, From: from, To: to, Limit: 9}})
		},
		"events": func(ctx context.Context, s *sqlite.Store) error {
			events := []history.EventQuery{{Limit: 9}, {Kind: 1, Account: 1, Limit: 9}, {Account: 1, Strategy: 10, Limit: 9}, {Action: "set_limits", Limit: 9}, {From: from, To: to, Before: 99, Limit: 9}}
			if err := each(ctx, s.Audit, events); err != nil {
				return err
			}
			return each(ctx, s.RiskEvents, events)
		},
		"trades": func(ctx context.Context, s *sqlite.Store) error {
			return each(ctx, s.Trades, []history.TradeQuery{{Instrument: 1, Limit: 9}, {Instrument: 1, From: from, To: to, Limit: 9},
				{Instrument: 1, Before: history.TradeKey{Time: to, ID: 7}, Limit: 9}})
		},
		"quotes": func(ctx context.Context, s *sqlite.Store) error {
			return each(ctx, s.Quotes, []history.QuoteQuery{{Instrument: 1, Limit: 9}, {Instrument: 1, From: from, To: to, Before: to, Limit: 9}})
		},
		"candles": func(ctx context.Context, s *sqlite.Store) error {
			return each(ctx, s.Candles, []history.CandleQuery{{Instrument: 1, Interval: 1e9, Limit: 9}, {Instrument: 1, Interval: 60e9, From: from, To: to, Before: to, Limit: 9}})
		},
		"equity": func(ctx context.Context, s *sqlite.Store) error {
			return each(ctx, s.Equity, []history.EquityQuery{{Account: 1, Limit: 9}, {Account: 1, From: from, To: to, Before: to, Limit: 9}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			log, lines := observer.New(zap.WarnLevel)
			cfg := keep(filepath.Join(t.TempDir(), "qcat.db"))
			cfg.Log, cfg.SlowQuery, cfg.Clock = zap.New(log), 1, &steppingClock{step: 1}
			s := open(t, cfg)
			script{100}.fill(t, s, 0, 1)
			lines.TakeAll()
			if err := ask(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			slow := lines.FilterMessage("slow query").All()
			if len(slow) == 0 {
				t.Fatal("no statement was seen")
			}
			for _, line := range slow {
				query, _ := line.ContextMap()["query"].(string)
				wantIndex(t, s, query)
				for _, step := range planOf(t, s, query) {
					whole := strings.HasPrefix(step, "SCAN ") && (strings.Contains(query, "WHERE") && !strings.Contains(step, "USING"))
					sorted := strings.Contains(step, "TEMP B-TREE FOR ORDER BY")
					if whole || sorted {
						t.Errorf("%s\n\t%s", query, step)
					}
				}
			}
		})
	}
}

// wantIndex holds the questions that select few rows to the index of just those,
// whatever else is asked.
func wantIndex(t *testing.T, s *sqlite.Store, query string) {
	t.Helper()
	for _, c := range []struct{ condition, index string }{
		{"cl_ord_id = ?", "orders_cl_ord_id"}, {"status < 3", "orders_open"},
		{"order_id = ?", "executions_order"}, {" strategy = ?", "_strategy"}, {"account = ?", "account"},
	} {
		if strings.Contains(query, c.condition) {
			if steps := strings.Join(planOf(t, s, query), "; "); !strings.Contains(steps, c.index) {
				t.Errorf("%s\n\t%s, not %s", query, steps, c.index)
			}
			return
		}
	}
}

// each asks all questions of one kind.
func each[Q, R any](ctx context.Context, ask func(context.Context, Q) ([]R, error), questions []Q) error {
	for _, q := range questions {
		if _, err := ask(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// planOf is how SQLite would run a query, of which query is what follows FROM.
func planOf(t *testing.T, s *sqlite.Store, query string) (steps []string) {
	t.Helper()
	args := make([]any, strings.Count(query, "?"))
	rows, err := s.DB().QueryContext(t.Context(), "EXPLAIN QUERY PLAN SELECT * FROM "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
