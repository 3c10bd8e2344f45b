package main

import (
	"fmt"
	"maps"
	"slices"

	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// sectionNames are the keys of the YAML file that no flag can carry.
var sectionNames = []string{"firm", "accounts", "rates", "tiers"}

// sections are who trades, within which limits.
type sections struct {
	Firm     limitNode     `yaml:"firm,omitempty"`
	Accounts []accountNode `yaml:"accounts,omitempty"`
	// Rates say what one unit of a currency is worth in the risk currency; USD and its
	// stablecoins count at par.
	Rates map[string]rateNode `yaml:"rates,omitempty"`
	// Tiers are the maintenance margin brackets of instruments, by their names.
	Tiers map[string][]tierNode `yaml:"tiers,omitempty"`

	builtIn bool        // the demo's, not a person's: what does not apply is left out
	later   func(error) // told of settings that cannot be made now
}

// limitNode is the limits of one node of the tree and of its instruments.
type limitNode struct {
	Limits      risk.Spec            `yaml:"limits,omitempty"`
	Instruments map[string]risk.Spec `yaml:"instruments,omitempty"`
}

type accountNode struct {
	Name       string         `yaml:"name"`
	Own        limitNode      `yaml:",inline"`
	Money      moneyNode      `yaml:",inline"`
	Strategies []strategyNode `yaml:"strategies,omitempty"`
}

type strategyNode struct {
	Name string    `yaml:"name"`
	Own  limitNode `yaml:",inline"`
}

// defaultReferenceAge is the firm's max_reference_age where the file sets none:
// without one, a price of yesterday would do.
const defaultReferenceAge = "10s"

// demoSections are one account with money and limits that leave room to play and are
// met when one tries.
func demoSections() sections {
	breaker := risk.Spec{VolatilityMove: "5%", VolatilityWindow: "1m", VolatilityCooldown: "1m"}
	return sections{
		Firm: limitNode{
			Limits:      risk.Spec{MaxExposureGross: "20000000", MessageRate: "5000/1s"},
			Instruments: map[string]risk.Spec{"sim:BTCUSDT": breaker, "sim:ETHUSDT": breaker, "sim:SOLUSDT": breaker},
		},
		Accounts: []accountNode{{
			Name:  "demo",
			Money: moneyNode{Balances: map[string]string{"USDT": "1000000"}, Leverage: "10x"},
			Own: limitNode{
				Limits: risk.Spec{
					PriceCollarBuyUp: "2%", PriceCollarBuyDown: "4%", PriceCollarSellUp: "4%", PriceCollarSellDown: "2%",
					MarketSlippage: "1%", MaxNotional: "1000000", MaxOpenOrders: "500", MaxAmends: "100",
					MaxExposureGross: "10000000", MaxExposureNet: "5000000", MessageRate: "2000/1s", OrderRate: "1000/1s",
					MarginRequired: "true", MaxLeverage: "10x", SelfTrade: "cancel_newest",
					MaxLossDaily: "100000", MaxDrawdown: "200000", LossAction: "reduce", LossConfirmations: "3",
					MaxScenarioLoss: "750000",
				},
				Instruments: map[string]risk.Spec{
					"sim:BTCUSDT": {MaxQty: "10", MaxPosition: "50"},
					"sim:ETHUSDT": {MaxQty: "200", MaxPosition: "1000"},
					"sim:SOLUSDT": {MaxQty: "3000", MaxPosition: "20000"},
				},
			},
			Strategies: []strategyNode{{Name: "alpha"}},
		}},
	}
}

// keepKnown leaves out the limits of instruments that no feed has: a demo may
// follow other feeds than the one it was written for.
func (s *sections) keepKnown(dir *core.Directory) {
	unknown := func(name string, _ risk.Spec) bool { return dir.InstrumentNamed(name) == nil }
	maps.DeleteFunc(s.Firm.Instruments, unknown)
	for i := range s.Accounts {
		maps.DeleteFunc(s.Accounts[i].Own.Instruments, unknown)
	}
}

// firm is the firm's node, with the limit that there always is.
func (s *sections) firm() limitNode {
	firm := s.Firm
	if firm.Limits.MaxReferenceAge == "" {
		firm.Limits.MaxReferenceAge = defaultReferenceAge
	}
	return firm
}

// define defines accounts, strategies, rates, brackets and limits through the engine,
// so that they are in its journal. Limits are a seed: they are set for a node that the
// journal has none of, and changed by proposals alone from then on.
func (s *sections) define(e *engine.Engine) error {
	for _, currency := range slices.Sorted(maps.Keys(s.Rates)) {
		if err := s.Rates[currency].define(e, currency); err != nil {
			return badSetting("rates", "%s: %v", currency, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tiers)) {
		if err := defineTiers(e, name, s.Tiers[name]); err != nil {
			return badSetting("tiers", "%s: %v", name, err)
		}
	}
	firm := s.firm()
	if err := firm.define(e, "firm", risk.FirmScope()); err != nil {
		return err
	}
	seen := make(map[string]bool, len(s.Accounts))
	for i := range s.Accounts {
		if name := s.Accounts[i].Name; seen[name] {
			return badSetting("accounts", "account %s is there twice", name)
		}
		seen[s.Accounts[i].Name] = true
		if err := s.Accounts[i].define(e, s.later); err != nil {
			return err
		}
	}
	return nil
}

func (a *accountNode) define(e *engine.Engine, later func(error)) error {
	account, err := e.DefineAccount(a.Name)
	if err != nil {
		return badSetting("accounts", "%v", err)
	}
	where := "account " + a.Name
	if later == nil {
		later = func(error) {}
	}
	if err := a.Money.define(e, account, func(err error) { later(fmt.Errorf("%s: %w", where, err)) }); err != nil {
		return badSetting("accounts", "%s: %v", where, err)
	}
	if err := a.Own.define(e, where, risk.AccountScope(account.ID)); err != nil {
		return err
	}
	for i := range a.Strategies {
		s := &a.Strategies[i]
		if slices.ContainsFunc(a.Strategies[:i], func(t strategyNode) bool { return t.Name == s.Name }) {
			return badSetting("accounts", "%s: strategy %s is there twice", where, s.Name)
		}
		strategy, err := e.DefineStrategy(account.ID, s.Name)
		if err != nil {
			return badSetting("accounts", "%s: %v", where, err)
		}
		if err := s.Own.define(e, where+", strategy "+s.Name, strategyScope(strategy)); err != nil {
			return err
		}
	}
	return nil
}

// define sets the node's own limits and those of its instruments.
func (n *limitNode) define(e *engine.Engine, where string, scope risk.Scope) error {
	if err := setLimits(e, where, scope, n.Limits, nil); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(n.Instruments)) {
		spec := n.Instruments[name]
		in := e.Directory().InstrumentNamed(name)
		if in == nil {
			return badSetting("instruments", "%s: no feed has an instrument %s", where, name)
		}
		at := risk.InstrumentScope(scope.Account, scope.Strategy, in.ID)
		if err := setLimits(e, where+", instrument "+name, at, spec, in); err != nil {
			return err
		}
	}
	return nil
}

func setLimits(e *engine.Engine, where string, scope risk.Scope, spec risk.Spec, in *core.Instrument) error {
	limits, err := spec.Resolve(in)
	if err == nil && limits.Len() > 0 {
		_, err = e.SeedLimits(scope, limits)
	}
	if err != nil {
		return badSetting("limits", "%s: %v", where, err)
	}
	return nil
}
