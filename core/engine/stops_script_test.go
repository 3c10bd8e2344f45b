package engine

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"qcat/core"
	"qcat/risk"
)

// TestStopsScripts runs testdata/stops/*.txt: what stops orders, as a risk officer
// reads it. The world is that of TestLimitsScript, and a venue that keeps what it is
// sent and answers when the case says so. An answer is what the engine says, then what
// it sends to the venue, in order.
//
//	order a buy 5 at 100 [of other] [in session 1] [drop] [ioc|post_only] [reduce_only]
//	order a buy 5 at market …      amend a to [5] [at 100]        cancel a
//	check a buy …                  what order would be answered, and nothing is done
//	venue confirms|cancels|amends a, venue fills a 2 at 100, venue refuses to cancel a,
//	venue knows nothing of a
//	kill|resume SCOPE              session 1 drops
//	countdown SCOPE 5s|off         time 5s                         open: what is open
//	crash [for 5s]                 a process takes over, so much later
//
// After every line the journal is replayed and the state saved and restored.
func TestStopsScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/stops/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			runScript(t, file, func(t *testing.T) scriptWorld { return newStopsScript(t) })
		})
	}
}

// stopsScript is the world of one case.
type stopsScript struct {
	*limitsScript
	names []string // of orders, by id
	sent  int      // commands to the venue that have been told
	exec  uint64
}

func newStopsScript(t *testing.T) *stopsScript {
	return &stopsScript{limitsScript: newLimitsScript(t), names: []string{""}}
}

func (s *stopsScript) do(w []string) (answers []string) {
	s.t.Helper()
	s.drainEvents()
	switch w[0] {
	case "seed", "journal":
		answers = s.limitsScript.do(w)
	case "crash":
		if len(w) > 1 { // and for how long nobody was there
			d, _ := time.ParseDuration(w[2])
			s.clock.Advance(d)
		}
		answers = s.limitsScript.do(w[:1])
		s.sent = 0
	case "time":
		d, _ := time.ParseDuration(w[1])
		s.clock.Advance(d)
		s.quote(s.btc.ID, 10000, 10002)
		s.run()
	case "order", "check":
		answers = []string{s.order(w)}
	case "amend":
		answers = []string{s.amend(w)}
	case "cancel":
		answers = []string{s.answer(s.ask(Command{Kind: CmdCancel, Order: s.id(w[1])}), "cancel requested")}
	case "venue":
		s.venue(w[1:])
	case "kill":
		answers = []string{s.answer(s.state(s.scope(w[1]), risk.StateHalted, true), "halted")}
	case "resume":
		answers = []string{s.answer(s.state(s.scope(w[1]), risk.StateActive, false), "active")}
	case "session":
		n, _ := strconv.ParseUint(w[1], 10, 64)
		s.ask(Command{Kind: CmdCancelAll, Scope: risk.FirmScope(), Session: core.SessionID(n)})
	case "countdown":
		d, _ := time.ParseDuration(w[2])
		answers = []string{s.answer(s.ask(Command{Kind: CmdCountdown, Scope: s.scope(w[1]), Timeout: core.Nanos(d)}), "taken")}
	case "open":
		return []string{s.open()}
	default:
		s.t.Fatalf("%s: unknown verb %q", s.where, w[0])
	}
	if s.journal.appendErr == nil {
		s.sameAgain()
	}
	return append(append(answers, s.events()...), s.toVenue()...)
}

func (s *stopsScript) answer(r Reply, done string) string {
	if !r.Reason.OK() {
		return "refused " + r.Reason.Code.String()
	}
	if r.Unrecorded {
		done += ", without a record"
	}
	return done
}

func (s *stopsScript) id(name string) core.OrderID {
	for id := len(s.names) - 1; id > 0; id-- {
		if s.names[id] == name {
			return core.OrderID(id)
		}
	}
	s.t.Fatalf("%s: no order %q", s.where, name)
	return 0
}

// order reads "order a buy 5 at 100" and what may follow.
func (s *stopsScript) order(w []string) string {
	c := s.limit(core.ParseSide(w[2]), 0, core.Qty(s.number(w[3], s.btc.QtyScale)), "")
	if c.Type = core.Market; w[5] == "market" {
		c.TIF = core.IOC
	} else {
		c.Type, c.Price = core.Limit, core.Price(s.number(w[5], s.btc.PriceScale))
	}
	for i := 6; i < len(w); i++ {
		switch w[i] {
		case "of":
			i++
			c.Account = s.other
			c.Strategy = s.e.Directory().StrategyNamed(s.other, core.DefaultStrategy).ID
		case "in":
			i += 2
			c.Session = core.SessionID(s.number(w[i], 0))
		case "drop":
			c.CancelOnDrop = true
		case "reduce_only":
			c.ReduceOnly = true
		default:
			c.TIF = core.ParseTimeInForce(w[i])
		}
	}
	if w[0] == "check" {
		c.Kind = CmdCheck
	}
	r := s.ask(c)
	if r.Reason.OK() && w[0] == "order" {
		for len(s.names) <= int(r.Order.ID) {
			s.names = append(s.names, "")
		}
		s.names[r.Order.ID] = w[1]
	}
	done := "accepted"
	if r.Less != 0 {
		done = fmt.Sprintf("accepted as %s, %s less than asked for", s.qty(r.Order.Qty), s.qty(r.Less))
	}
	return s.answer(r, done)
}

