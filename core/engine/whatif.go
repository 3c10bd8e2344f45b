package engine

import (
	"qcat/core"
	"qcat/risk"
)

// check answers what a new order would be answered, once the state that it was
// checked against is committed.
func (e *Engine) check(c *Command, now core.Nanos) {
	if c.Reply == 0 {
		return
	}
	reply := e.whatIf(c, now)
	if e.failed != nil {
		e.sinks.deliver(c.Reply, &reply)
		return
	}
	*e.stageReply(c, e.m.seq) = reply
}

// whatIf works out what a new order would be answered now, and what would have been
// used after it.
func (e *Engine) whatIf(c *Command, now core.Nanos) Reply {
	n := &e.rec.New
	e.inputNew(c, n)
	at := max(now, e.m.now)
	reply := Reply{Kind: c.Kind, Token: c.Token, Seq: e.m.seq, Order: e.m.refusedOrder(n), After: new(risk.After)}
	reply.Order.CreateTime, reply.Order.UpdateTime = at, at
	if reason, stopped := e.stopReason(); stopped {
		reply.Refusals = append(reply.Refusals, reason)
	}
	reply.Refusals = e.m.checkAll(at, n, reply.Refusals)
	o, ref := orderOfRecord(n), referenceOf(&n.Outside)
	*reply.After = e.m.tree.Project(&o, &ref, at)
	switch {
	case len(reply.Refusals) > 0:
		reply.Reason = reply.Refusals[0]
		reply.Order.Reason = uint16(reply.Reason.Code)
	case n.Duplicate:
		reply.Duplicate, reply.Order = true, e.m.target.order
	default:
		reply.Order.Status = core.StatusNew
		reply.Order.Qty, reply.Less = n.Qty-n.Less, n.Less
	}
	return reply
}

// MaxWhatIfs bounds how many orders one WhatIf asks about: a few microseconds each
// that the order lane does nothing else, a millisecond in all.
const MaxWhatIfs = 200

// WhatIf tells of each order what CmdCheck would, all of them as of one and the same
// journal sequence and each as if the others were not; replies is as long as orders,
// of which there are at most MaxWhatIfs. Like the Define methods it waits for the
// engine, but not for the journal: the caller waits for a View to show seq before it
// tells anybody.
func (e *Engine) WhatIf(orders []Command, replies []Reply) (seq uint64) {
	if len(orders) > MaxWhatIfs || len(replies) != len(orders) {
		panic("engine: WhatIf of too many orders, or with another number of answers")
	}
	e.onEngine(func() {
		now := e.cfg.Clock.Now()
		for i := range orders {
			orders[i].Kind = CmdCheck
			replies[i] = e.whatIf(&orders[i], now)
		}
		seq = e.m.seq
	})
	return seq
}
