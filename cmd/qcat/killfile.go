package main

import (
	"errors"
	"fmt"
	"strings"

	"qcat/core"
	"qcat/risk"
)

// killOrder is one thing that a signal file asks for.
type killOrder struct {
	scope risk.Scope
	state risk.TradingState
	text  string // as a person reads it: "halt account demo"
}

// haltFirm is what an empty signal file asks for, and what one that cannot be
// understood gets.
var haltFirm = killOrder{scope: risk.FirmScope(), state: risk.StateHalted, text: "halt firm"}

// maxKillBytes and maxKillLines bound a signal file; a longer one is not understood.
const (
	maxKillBytes = 64 << 10
	maxKillLines = 512
)

// parseKill reads a signal file: a line an order, each
//
//	[halt|reduce] firm
//	[halt|reduce] account A [instrument V:S]
//	[halt|reduce] strategy A/S [instrument V:S]
//	[halt|reduce] instrument V:S
//
// where halt is meant if neither is said. A file without a word halts the firm. What
// is not understood halts the firm too, beside what the other lines say, and is told
// in err: whoever wrote it wanted something stopped.
func parseKill(text string, dir *core.Directory) (orders []killOrder, err error) {
	if len(text) > maxKillBytes {
		return []killOrder{haltFirm}, fmt.Errorf("longer than %d bytes", maxKillBytes)
	}
	var errs []error
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(orders) == maxKillLines {
			errs = append(errs, fmt.Errorf("more than %d lines", maxKillLines))
			break
		}
		o, err := parseKillLine(words, dir)
		if err != nil {
			errs = append(errs, fmt.Errorf("line %q: %w", strings.TrimSpace(line), err))
			continue
		}
		orders = append(orders, o)
	}
	if len(errs) > 0 || len(orders) == 0 {
		orders = append([]killOrder{haltFirm}, orders...)
	}
	return orders, errors.Join(errs...)
}

func parseKillLine(words []string, dir *core.Directory) (o killOrder, err error) {
	o.state, o.text = risk.StateHalted, "halt "
	switch words[0] {
	case "reduce":
		o.state, o.text = risk.StateReducing, "reduce "
		words = words[1:]
	case "halt":
		words = words[1:]
	}
	o.text += strings.Join(words, " ")
	if len(words) == 1 && words[0] == "firm" {
		o.scope = risk.FirmScope()
		return o, nil
	}
	if len(words) == 0 || len(words)%2 != 0 || len(words) > 4 {
		return o, errors.New("want firm, account A, strategy A/S or instrument V:S")
	}
	for i := 0; i < len(words); i += 2 {
		if i > 0 && words[i] != "instrument" {
			return o, fmt.Errorf("%s may not follow %s", words[i], words[0])
		}
		if err := o.narrow(words[i], words[i+1], dir); err != nil {
			return o, err
		}
	}
	return o, nil
}

// narrow adds one name to the scope.
func (o *killOrder) narrow(kind, name string, dir *core.Directory) error {
	switch kind {
	case "account":
		a := dir.AccountNamed(name)
		if a == nil {
			return fmt.Errorf("there is no account %s", name)
		}
		o.scope = risk.AccountScope(a.ID)
	case "strategy":
		account, strategy, ok := strings.Cut(name, "/")
		if !ok {
			return errors.New("a strategy is written account/strategy")
		}
		a := dir.AccountNamed(account)
		if a == nil {
			return fmt.Errorf("there is no account %s", account)
		}
		s := dir.StrategyNamed(a.ID, strategy)
		if s == nil {
			return fmt.Errorf("account %s has no strategy %s", account, strategy)
		}
		o.scope = risk.Scope{Level: risk.LevelStrategy, Account: a.ID, Strategy: s.ID}
	case "instrument":
		in := dir.InstrumentNamed(name)
		if in == nil || o.scope.Level == risk.LevelInstrument {
			return fmt.Errorf("there is no instrument %s here", name)
		}
		o.scope = risk.InstrumentScope(o.scope.Account, o.scope.Strategy, in.ID)
	default:
		return fmt.Errorf("%s is none of firm, account, strategy and instrument", kind)
	}
	return nil
}