func (s *stopsScript) number(text string, scale uint8) int64 {
	n, err := core.ParseDecimal([]byte(text), scale)
	if err != nil {
		s.t.Fatalf("%s: %q: %v", s.where, text, err)
	}
	return n
}

func (s *stopsScript) qty(q core.Qty) string {
	return string(core.AppendDecimal(nil, int64(q), s.btc.QtyScale))
}

func (s *stopsScript) price(p core.Price) string {
	return string(core.AppendDecimal(nil, int64(p), s.btc.PriceScale))
}

// amend reads "amend a to 5 at 100"; either may be missing.
func (s *stopsScript) amend(w []string) string {
	c := Command{Kind: CmdAmend, Order: s.id(w[1])}
	for i := 2; i+1 < len(w); i += 2 {
		if w[i] == "to" {
			c.Qty = core.Qty(s.number(w[i+1], s.btc.QtyScale))
		} else {
			c.Price = core.Price(s.number(w[i+1], s.btc.PriceScale))
		}
	}
	return s.answer(s.ask(c), "requested")
}

// venue is what the venue reports of the order that is named last, or before "at".
func (s *stopsScript) venue(w []string) {
	s.exec++
	r := core.ExecReport{VenueExecID: s.exec, Time: s.clock.Now()}
	what := strings.Join(w, " ")
	switch {
	case strings.HasPrefix(what, "confirms "):
		r.Type, r.Order = core.ExecNew, s.id(w[1])
	case strings.HasPrefix(what, "cancels "):
		r.Type, r.Order = core.ExecCancelled, s.id(w[1])
	case strings.HasPrefix(what, "amends "):
		r.Type, r.Order = core.ExecReplaced, s.id(w[1])
	case strings.HasPrefix(what, "refuses to cancel "):
		r.Type, r.Order, r.VenueCode = core.ExecCancelRejected, s.id(w[3]), uint16(core.VenueReasonUnavailable)
	case strings.HasPrefix(what, "knows nothing of "):
		r.Type, r.Order, r.VenueCode = core.ExecCancelRejected, s.id(w[3]), uint16(core.VenueReasonUnknownOrder)
	case strings.HasPrefix(what, "fills "):
		r.Type, r.Order, r.Liquidity = core.ExecTrade, s.id(w[1]), core.Maker
		r.LastQty, r.LastPx = core.Qty(s.number(w[2], s.btc.QtyScale)), core.Price(s.number(w[4], s.btc.PriceScale))
	default:
		s.t.Fatalf("%s: the venue cannot %q", s.where, what)
	}
	s.report(r)
}

// open lists what is open.
func (s *stopsScript) open() string {
	var parts []string
	s.e.m.orders.each(&s.e.m.orders.open, func(e *entry) {
		o := &e.order
		part := fmt.Sprintf("%s %s %s at %s", s.names[o.ID], o.Side, s.qty(o.LeavesQty()), s.price(o.Price))
		for _, f := range []struct {
			set  bool
			what string
		}{{o.PendingCxl, "cancel pending"}, {o.PendingRepl, "amend pending"}, {o.Unknown, "unknown"}} {
			if f.set {
				part += ", " + f.what
			}
		}
		parts = append(parts, part)
	})
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

// events are the dead man's switches that changed.
func (s *stopsScript) events() (told []string) {
	for _, ev := range s.drainEvents() {
		if ev.Kind == EventCountdown {
			told = append(told, fmt.Sprintf("countdown of %s %s", time.Duration(ev.Timeout), ev.Countdown))
		}
	}
	return told
}

// toVenue is what was sent since the last line.
func (s *stopsScript) toVenue() (told []string) {
	for _, c := range s.gateway.sent[s.sent:] {
		name := s.names[c.Order]
		switch c.Op {
		case core.VenueNew:
			told = append(told, "to the venue: new "+name)
		case core.VenueCancel:
			told = append(told, "to the venue: cancel "+name)
		case core.VenueAmend:
			told = append(told, fmt.Sprintf("to the venue: amend %s to %s at %s", name, s.qty(c.Qty), s.price(c.Price)))
		case core.VenueStatus:
			told = append(told, "to the venue: what of "+name+"?")
		}
	}
	s.sent = len(s.gateway.sent)
	return told
}
