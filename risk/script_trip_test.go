package risk

import (
	"fmt"
	"strings"
	"time"

	"qcat/core"
)

// trip reads the verbs of what is evaluated on events:
//
//	mark BTC 60000 [unconfirmed]   a price that is, or is not, confirmed
//	tick                           the tree is told the time if something is due
//	breaches                       what limits are crossed, each acted on in turn
//	trips demo                     what keeps a node from opening
//	score demo                     profit, loss and losses in a row
//	scenarios demo                 what each full scenario would cost
func (s *script) trip(w []string) (answer string, ok bool) {
	switch w[0] {
	case "mark":
		in := s.instrument(w[1])
		price := core.Price(s.amount(w[2], in.PriceScale))
		s.tree.Mark(in.ID, price, len(w) == 3, s.now)
		return "", true
	case "tick":
		if s.tree.Deadline() > s.now {
			return "nothing is due", true
		}
		s.tree.Tick(s.now)
		return "", true
	case "breaches":
		return s.breaches(), true
	case "trips":
		return s.trips(w[1]), true
	case "score":
		return s.score(w[1]), true
	case "scenarios":
		return s.scenarios(w[1]), true
	}
	return "", false
}

func (s *script) breaches() string {
	var lines []string
	for {
		b, ok := s.tree.NextBreach()
		if !ok {
			break
		}
		s.tree.Act(&b)
		in := s.tree.instruments[b.Instrument].in
		does := ""
		if b.Cancels() {
			does += ", cancel"
		}
		if b.Flattens() {
			does += ", close"
		}
		lines = append(lines, fmt.Sprintf("%s at %s: limit %s, is %s, by %s at %s: %s%s, now %s", b.Code, s.scopeName(b.Scope),
			b.Unit.Append(nil, b.Limit, in), b.Unit.Append(nil, b.Value, in), in.Symbol,
			core.FormatDecimal(int64(b.Price), in.PriceScale), b.Action, does, s.tree.State(b.Scope)))
	}
	if lines == nil {
		return "none"
	}
	return strings.Join(lines, "\n")
}

func (s *script) trips(scope string) string {
	sc := s.scope(scope)
	in := s.tree.instruments[max(1, sc.Instrument)].in
	var lines []string
	for _, x := range s.tree.Trips(sc) {
		end := ""
		if x.Until != never {
			end = fmt.Sprintf(", for %s", time.Duration(x.Until-s.now))
		}
		lines = append(lines, fmt.Sprintf("%s: limit %s, is %s%s", x.Code, x.Unit.Append(nil, x.Limit, in), x.Unit.Append(nil, x.Value, in), end))
	}
	v, _ := s.tree.View(sc)
	if lines == nil {
		return fmt.Sprintf("none, %s", v.State)
	}
	return strings.Join(lines, "\n")
}

func (s *script) score(scope string) string {
	v, ok := s.tree.View(s.scope(scope))
	if !ok {
		return "no such node"
	}
	val := func(x int64) string { return string(UnitValue.Append(nil, x, nil)) }
	return fmt.Sprintf("pnl %s, today %s, best %s, drawdown %s, lost in a row %d", val(v.PnL), val(v.DayPnL), val(v.Peak),
		val(v.Drawdown), v.Streak)
}

func (s *script) scenarios(scope string) string {
	all, ok := s.tree.Scenarios(s.scope(scope))
	if !ok {
		return "no such node"
	}
	var lines []string
	for _, x := range all[:fullScenarios] {
		lines = append(lines, fmt.Sprintf("%s %s loses %s", x.Name, x.Unit.Append(nil, x.Shock, nil), UnitValue.Append(nil, x.Loss, nil)))
	}
	v, _ := s.tree.View(s.scope(scope))
	return strings.Join(append(lines, fmt.Sprintf("worst %s loses %s", v.WorstScenario, UnitValue.Append(nil, v.ScenarioLoss, nil))), "\n")
}

// crossing reads whose resting orders an order would trade with.
func crossing(word string) (Crossing, bool) {
	switch word {
	case "crosses_account":
		return CrossesAccount, true
	case "crosses_firm":
		return CrossesFirm, true
	}
	return 0, false
}

// accepted words an approval.
func accepted(a *Approved) string {
	if m := a.SelfTrade(); m != 0 {
		return "accepted, " + m.String() + " of one's own"
	}
	return "accepted"
}
