package rest_test

import (
	"errors"
	"testing"
	"time"

	"qcat/api/rest"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/history"
)

const hour = core.Nanos(time.Hour)

var executionsOfAll = engine.ExecutionFilter{}

// days puts the last hourly candle of so many days before the present into the store:
// the price falls by 1% every tenth day and comes back the day after.
func (a *archive) days(n int) {
	last := start / (24 * hour) * (24 * hour)
	for i := range n {
		price := core.Price(10_000)
		if i%10 == 9 {
			price = 9_900
		}
		a.bars = append(a.bars, history.Candle{Instrument: 1, Interval: hour,
			Candle: core.Candle{OpenTime: last - core.Nanos(i)*24*hour - hour, Close: price}})
	}
}

type varReport struct {
	Observations, Missing, Tail int
	VaR                         string `json:"var"`
	ES, Worst                   string
	Holdings                    []struct{ Instrument, Qty, Value string }
}

// TestValueAtRisk: the present book at the moves of the past, and how many those are.
func TestValueAtRisk(t *testing.T) {
	a := &archive{}
	a.days(151)
	s := serve(t, func(c *rest.Config) { c.History = a })
	s.ask("POST", ordersPath, `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market","qty":"0.500"}`).ordered(201)
	s.eventually("the fill", func() bool { return len(s.view.Executions(executionsOfAll)) == 1 })
	var got varReport
	if r := s.ask("GET", "/api/v1/risk/var?account=demo&lookback=150d", ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	} else {
		r.into(&got)
	}
	// 0.5 at a mark of 100.01 is 50.005; the worst day loses 1% of that.
	if got.Observations != 150 || got.Missing != 0 || got.Tail != 1 || got.VaR != "0.50005000" || got.Worst != got.VaR || got.ES != got.VaR ||
		len(got.Holdings) != 1 || got.Holdings[0].Value != "50.00500000" {
		t.Errorf("%+v", got)
	}
	s.ask("GET", "/api/v1/risk/var?lookback=150d&confidence=0.8", "").into(&got)
	if got.Tail != 29 && got.Tail != 30 {
		t.Errorf("the firm: %+v", got)
	}
	p := s.ask("GET", "/api/v1/risk/var?account=demo&lookback=90d", "").refused(422, "report.too_few_observations")
	if p.Detail == "" {
		t.Error("it does not say how many")
	}
	for _, q := range []string{"confidence=1", "confidence=0.4", "confidence=x", "horizon=30m", "horizon=90m", "horizon=31d", "lookback=0d", "lookback=9999d", "horizon=d", "days=1"} {
		s.ask("GET", "/api/v1/risk/var?"+q, "").refused(400, "request.query")
	}
	const within = `query parameter "horizon": wanted whole hours or days, such as 36h or 10d, between 1h and 30d`
	if p := s.ask("GET", "/api/v1/risk/var?horizon=31d", "").refused(400, "request.query"); p.Detail != within {
		t.Errorf("a horizon beyond the bound: %s", p.Detail)
	}
	s.ask("GET", "/api/v1/risk/var?account=nobody", "").refused(422, "risk.unknown_account")
	if s.ask("GET", "/api/v1/risk/var?account=other", "").into(&got); got.VaR != "0.00000000" {
		t.Errorf("who holds nothing loses %s", got.VaR)
	}
	a.set(errors.New("gone"), false)
	s.ask("GET", "/api/v1/risk/var?account=demo", "").refused(503, "history_unavailable")
}

// TestValueAtRiskWithoutStore: it is not made up.
func TestValueAtRiskWithoutStore(t *testing.T) {
	s := serve(t)
	s.ask("POST", ordersPath, `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"market","qty":"0.500"}`).ordered(201)
	s.eventually("the fill", func() bool { return len(s.view.Executions(executionsOfAll)) == 1 })
	s.ask("GET", "/api/v1/risk/var", "").refused(503, "history_unavailable")
}

// TestScenarios: each shock with what it costs.
func TestScenarios(t *testing.T) {
	s := serve(t)
	s.ask("POST", ordersPath, limitOrder).ordered(201)
	var got struct {
		Scenarios []struct{ Scenario, Shock, Unit, Loss string }
	}
	if s.ask("GET", "/api/v1/risk/scenarios?account=demo", "").into(&got); len(got.Scenarios) < 5 || got.Scenarios[0].Shock != "-0.100000" || got.Scenarios[0].Loss != "0.10001000" {
		t.Errorf("%+v", got)
	}
	s.ask("GET", "/api/v1/risk/scenarios?account=nobody", "").refused(422, "risk.unknown_account")
	s.ask("GET", "/api/v1/risk/scenarios?strategy=maker", "").refused(400, "request.query")
}
