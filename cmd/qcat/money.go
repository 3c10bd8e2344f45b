package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"qcat/core"
	"qcat/core/engine"
	"qcat/core/record"
	"qcat/risk"
	"qcat/risk/margin"
)

// configured is who the audit names for what came from the configuration.
const configured = "configuration"

// rateNode is what a currency is worth: a decimal of the risk currency with at most six
// places, or the mark of an instrument that buys it.
type rateNode struct {
	Worth string
	From  string
}

// UnmarshalYAML reads "1.08" or {from: binance-spot:BTCUSDT}.
func (r *rateNode) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&r.Worth); err == nil {
		return nil
	}
	var m map[string]string
	if err := unmarshal(&m); err != nil || len(m) != 1 || m["from"] == "" {
		return errors.New(`a rate is written "1.08" or {from: venue:symbol}`)
	}
	r.From = m["from"]
	return nil
}

func (r rateNode) define(e *engine.Engine, currency string) error {
	if r.From == "" {
		ppm, err := core.ParseDecimal([]byte(r.Worth), 6)
		if err == nil {
			_, err = e.DefineRate(currency, ppm)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", r.Worth, err)
		}
		return nil
	}
	in := e.Directory().InstrumentNamed(r.From)
	if in == nil {
		return fmt.Errorf("no feed has an instrument %s", r.From)
	}
	_, reason, err := e.DefineRateFrom(currency, in.ID)
	return refusedOr(reason, err)
}

// tierNode is one bracket: from which notional it holds (of the settlement currency),
// its maintenance margin and the largest leverage in it.
type tierNode struct {
	Floor    string `yaml:"floor"`
	Rate     string `yaml:"rate"`
	Leverage string `yaml:"leverage"`
}

func defineTiers(e *engine.Engine, name string, nodes []tierNode) error {
	in := e.Directory().InstrumentNamed(name)
	if in == nil {
		return errors.New("no feed has such an instrument")
	}
	tiers := make([]record.Tier, len(nodes))
	for i, n := range nodes {
		var err error
		if tiers[i], err = n.parse(in); err != nil {
			return fmt.Errorf("bracket %d: %w", i+1, err)
		}
	}
	var now []margin.Tier
	e.Query(func(tree *risk.Tree, _ uint64) { now = tree.Tiers(in.ID) })
	if slices.EqualFunc(now, tiers, func(a margin.Tier, b record.Tier) bool {
		return int64(a.Floor) == b.Floor && a.Rate == b.Rate && a.Leverage == b.Leverage
	}) {
		return nil
	}
	_, reason, err := e.DefineTiers(in.ID, tiers)
	return refusedOr(reason, err)
}

func (n *tierNode) parse(in *core.Instrument) (t record.Tier, err error) {
	floor := n.Floor
	if floor == "" {
		floor = "0"
	}
	if t.Floor, err = core.ParseDecimal([]byte(floor), in.SettleScale); err != nil {
		return t, fmt.Errorf("floor %q: %w", floor, err)
	}
	if t.Rate, err = parsePercent(n.Rate, 4); err != nil {
		return t, fmt.Errorf("rate: %w", err)
	}
	if t.Leverage, err = parseTimes(n.Leverage); err != nil {
		return t, fmt.Errorf("leverage: %w", err)
	}
	return t, nil
}

// parsePercent reads "0.4%" or "40bp", with so many decimals of a percent.
func parsePercent(text string, decimals uint8) (int64, error) {
	number, scale := strings.TrimSuffix(text, "%"), decimals
	if bp, ok := strings.CutSuffix(text, "bp"); ok {
		number, scale = bp, decimals-2
	} else if number == text {
		return 0, fmt.Errorf("%q is written with %% or bp", text)
	}
	v, err := core.ParseDecimal([]byte(number), scale)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	return v, nil
}

// parseTimes reads a leverage, "10x", as PPM.
func parseTimes(text string) (int64, error) {
	number, ok := strings.CutSuffix(text, "x")
	if !ok {
		return 0, fmt.Errorf("%q is written with x, such as 10x", text)
	}
	v, err := core.ParseDecimal([]byte(number), 6)
	if err != nil || v <= 0 {
		return 0, fmt.Errorf("%q is no leverage", text)
	}
	return v, nil
}

// moneyNode is what an account begins with and how it is margined.
type moneyNode struct {
	// Balances are booked once, when the account has never had any: what it has
	// afterwards is what it traded and what people moved.
	Balances map[string]string `yaml:"balances,omitempty"`
	// Leverage and MarginMode hold for every derivative, Margin for single ones. They
	// are set at every start where they are not so already.
	Leverage     string                `yaml:"leverage,omitempty"`
	MarginMode   string                `yaml:"margin_mode,omitempty"`   // cross or isolated
	PositionMode string                `yaml:"position_mode,omitempty"` // one_way or hedge
	Margin       map[string]marginNode `yaml:"margin,omitempty"`
}

type marginNode struct {
	Leverage string `yaml:"leverage"`
	Mode     string `yaml:"mode"`
}

