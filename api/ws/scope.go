package ws

import (
	"qcat/api/auth"
	"qcat/api/wire"
	"qcat/core"
)

// reaches reports whether what a request names is in the principal's scope, and answers
// it when it is not. s.cmd holds what was found of it; a name that nobody knows is
// compared as it was written, so that who may not name an account cannot tell whether it
// exists. Without an account only who may everything may go on.
// What was not understood before a name was looked up is answered as that.
func (s *session) reaches(res *wire.Resolution) bool {
	if s.who.CanAll() || !res.Error.OK() && s.cmd.Account == 0 {
		return true
	}
	account, strategy := s.named()
	return account != "" && s.who.CanStrategy(account, strategy) || s.outside()
}

// named is the account and strategy of s.cmd, or else of the request.
func (s *session) named() (account, strategy string) {
	if a := s.cfg.Directory.Account(s.cmd.Account); a != nil {
		account = a.Name
	} else if s.req.Has(wire.FieldAccount) {
		account = string(s.req.Account)
	}
	if g := s.cfg.Directory.Strategy(s.cmd.Strategy); g != nil {
		strategy = g.Name
	} else if s.req.Has(wire.FieldStrategy) {
		strategy = string(s.req.Strategy)
	}
	return account, strategy
}

// outside answers that something is not in the scope. It returns false.
func (s *session) outside() bool {
	e := auth.ErrScope
	if !s.req.Has(wire.FieldAccount) && !s.req.Has(wire.FieldOrderID) {
		e = errNameAccount
	}
	s.recordRefusal(e)
	s.forbid(e)
	return false
}

// errNameAccount refuses what concerns all of the firm.
var errNameAccount = &auth.Error{Code: auth.ErrScope.Code, Status: auth.ErrScope.Status,
	Text: "this concerns all accounts, which are not in your scope: name an account"}

// reachesAccount is reaches for a request that names one order, as far as it names its
// account: something of that is in the scope.
func (s *session) reachesAccount() bool {
	account, _ := s.named()
	return account == "" || s.who.Touches(account) || s.outside()
}

// reachesTarget is reaches for a cancel of one order. Where the order's account is named
// and in the scope as a whole, the engine sees to it that the order is in that account;
// otherwise the order is looked up, and s.cmd then names it by its id.
func (s *session) reachesTarget() bool {
	if s.who.CanAll() {
		return true
	}
	if account, _ := s.named(); account != "" && s.who.CanAccount(account) {
		return true
	}
	if !s.reachesAccount() {
		return false
	}
	if s.cfg.Orders == nil {
		s.noEngine()
		return false
	}
	o, reason := s.orderOf()
	if !reason.OK() {
		s.refuseReason(nil, &reason)
		return false
	}
	return s.reachesOrder(&o)
}

// reachesOrder reports whether an order is in the scope, and answers when it is not. If it
// is, s.cmd names it by its id: another may have its client order id meanwhile.
func (s *session) reachesOrder(o *core.Order) bool {
	if s.who.CanAll() {
		return true
	}
	a, g := s.cfg.Directory.Account(o.Account), s.cfg.Directory.Strategy(o.Strategy)
	if a == nil || g == nil || !s.who.CanStrategy(a.Name, g.Name) {
		return s.outside()
	}
	s.cmd.Order = o.ID
	return true
}
