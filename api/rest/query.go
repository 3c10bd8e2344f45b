package rest

import (
	"slices"
	"strconv"
	"strings"

	"qcat/core"
)

// Bounds of the lists.
const (
	defaultListed = 500
	maxListed     = 10_000
)

// query reads the filters of a list. The first parameter that cannot be read is
// answered at once, and ok is false from then on.
type query struct {
	s  *Server
	c  exchange
	ok bool
	// none is set when a filter names something that does not exist: the list is
	// then empty, which is no error.
	none bool
}

// query returns a reader of the parameters. One that is not named is refused, and
// so is one that is empty or given twice: a filter that is misspelt, or made from a
// variable that was not set, must not select everything.
func (s *Server) query(c exchange, names ...string) *query {
	q := &query{s: s, c: c, ok: true}
	seen := make([]string, 0, len(names))
	for key, value := range c.QueryArgs().All() {
		name := string(key)
		switch {
		case !q.ok:
		case len(names) == 0:
			q.bad(name, "this takes no query")
		case !slices.Contains(names, name):
			q.bad(name, "not known here; there are "+strings.Join(names, ", "))
		case slices.Contains(seen, name):
			q.bad(name, "given twice")
		case len(value) == 0:
			q.bad(name, "empty; leave it out to select all")
		}
		seen = append(seen, name)
	}
	return q
}

func (q *query) bad(name, detail string) {
	if q.ok {
		q.ok = false
		badQuery(q.c, name, detail)
	}
}

func (q *query) text(name string) string { return string(q.c.QueryArgs().Peek(name)) }

// account must be one of which the caller sees something, whether or not it is there.
func (q *query) account() (id core.AccountID) { return q.accountIf(q.c.who.Touches) }

// wholeAccount must be one of which the caller sees all.
func (q *query) wholeAccount() core.AccountID { return q.accountIf(q.c.who.CanAccount) }

func (q *query) accountIf(seen func(string) bool) core.AccountID {
	name := q.text("account")
	if name == "" || !q.ok {
		return 0
	}
	if !seen(name) {
		q.beyond(name)
		return 0
	}
	if a := q.s.cfg.Directory.AccountNamed(name); a != nil {
		return a.ID
	}
	q.none = true
	return 0
}

// beyond answers that what is asked for is not in the caller's scope.
func (q *query) beyond(what string) {
	if q.ok {
		q.ok = false
		q.s.beyond(q.c, "", what, strconv.Quote(what)+" is not in your scope")
	}
}

// firm is asked for when no account is named: only who sees everything is shown it.
func (q *query) firm() {
	if q.ok && !q.c.who.CanAll() {
		q.ok = false
		q.s.beyond(q.c, "", "firm", "without an account this is about the firm: name an account of yours")
	}
}

// strategy needs an account: strategies of two accounts may have one name.
func (q *query) strategy(account core.AccountID) core.StrategyID {
	name := q.text("strategy")
	if name == "" || q.none || !q.ok {
		return 0
	}
	if account == 0 {
		q.bad("strategy", "needs account beside it")
		return 0
	}
	if of := q.text("account"); !q.c.who.CanStrategy(of, name) {
		q.beyond(of + "/" + name)
		return 0
	}
	if s := q.s.cfg.Directory.StrategyNamed(account, name); s != nil {
		return s.ID
	}
	q.none = true
	return 0
}

func (q *query) instrument() core.InstrumentID {
	if name := q.text("instrument"); name != "" {
		if in := q.s.cfg.Directory.InstrumentNamed(name); in != nil {
			return in.ID
		}
		q.none = true
	}
	return 0
}

func (q *query) clOrdID() core.ClOrdID {
	id, ok := core.MakeClOrdID(q.text("client_order_id"))
	if !ok {
		q.bad("client_order_id", "at most 36 printable bytes")
	}
	return id
}

func (q *query) orderID(name string) core.OrderID {
	text := q.text(name)
	if text == "" {
		return 0
	}
	id, ok := orderID(text)
	if !ok {
		q.bad(name, "wanted a whole number above 0")
	}
	return id
}

func (q *query) side() core.Side {
	text := q.text("side")
	side := core.ParseSide(text)
	if text != "" && side == 0 {
		q.bad("side", "wanted buy or sell")
	}
	return side
}

// status is an order status, or "open" for all that can still trade.
func (q *query) status() (status core.OrdStatus, openOnly bool) {
	text := q.text("status")
	if text == "open" {
		return 0, true
	}
	status = core.ParseOrdStatus(text)
	if text != "" && status == 0 {
		q.bad("status", "wanted open, new, partially_filled, filled, cancelled, rejected or expired")
	}
	return status, false
}

func (q *query) flag(name string) bool {
	text := q.text(name)
	if text != "" && text != "true" && text != "false" {
		q.bad(name, "wanted true or false")
	}
	return text == "true"
}

// count reads a number of elements of 1 to most, def when not given.
func (q *query) count(name string, def, most int) int {
	text := q.text(name)
	if text == "" {
		return def
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		q.bad(name, "wanted 1 to "+strconv.Itoa(most))
		return def
	}
	return n
}
