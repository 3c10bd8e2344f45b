package sqlite_test

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"qcat/core"
	"qcat/core/history"
)

// steppingClock moves by step at each reading.
type steppingClock struct {
	step core.Nanos
	now  atomic.Int64
}

func (c *steppingClock) Now() core.Nanos { return core.Nanos(c.now.Add(int64(c.step))) }

// TestSlowQueryIsLogged counts the lines of statements that take as long as the limit,
// and of such that take less.
func TestSlowQueryIsLogged(t *testing.T) {
	for _, c := range []struct {
		took, limit time.Duration
		lines       int
	}{{100 * time.Millisecond, 100 * time.Millisecond, 2}, {99 * time.Millisecond, 100 * time.Millisecond, 0}, {time.Hour, -1, 0}} {
		core_, logs := observer.New(zap.WarnLevel)
		cfg := keep(filepath.Join(t.TempDir(), "qcat.db"))
		cfg.Log, cfg.SlowQuery, cfg.Clock = zap.New(core_), c.limit, &steppingClock{step: core.Nanos(c.took)}
		s := open(t, cfg)
		script{10}.fillJournal(t, s)
		if _, err := s.Orders(t.Context(), history.OrderQuery{Account: 1, Limit: 5}); err != nil {
			t.Fatal(err)
		}
		slow := logs.FilterMessage("slow query").All()
		if len(slow) != c.lines {
			t.Errorf("%v with a limit of %v: %d lines", c.took, c.limit, len(slow))
			continue
		}
		for i, want := range []string{"write journal", "orders WHERE account = ?"}[:c.lines] {
			f := slow[i].ContextMap()
			if got, _ := f["query"].(string); !strings.HasPrefix(got, want) || f["took"] != c.took {
				t.Errorf("line %d: %v", i, f)
			}
		}
	}
}
