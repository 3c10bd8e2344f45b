package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"qcat/api/client"
	"qcat/core"
)

// riskTable is what the risk channel has told of firm, accounts and strategies: a line
// a node, each as it was told last.
type riskTable struct {
	order []string // of the nodes' names
	lines map[string]string
}

func newRiskTable() *riskTable { return &riskTable{lines: map[string]string{}} }

// riskNode is what is shown of a node; null is what nobody can say.
type riskNode struct {
	Scope        client.Scope `json:"scope"`
	State        string       `json:"state"`
	Cause        string       `json:"cause"`
	Gross        *string      `json:"gross"`
	PnL          *string      `json:"pnl"`
	Drawdown     *string      `json:"drawdown"`
	ScenarioLoss *string      `json:"scenario_loss"`
	Equity       *string      `json:"equity"`
	MarginRatio  *string      `json:"margin_ratio"`
	Utilisation  []struct {
		Limit string  `json:"limit"`
		Ratio *string `json:"ratio"`
	} `json:"utilisation"`
}

// update takes one frame's data, and reports whether it was one of exposures.
func (t *riskTable) update(data []byte) bool {
	var frame struct {
		Kind   string     `json:"kind"`
		Scopes []riskNode `json:"scopes"`
	}
	if json.Unmarshal(data, &frame) != nil || frame.Kind != "exposure" {
		return false
	}
	for i := range frame.Scopes {
		n := &frame.Scopes[i]
		if n.Scope.Instrument != "" {
			continue // there may be thousands: qcat watch positions has what is held
		}
		name := scopeText(&n.Scope)
		if _, known := t.lines[name]; !known {
			at, _ := slices.BinarySearchFunc(t.order, name, func(a, b string) int { return strings.Compare(rank(a), rank(b)) })
			t.order = slices.Insert(t.order, at, name)
		}
		t.lines[name] = n.text()
	}
	return true
}

// rank puts the firm first, and an account before its strategies.
func rank(name string) string {
	if of, ok := strings.CutPrefix(name, "strategy "); ok {
		return "account " + of
	}
	if name == "the firm" {
		return ""
	}
	return name
}

// text is one line of a node.
func (n *riskNode) text() string {
	parts := []string{n.State}
	if n.Cause != "" {
		parts[0] += " (" + n.Cause + ")"
	}
	for _, f := range []struct {
		name  string
		value *string
	}{{"equity", n.Equity}, {"gross", n.Gross}, {"pnl", n.PnL}, {"drawdown", n.Drawdown}, {"worst case", n.ScenarioLoss}} {
		if f.value != nil {
			parts = append(parts, f.name+" "+shorter(*f.value))
		}
	}
	if n.MarginRatio != nil {
		parts = append(parts, "margin "+percentOf(*n.MarginRatio))
	}
	if limit, ratio := n.fullest(); limit != "" {
		parts = append(parts, fmt.Sprintf("%s of %s", percentOf(ratio), limit))
	}
	return strings.Join(parts, "  ")
}

// fullest is the limit of which the most is used.
func (n *riskNode) fullest() (limit, ratio string) {
	most := int64(-1)
	for _, u := range n.Utilisation {
		if u.Ratio == nil {
			continue
		}
		if v, err := core.ParseDecimal([]byte(*u.Ratio), 6); err == nil && v > most {
			most, limit, ratio = v, u.Limit, *u.Ratio
		}
	}
	return limit, ratio
}

// percentOf writes a ratio as a percentage with one decimal, cut.
func percentOf(ratio string) string {
	ppm, err := core.ParseDecimal([]byte(ratio), 6)
	if err != nil {
		return ratio
	}
	return core.FormatDecimal(ppm/1000, 1) + "%"
}
