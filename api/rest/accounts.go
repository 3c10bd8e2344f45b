package rest

import (
	"errors"
	"slices"
	"strconv"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// accountNamed is the account that the path names, or answers that there is none, or none that is
// wholly the caller's.
func (s *Server) accountNamed(c exchange, act string) (*core.Account, bool) {
	if !c.who.CanAccount(c.tail) {
		s.beyond(c, act, c.tail, "the account is not in your scope")
		return nil, false
	}
	a := s.cfg.Directory.AccountNamed(c.tail)
	if a == nil {
		s.unresolved(c, &wire.Resolution{Reason: risk.Reason{Code: risk.UnknownAccount}, Unknown: []byte(c.tail)})
	}
	return a, a != nil
}

// transfer moves an amount into an account or out of it: 201.
func (s *Server) transfer(c exchange) {
	var r wire.Request
	a, ok := s.accountNamed(c, actTransfer)
	if !ok {
		return
	}
	if e := wire.DecodeTransfer(c.PostBody(), &r); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	amount, e := r.Scaled(wire.FieldAmount, risk.AmountScale)
	if !e.OK() {
		s.misunderstood(c, e)
		return
	}
	by, ok := s.by(c, actTransfer, a.Name, r.By)
	if !ok || !s.begin(c, actTransfer, a.Name, string(c.PostBody())) {
		return
	}
	before := s.balance(a.ID, string(r.Currency))
	seq, reason, err := s.cfg.Engine.DefineTransfer(a.ID, string(r.Currency), amount, by, string(r.Reason))
	s.defined(c, fasthttp.StatusCreated, nil, seq, reason, err)
	s.done(c, actTransfer, a.Name, before, s.balance(a.ID, string(r.Currency)))
}

// balance is what an account has of a currency, as JSON for the audit log.
func (s *Server) balance(id core.AccountID, currency string) string {
	var all []risk.Wallet
	s.cfg.Engine.Query(func(t *risk.Tree, _ uint64) { all = t.Wallets(id) })
	text := wire.AppendString([]byte(`{"currency":`), currency)
	text = append(text, `,"balance":"`...)
	i := slices.IndexFunc(all, func(w risk.Wallet) bool { return w.Currency == currency })
	if i < 0 {
		return string(append(text, `0"}`...))
	}
	return string(append(core.AppendDecimal(text, all[i].Balance, risk.AmountScale), `"}`...))
}

// setMargin changes the margin settings of an account, those that the body has: the
// position mode first, then mode, leverage and the margin of an isolated position. The
// first that is refused ends it; those before it stay changed.
func (s *Server) setMargin(c exchange) {
	var r wire.Request
	a, ok := s.accountNamed(c, actMargin)
	if !ok {
		return
	}
	if e := wire.DecodeMargin(c.PostBody(), &r); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	var cmd engine.Command
	res := r.ResolveInstrument(s.cfg.Directory, &cmd)
	settings, e := marginSettings(&r, a.ID, cmd.Instrument)
	switch {
	case !res.OK():
		s.unresolved(c, &res)
		return
	case !e.OK():
		s.misunderstood(c, e)
		return
	}
	by, ok := s.by(c, actMargin, a.Name, r.By)
	if !ok || !s.begin(c, actMargin, a.Name, string(c.PostBody())) {
		return
	}
	in := s.cfg.Directory.Instrument(cmd.Instrument)
	before := s.marginText(a.ID, in)
	s.changeMargin(c, in, settings, by)
	s.done(c, actMargin, a.Name, before, s.marginText(a.ID, in))
}

// marginText is how the positions of an account are held, as JSON for the audit log: its mode, and of
// an instrument that it has to do with mode, leverage and margin.
func (s *Server) marginText(id core.AccountID, in *core.Instrument) string {
	var view risk.AccountView
	var held []risk.Holding
	s.cfg.Engine.Query(func(t *risk.Tree, _ uint64) {
		view, _ = t.Account(id)
		held = t.Holdings(id)
	})
	b := append(strconv.AppendBool([]byte(`{"hedge":`), view.Hedge), `,"positions":[`...)
	empty := len(b)
	for i := range held {
		h := &held[i]
		if in == nil || h.Instrument != in.ID {
			continue
		}
		if len(b) > empty {
			b = append(b, ',')
		}
		b = wire.AppendString(append(b, `{"instrument":`...), in.Name())
		b = wire.AppendString(append(b, `,"position_side":`...), h.Leg.String())
		b = strconv.AppendBool(append(b, `,"isolated":`...), h.Isolated)
		b = core.AppendDecimal(append(b, `,"leverage":"`...), h.Leverage, leverageScale)
		b = append(core.AppendDecimal(append(b, `","margin":"`...), h.Margin, risk.AmountScale), `"}`...)
	}
	return string(append(b, `]}`...))
}

// changeMargin makes changes of margin settings, one by one, and answers.
func (s *Server) changeMargin(c exchange, in *core.Instrument, settings []engine.MarginSetting, by string) {
	var seq uint64
	for _, set := range settings {
		set.By = by
		at, reason, err := s.cfg.Engine.SetMargin(set)
		if err != nil || !reason.OK() {
			s.defined(c, fasthttp.StatusOK, in, at, reason, err)
			return
		}
		seq = at
	}
	s.defined(c, fasthttp.StatusOK, in, seq, risk.Reason{}, nil)
}

// leverageScale is the number of decimals of a leverage: parts per million.
const leverageScale = 6

// marginSettings are the changes that a request asks for, in the order in which they
// are made.
func marginSettings(r *wire.Request, a core.AccountID, in core.InstrumentID) (all []engine.MarginSetting, e wire.Error) {
	add := func(kind engine.MarginKind, id core.InstrumentID, value int64) {
		all = append(all, engine.MarginSetting{Kind: kind, Leg: r.Leg, Account: a, Instrument: id, Value: value})
	}
	of := wire.Fields(wire.FieldLeverage, wire.FieldMode, wire.FieldAmount)
	switch {
	case r.Set&(of|wire.Fields(wire.FieldPositionMode)) == 0:
		return nil, wire.Error{Kind: wire.MissingField, Field: wire.FieldLeverage}
	case r.Set&of != 0 && in == 0:
		return nil, wire.Error{Kind: wire.MissingField, Field: wire.FieldInstrument}
	case r.Has(wire.FieldPositionSide) && !r.Has(wire.FieldAmount):
		return nil, wire.Error{Kind: wire.NotForThis, Field: wire.FieldPositionSide}
	}
	if r.Has(wire.FieldPositionMode) {
		add(engine.MarginHedge, 0, flag(r.Hedge))
	}
	if r.Has(wire.FieldMode) {
		add(engine.MarginMode, in, flag(r.Isolated))
	}
	if r.Has(wire.FieldLeverage) {
		v, e := r.Scaled(wire.FieldLeverage, leverageScale)
		if !e.OK() {
			return nil, e
		}
		add(engine.MarginLeverage, in, v)
	}
	if r.Has(wire.FieldAmount) {
		v, e := r.Scaled(wire.FieldAmount, risk.AmountScale)
		if !e.OK() {
			return nil, e
		}
		add(engine.MarginIsolated, in, v)
	}
	return all, e
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// fundingScale is the number of decimals of a funding rate: parts per billion.
const fundingScale = 9

// funding books a payment between the long and the short holders of an instrument:
// 201.
func (s *Server) funding(c exchange) {
	var r wire.Request
	if !s.mayAct(c, actFunding, risk.FirmScope()) {
		return
	}
	if e := wire.DecodeFunding(c.PostBody(), &r); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	var cmd engine.Command
	if res := r.ResolveInstrument(s.cfg.Directory, &cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	in := s.cfg.Directory.Instrument(cmd.Instrument)
	rate, e := r.Scaled(wire.FieldRate, fundingScale)
	if !e.OK() {
		s.misunderstood(c, e)
		return
	}
	price := int64(s.fundingPrice(in.ID))
	if r.Has(wire.FieldPrice) {
		if price, e = r.Scaled(wire.FieldPrice, in.PriceScale); !e.OK() {
			s.misunderstood(c, e)
			return
		}
	}
	if !s.begin(c, actFunding, in.Name(), string(c.PostBody())) {
		return
	}
	seq, reason, err := s.cfg.Engine.DefineFunding(in.ID, rate, core.Price(price))
	s.defined(c, fasthttp.StatusCreated, in, seq, reason, err)
	s.done(c, actFunding, in.Name(), "", string(c.PostBody()))
}

// fundingPrice is what the notional of a payment is taken at where nobody says: the
// mark, or the middle of the book of a venue that sends none. 0: neither is known, and
// the payment is refused.
func (s *Server) fundingPrice(id core.InstrumentID) core.Price {
	var q core.Quote
	switch {
	case !s.cfg.Quotes.Load(id, &q):
		return 0
	case q.MarkPrice > 0:
		return q.MarkPrice
	case q.BidPrice > 0 && q.AskPrice > 0 && !q.Crossed() && !q.Flags.Has(core.FlagStale):
		return q.BidPrice + (q.AskPrice-q.BidPrice)/2
	}
	return 0
}

// defined answers what became of a record that is no order, once it is committed:
// {"seq":n}.
func (s *Server) defined(c exchange, status int, in *core.Instrument, seq uint64, reason risk.Reason, err error) {
	switch {
	case errors.Is(err, engine.ErrRefused):
		s.refuse(c, in, risk.Reason{Code: risk.InvalidSetting})
	case err != nil:
		unavailable(c, wire.CodeUnavailable, "the journal does not take it: nothing was done")
	case !reason.OK():
		s.refuse(c, in, reason)
	case s.shows(c, seq):
		answer(c, status, append(wire.AppendUint([]byte(`{"seq":`), seq), '}'))
	}
}

// countdown arms, renews or disarms a dead man's switch: {"deadline":…}.
func (s *Server) countdown(c exchange) {
	k, ok := s.take(c)
	if !ok {
		return
	}
	defer s.calls.put(k)
	if e := wire.DecodeCountdown(c.PostBody(), &k.req); !e.OK() {
		s.misunderstood(c, e)
		return
	}
	if res := k.req.ResolveCountdown(s.cfg.Directory, &k.cmd); !res.OK() {
		s.unresolved(c, &res)
		return
	}
	if !s.mayAct(c, "", k.cmd.Scope) {
		return
	}
	if s.run(c, k, nil) {
		k.body = append(wire.AppendDeadline(append(k.body[:0], '{'), k.reply.Deadline), '}')
		answerCopy(c, fasthttp.StatusOK, k.body)
	}
}
