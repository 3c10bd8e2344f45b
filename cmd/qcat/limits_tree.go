package main

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// limitScope names a node of the limit tree as answers do.
type limitScope struct {
	Level      string `json:"level"`
	Account    string `json:"account,omitempty"`
	Strategy   string `json:"strategy,omitempty"`
	Instrument string `json:"instrument,omitempty"`
}

// scopeNamed is the node of those names; empty ones leave a level out.
func scopeNamed(account, strategy, instrument string) limitScope {
	s := limitScope{Level: "firm", Account: account, Strategy: strategy, Instrument: instrument}
	switch {
	case instrument != "":
		s.Level = "instrument"
	case strategy != "":
		s.Level = "strategy"
	case account != "":
		s.Level = "account"
	}
	return s
}

// String names the node in one word: firm, demo, demo/maker, firm sim:BTCUSDT.
func (s limitScope) String() string {
	name := "firm"
	if s.Account != "" {
		name = s.Account
	}
	if s.Strategy != "" {
		name += "/" + s.Strategy
	}
	if s.Instrument != "" {
		name += " " + s.Instrument
	}
	return name
}

// compare puts the firm first, then accounts by name, each with its instruments and
// then its strategies.
func (s limitScope) compare(o limitScope) int {
	return cmp.Or(strings.Compare(s.Account, o.Account), strings.Compare(s.Strategy, o.Strategy), strings.Compare(s.Instrument, o.Instrument))
}

// nodeLimits are the limits of one node.
type nodeLimits struct {
	Scope  limitScope `json:"scope"`
	Limits risk.Spec  `json:"limits"`
}

// limitTree is the limits of every node that has any, in the order of compare.
type limitTree []nodeLimits

// add puts the limits of a node in, if it has any.
func (t *limitTree) add(s limitScope, spec risk.Spec) {
	if spec != (risk.Spec{}) {
		*t = append(*t, nodeLimits{s, spec})
	}
}

func (t limitTree) sort() {
	slices.SortFunc(t, func(a, b nodeLimits) int { return a.Scope.compare(b.Scope) })
}

// byScope returns the limits by node; of one that has none, none.
func (t limitTree) byScope() map[limitScope]risk.Spec {
	by := make(map[limitScope]risk.Spec, len(t))
	for i := range t {
		by[t[i].Scope] = t[i].Limits
	}
	return by
}

// tree is what the sections say, every limit written in the one way that answers write
// it, except for quantities, whose decimals are the instrument's.
func (s *sections) tree() (t limitTree, err error) {
	firm := s.firm()
	put := func(scope limitScope, spec risk.Spec) {
		if err != nil {
			return
		}
		if spec, err = canonical(spec); err != nil {
			err = badSetting("limits", "%s: %v", scope, err)
			return
		}
		t.add(scope, spec)
	}
	node := func(account, strategy string, n limitNode) {
		put(scopeNamed(account, strategy, ""), n.Limits)
		for name, spec := range n.Instruments {
			put(scopeNamed(account, strategy, name), spec)
		}
	}
	node("", "", firm)
	for i := range s.Accounts {
		a := &s.Accounts[i]
		node(a.Name, "", a.Own)
		for j := range a.Strategies {
			node(a.Name, a.Strategies[j].Name, a.Strategies[j].Own)
		}
	}
	t.sort()
	return t, err
}

// anyInstrument has the decimals in which quantities are compared: as many as leave
// room for ten thousand million.
var anyInstrument = core.Instrument{QtyScale: 8}

// canonical writes limits in one way. Zeros at the end of a quantity are cut.
func canonical(spec risk.Spec) (risk.Spec, error) {
	limits, err := spec.Resolve(&anyInstrument)
	if err != nil {
		return risk.Spec{}, err
	}
	out := limits.Spec(&anyInstrument)
	for name, text := range out.All() {
		if l, ok := risk.ParseLimit(name); ok && l.Unit() == risk.UnitQty {
			if err := out.Put(name, strings.TrimSuffix(strings.TrimRight(text, "0"), ".")); err != nil {
				return risk.Spec{}, err
			}
		}
	}
	return out, nil
}

// limitChange is one limit of a node that is not what it is to be; "" is none.
type limitChange struct {
	Limit string `json:"limit"`
	Now   string `json:"now,omitempty"`
	Wants string `json:"wants,omitempty"`
}

// nodeChange is a node whose limits are not what they are to be.
type nodeChange struct {
	Scope   limitScope    `json:"scope"`
	Changes []limitChange `json:"changes"`
	wants   risk.Spec
}

