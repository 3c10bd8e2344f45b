package hub

import (
	"time"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// Viewer is who a connection belongs to: what they may be shown, and for how long.
// auth.Principal is one. Any goroutine.
type Viewer interface {
	Alive() bool
	// CanAll is about everything there is and will be, and what is the firm's own.
	CanAll() bool
	CanAccount(account string) bool
	CanStrategy(account, strategy string) bool
}

// Expect has the connection ended with AuthTimeout unless it belongs to somebody within
// the time. Until then it is shown nothing that is private. Before its first subscription.
func (c *Conn) Expect(within time.Duration) {
	c.expected.Store(c.hub.coarse.Load() + int64(within))
}

// Belong says whose the connection is: when that ends, so does the connection, with
// SessionEnded, and private channels show what that may be shown. A connection that
// nothing was said of shows everything. A later call must name somebody who may be shown
// the same: what is subscribed goes on. Any goroutine.
func (c *Conn) Belong(v Viewer) { c.viewer.Store(&v) }

// owned reports whether whoever the connection belongs to is still there; one that
// belongs to nobody is its own.
func (c *Conn) owned() bool {
	v := c.viewer.Load()
	return v == nil || (*v).Alive()
}

// outstayed is why a connection must end, as of now: its viewer did, or never came. false: it
// may stay.
func (c *Conn) outstayed(now int64) (Disconnect, bool) {
	if c.viewer.Load() != nil {
		return SessionEnded, !c.owned()
	}
	by := c.expected.Load()
	return AuthTimeout, by != 0 && now >= by
}

// sight is what a connection may be shown of private channels. Names are compared once
// for each account and strategy, when it is made or when the first event of a new one
// comes; an event then costs a look into a set. Made by the reader's goroutine, and the
// private goroutine's from then on.
type sight struct {
	conn  *Conn
	names wire.Names
	all   bool

	accounts, strategies idSet
}

// everything is what a connection sees that nothing was said of.
var everything = &sight{all: true}

// newSight looks at everything that is defined by now.
func newSight(c *Conn) *sight {
	s := &sight{conn: c, names: c.hub.cfg.Directory}
	v := c.viewer.Load()
	if s.all = v == nil && c.expected.Load() == 0 || v != nil && (*v).CanAll(); s.all || v == nil {
		return s
	}
	s.account(core.AccountID(^uint32(0)))
	s.strategy(core.StrategyID(^uint32(0)))
	return s
}

// account reports whether a whole account may be shown.
func (s *sight) account(id core.AccountID) bool {
	if s.all {
		return true
	}
	v := s.conn.viewer.Load()
	for v != nil && s.accounts.looked < uint32(id) {
		a := s.names.Account(core.AccountID(s.accounts.looked + 1))
		if a == nil {
			return false
		}
		s.accounts.add((*v).CanAccount(a.Name))
	}
	return s.accounts.has(uint32(id))
}

// strategy reports whether a strategy may be shown.
func (s *sight) strategy(id core.StrategyID) bool {
	if s.all {
		return true
	}
	v := s.conn.viewer.Load()
	for v != nil && s.strategies.looked < uint32(id) {
		g := s.names.Strategy(core.StrategyID(s.strategies.looked + 1))
		if g == nil {
			return false
		}
		a := s.names.Account(g.Account)
		if a == nil {
			return false // it is being defined
		}
		s.strategies.add((*v).CanStrategy(a.Name, g.Name))
	}
	return s.strategies.has(uint32(id))
}

// owner reports whether what belongs to a strategy may be shown, or to an account where
// there is none. What belongs to neither is the firm's.
func (s *sight) owner(a core.AccountID, g core.StrategyID) bool {
	if g != 0 {
		return s.strategy(g)
	}
	return s.account(a)
}

// node reports whether a node of the limit tree may be shown.
func (s *sight) node(n risk.Scope) bool {
	switch n.Level {
	case risk.LevelAccount:
		return s.account(n.Account)
	case risk.LevelStrategy:
		return s.strategy(n.Strategy)
	case risk.LevelInstrument:
		return s.owner(n.Account, n.Strategy)
	}
	return s.all
}

// event reports whether what a channel shows of an event may be shown. The channel
// carries the event.
func (s *sight) event(ch wire.Private, ev *engine.Event) bool {
	if s.all {
		return true
	}
	switch ch {
	case wire.Orders:
		return s.owner(ev.Order.Account, ev.Order.Strategy)
	case wire.Executions:
		return s.owner(ev.Execution.Account, ev.Execution.Strategy)
	case wire.Positions:
		return s.owner(ev.Position.Account, ev.Position.Strategy)
	}
	switch ev.Kind {
	case engine.EventRefused:
		return s.owner(ev.Order.Account, ev.Order.Strategy)
	case engine.EventAccount:
		return s.account(ev.Account.Account)
	case engine.EventBreach:
		return s.node(ev.Scope) && s.node(ev.Reason.Scope)
	case engine.EventState, engine.EventLimits, engine.EventProposal, engine.EventCountdown:
		return s.node(ev.Scope)
	}
	return false
}

// idSet is a set of dense ids from 1 of which the first so many have been looked at.
type idSet struct {
	looked uint32
	words  []uint64
}

// add says of the next id whether it is in.
func (s *idSet) add(in bool) {
	s.looked++
	word := int(s.looked / 64)
	if word >= len(s.words) {
		s.words = append(s.words, make([]uint64, word+1-len(s.words))...)
	}
	if in {
		s.words[word] |= 1 << (s.looked % 64)
	}
}

// has reports whether an id is in; 0 never is.
func (s *idSet) has(id uint32) bool {
	word := int(id / 64)
	return word < len(s.words) && s.words[word]&(1<<(id%64)) != 0
}