// define books the balances and sets how the account is margined. Settings that what
// the account holds does not admit are told to later.
func (m *moneyNode) define(e *engine.Engine, a *core.Account, later func(error)) error {
	if err := m.fund(e, a); err != nil {
		return err
	}
	try := func(what string, err error) error {
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s: %w", what, err)
		if wait := (*laterError)(nil); errors.As(err, &wait) {
			later(err)
			return nil
		}
		return err
	}
	for name := range m.Margin {
		if e.Directory().InstrumentNamed(name) == nil {
			return fmt.Errorf("margin: no feed has an instrument %s", name)
		}
	}
	if m.PositionMode != "" {
		hedge, err := oneOf("position_mode", m.PositionMode, "one_way", "hedge")
		if err != nil {
			return err
		}
		if err := try("position_mode", setMargin(e, record.Margin{Kind: record.MarginHedge, Account: a.ID, Value: hedge})); err != nil {
			return err
		}
	}
	for _, in := range e.Directory().Instruments() {
		if in.Kind == core.Spot {
			continue
		}
		own := m.Margin[in.Name()]
		if own.Leverage == "" {
			own.Leverage = m.Leverage
		}
		if own.Mode == "" {
			own.Mode = m.MarginMode
		}
		if err := try(in.Name(), own.define(e, a, in)); err != nil {
			return err
		}
	}
	return nil
}

func (m *moneyNode) fund(e *engine.Engine, a *core.Account) error {
	if len(m.Balances) == 0 || funded(e, a.ID) {
		return nil
	}
	for _, currency := range slices.Sorted(maps.Keys(m.Balances)) {
		amount, err := core.ParseDecimal([]byte(m.Balances[currency]), record.AmountScale)
		if err == nil && amount <= 0 {
			err = errors.New("must be positive")
		}
		if err == nil {
			var reason risk.Reason
			_, reason, err = e.DefineTransfer(a.ID, currency, amount, configured, "opening balance")
			err = refusedOr(reason, err)
		}
		if err != nil {
			return fmt.Errorf("balances: %s %q: %w", currency, m.Balances[currency], err)
		}
	}
	return nil
}

func (n *marginNode) define(e *engine.Engine, a *core.Account, in *core.Instrument) error {
	if n.Mode != "" {
		isolated, err := oneOf("margin_mode", n.Mode, "cross", "isolated")
		if err != nil {
			return err
		}
		if err := setMargin(e, record.Margin{Kind: record.MarginMode, Account: a.ID, Instrument: in.ID, Value: isolated}); err != nil {
			return fmt.Errorf("margin_mode: %w", err)
		}
	}
	if n.Leverage != "" {
		ppm, err := parseTimes(n.Leverage)
		if err != nil {
			return fmt.Errorf("leverage: %w", err)
		}
		if err := setMargin(e, record.Margin{Kind: record.MarginLeverage, Account: a.ID, Instrument: in.ID, Value: ppm}); err != nil {
			return fmt.Errorf("leverage: %w", err)
		}
	}
	return nil
}

func oneOf(what, text string, zero, one string) (int64, error) {
	switch text {
	case zero:
		return 0, nil
	case one:
		return 1, nil
	}
	return 0, fmt.Errorf("%s %q is neither %s nor %s", what, text, zero, one)
}

// refusedOr makes an error of a refusal.
func refusedOr(reason risk.Reason, err error) error {
	if err == nil && !reason.OK() {
		return fmt.Errorf("refused: %s", reason.Code)
	}
	return err
}

// funded reports whether an account has ever got anything: what the configuration gives
// it is given once.
func funded(e *engine.Engine, a core.AccountID) (yes bool) {
	e.Query(func(tree *risk.Tree, _ uint64) {
		for _, w := range tree.Wallets(a) {
			yes = yes || w.Deposits != 0
		}
	})
	return yes
}

// setMargin makes a margin setting where it is not so already.
func setMargin(e *engine.Engine, set record.Margin) error {
	same := false
	e.Query(func(tree *risk.Tree, _ uint64) {
		leverage, isolated := tree.Setting(set.Account, set.Instrument)
		view, _ := tree.Account(set.Account)
		switch set.Kind {
		case record.MarginLeverage:
			same = leverage == set.Value
		case record.MarginMode:
			same = isolated == (set.Value == 1)
		case record.MarginHedge:
			same = view.Hedge == (set.Value == 1)
		case record.MarginIsolated: // an act, not a setting
		}
	})
	if same {
		return nil
	}
	set.By = record.MakeText(configured)
	_, reason, err := e.DefineMargin(set)
	if err == nil && (reason.Code == risk.NotFlat || reason.Code == risk.InsufficientMargin) {
		return &laterError{reason.Code}
	}
	return refusedOr(reason, err)
}

// laterError is a margin setting that what the account holds does not admit now. It
// does not stop a start, and the next one tries again.
type laterError struct{ code risk.Code }

func (e *laterError) Error() string { return "not now: " + e.code.String() }