// differences lists what is to be done to now so that it is wants: a node that wants
// does not name is to have no limits.
func differences(now, wants limitTree) (all []nodeChange) {
	scopes := make([]limitScope, 0, len(now)+len(wants))
	for _, t := range []limitTree{now, wants} {
		for i := range t {
			scopes = append(scopes, t[i].Scope)
		}
	}
	slices.SortFunc(scopes, limitScope.compare)
	present, wanted := now.byScope(), wants.byScope()
	for _, s := range slices.Compact(scopes) {
		is, be := present[s], wanted[s]
		if is == be {
			continue
		}
		change := nodeChange{Scope: s, wants: be}
		for l := range risk.Limit(risk.NumLimits) {
			if a, b := is.Text(l), be.Text(l); a != b {
				change.Changes = append(change.Changes, limitChange{l.String(), a, b})
			}
		}
		all = append(all, change)
	}
	return all
}

// othersInForce is at how many nodes the limits in force are not those of the sections,
// which have been defined.
func (s *sections) othersInForce(e *engine.Engine) (n int, err error) {
	e.Query(func(t *risk.Tree, _ uint64) {
		for scope := range t.Scopes {
			if now := t.Limits(scope); now.Len() > 0 {
				n++
			}
		}
		// What is left of n are nodes that the sections have no limits for.
		err = s.eachLimits(e.Directory(), func(scope risk.Scope, wants risk.Limits) {
			now := t.Limits(scope)
			if now.Len() > 0 {
				n--
			}
			if now != wants {
				n++
			}
		})
	})
	return n, err
}

// eachLimits calls f for every node that the sections have limits for.
func (s *sections) eachLimits(d *core.Directory, f func(risk.Scope, risk.Limits)) error {
	var err error
	node := func(scope risk.Scope, n *limitNode) {
		each := func(scope risk.Scope, spec risk.Spec, in *core.Instrument) {
			limits, cause := spec.Resolve(in)
			if err = cmp.Or(err, cause); cause == nil && limits.Len() > 0 {
				f(scope, limits)
			}
		}
		each(scope, n.Limits, nil)
		for name, spec := range n.Instruments {
			in := d.InstrumentNamed(name)
			each(risk.InstrumentScope(scope.Account, scope.Strategy, in.ID), spec, in)
		}
	}
	firm := s.firm()
	node(risk.FirmScope(), &firm)
	for i := range s.Accounts {
		a := &s.Accounts[i]
		id := d.AccountNamed(a.Name).ID
		node(risk.AccountScope(id), &a.Own)
		for j := range a.Strategies {
			of := d.StrategyNamed(id, a.Strategies[j].Name)
			node(strategyScope(of), &a.Strategies[j].Own)
		}
	}
	return err
}

// strategyScope is the node of a strategy.
func strategyScope(s *core.Strategy) risk.Scope {
	return risk.Scope{Level: risk.LevelStrategy, Account: s.Account, Strategy: s.ID}
}

// yaml writes the tree as the sections of a configuration, in the order of compare.
func (t limitTree) yaml() ([]byte, error) {
	var out sections
	for i := range t {
		switch s := t[i].Scope; {
		case s.Account == "":
			out.Firm.set(s, t[i].Limits)
		case s.Strategy == "":
			out.account(s.Account).Own.set(s, t[i].Limits)
		default:
			out.account(s.Account).strategy(s.Strategy).Own.set(s, t[i].Limits)
		}
	}
	return yaml.Dump(&out, yaml.WithCompactSeqIndent(), yaml.WithQuotePreference(yaml.QuoteDouble), yaml.WithLineWidth(0))
}

// set puts limits in for the node itself or one of its instruments.
func (n *limitNode) set(s limitScope, spec risk.Spec) {
	if s.Instrument == "" {
		n.Limits = spec
		return
	}
	if n.Instruments == nil {
		n.Instruments = map[string]risk.Spec{}
	}
	n.Instruments[s.Instrument] = spec
}

// account is the last account, or a new one when that has another name.
func (s *sections) account(name string) *accountNode {
	if n := len(s.Accounts); n == 0 || s.Accounts[n-1].Name != name {
		s.Accounts = append(s.Accounts, accountNode{Name: name})
	}
	return &s.Accounts[len(s.Accounts)-1]
}

// strategy is the last strategy, or a new one when that has another name.
func (a *accountNode) strategy(name string) *strategyNode {
	if n := len(a.Strategies); n == 0 || a.Strategies[n-1].Name != name {
		a.Strategies = append(a.Strategies, strategyNode{Name: name})
	}
	return &a.Strategies[len(a.Strategies)-1]
}

// treeInFile reads the limits of a configuration; its other settings are looked at as
// strictly as serve does, and left alone.
func treeInFile(e *env, path string) (limitTree, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, badSetting("file", "%v", err)
	}
	parser, err := newParser(&cli{}, e, func(int) {})
	if err != nil {
		return nil, err
	}
	file, err := parseFile(raw, flagNames(parser.Model.Node))
	if err != nil {
		return nil, badSetting(path, "%v", err)
	}
	t, err := file.sections.tree()
	if err != nil {
		return nil, badSetting(path, "%v", err)
	}
	return t, nil
}
