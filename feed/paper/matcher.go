package paper

import (
	"math"

	"qcat/core"
	"qcat/core/book"
)

// Books is where the matcher finds an instrument's book: market.Tap, or a set of
// replicas of one's own. It returns nil for an instrument never heard of.
type Books interface {
	Book(core.InstrumentID) *book.Replica
}

// Instruments is where the matcher finds definitions: core.Directory. It returns
// nil for an unknown id.
type Instruments interface {
	Instrument(core.InstrumentID) *core.Instrument
}

// Matcher is the paper venue without its goroutine, ring and clock: a function of
// the calls of Submit, Advance and Event. See the package documentation for the
// model. It belongs to one goroutine.
type Matcher struct {
	settings    Settings
	instruments Instruments
	books       Books
	report      func(*core.ExecReport)

	orders   slab
	arrivals heap[arrival]
	expiries heap[expiry]
	markets  []*instrument             // by id; nil until its first order
	adopted  map[core.OrderID]struct{} // every order that came back from an earlier run

	now       core.Nanos // latest clock reading or receive time
	submitted uint64
	execs     uint64
	repeated  uint64

	out    core.ExecReport // handed to report, reused
	levels []core.Level    // scratch: the displayed levels of a walk
	plan   []fill          // scratch: what the walk would take
}

// instrument is what the matcher keeps of one instrument: resting orders and
// what was taken of the displayed levels, each by the side they stand on.
type instrument struct {
	def          *core.Instrument
	bids, asks   queue
	tBids, tAsks taken
	waiting      []adoption // orders to adopt once there is a book, by arrival
}

func (st *instrument) queue(s core.Side) *queue {
	if s == core.Buy {
		return &st.bids
	}
	return &st.asks
}

func (st *instrument) taken(s core.Side) *taken {
	if s == core.Buy {
		return &st.tBids
	}
	return &st.tAsks
}

// NewMatcher returns a matcher without orders. report is called on the matcher's
// goroutine with each report in order; it must not retain it nor call the
// matcher.
//
// Errors: ErrSettings.
func NewMatcher(s Settings, in Instruments, books Books, report func(*core.ExecReport)) (*Matcher, error) {
	s, err := s.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Matcher{
		settings: s, instruments: in, books: books, report: report,
		orders: newSlab(s.MaxOrders), adopted: make(map[core.OrderID]struct{}),
		levels: make([]core.Level, 0, firstWalk),
		plan:   make([]fill, 0, firstWalk),
	}, nil
}

// Open returns the number of open orders, those on their way included.
func (m *Matcher) Open() int { return m.orders.open }

// Full reports whether no more commands may be on their way: Submit must wait.
func (m *Matcher) Full() bool { return len(m.arrivals) >= m.settings.MaxInFlight }

// Repeated returns how many new orders were ignored because an order of that id
// was open.
func (m *Matcher) Repeated() uint64 { return m.repeated }

// NextDue returns when the next command arrives or the next order expires,
// whichever is earlier, and the largest time when nothing is due.
func (m *Matcher) NextDue() core.Nanos {
	next := core.Nanos(math.MaxInt64)
	if len(m.arrivals) > 0 {
		next = m.arrivals[0].due
	}
	if len(m.expiries) > 0 {
		next = min(next, m.expiries[0].due)
	}
	return next
}

// Submit puts a copy of c on its way at now. It arrives in an Advance.
func (m *Matcher) Submit(c *core.VenueCommand, now core.Nanos) {
	m.advanceTo(now)
	slot, known := m.orders.find(c.Order)
	switch {
	case c.Op == core.VenueNew && known:
		m.repeated++
		return
	case c.Op == core.VenueNew:
		if slot, known = m.place(c); !known {
			return
		}
	case c.Op == core.VenueStatus:
		m.execs = max(m.execs, c.VenueExecID)
		if known && m.orders.orders[slot].adopting {
			return // the question that came first is to be answered yet
		}
		if !known && adoptable(c) && !m.cameBack(c.Order) {
			if slot, known = m.reserve(c); !known {
				return // no room: the engine asks again
			}
		}
	}
	latency := m.settings.OrderLatency
	if c.Op == core.VenueCancel {
		latency = m.settings.CancelLatency
	}
	due := m.now + core.Nanos(latency)
	if known {
		o := &m.orders.orders[slot]
		due = max(due, o.lastDue)
		o.lastDue = due
	}
	m.submitted++
	m.arrivals.push(arrival{due: due, seq: m.submitted, command: *c})
}

// place gives a new order its slot, or refuses it.
func (m *Matcher) place(c *core.VenueCommand) (int32, bool) {
	if c.Order == 0 {
		m.refuse(c, core.ExecRejected, core.VenueReasonInvalid)
		return none, false
	}
	slot, ok := m.orders.add(c.Order)
	if !ok {
		m.refuse(c, core.ExecRejected, core.VenueReasonUnavailable)
		return none, false
	}
	m.orders.orders[slot].instrument = c.Instrument
	return slot, true
}

// Advance lets the commands arrive that are due at now and the orders expire
// whose time has come, and returns how many of them there were. A command whose
// instrument is in the middle of a run of levels waits, and those behind it too,
// for an Advance after the run's end: there is no book before that.
func (m *Matcher) Advance(now core.Nanos) int {
	m.advanceTo(now)
	n := m.expire()
	for len(m.arrivals) > 0 && m.arrivals[0].due <= m.now {
		b := m.books.Book(m.arrivals[0].command.Instrument)
		if b != nil && b.InRun() {
			break
		}
		a := m.arrivals.pop()
		m.arrive(&a.command, b)
		n++
	}
	return n + m.expire()
}

func (m *Matcher) advanceTo(now core.Nanos) { m.now = max(m.now, now) }

// arrive carries out one command.
func (m *Matcher) arrive(c *core.VenueCommand, b *book.Replica) {
	slot, known := m.orders.find(c.Order)
	if c.Op == core.VenueNew {
		m.enter(slot, c, b)
		return
	}
	waits := false
	if known {
		o := &m.orders.orders[slot]
		waits = o.adopting && o.instrument == c.Instrument
		known = o.arrived && o.instrument == c.Instrument
	}
	switch {
	case c.Op == core.VenueStatus && known:
		m.tellStatus(&m.orders.orders[slot], c.Amending, c.Price, c.Qty)
	case c.Op == core.VenueStatus && waits:
		m.takeBack(slot, b)
	case c.Op == core.VenueStatus && c.Acked:
		m.refuse(c, core.ExecCancelled, core.VenueReasonUnknownOrder)
	case c.Op == core.VenueStatus:
		m.refuse(c, core.ExecRejected, core.VenueReasonUnknownOrder)
	case c.Op == core.VenueCancel && (known || waits):
		m.close(slot, core.ExecCancelled, core.VenueReasonNone)
	case c.Op == core.VenueCancel:
		m.refuse(c, core.ExecCancelRejected, core.VenueReasonUnknownOrder)
	case c.Op == core.VenueAmend && known:
		m.amend(slot, c, b)
	case c.Op == core.VenueAmend && waits:
		m.refuse(c, core.ExecReplaceRejected, core.VenueReasonBookStale)
	case c.Op == core.VenueAmend:
		m.refuse(c, core.ExecReplaceRejected, core.VenueReasonUnknownOrder)
	}
}

// expire closes the good-till-date orders whose time has come.
func (m *Matcher) expire() int {
	n := 0
	for len(m.expiries) > 0 && m.expiries[0].due <= m.now {
		if e := m.expiries.pop(); m.lives(e) {
			m.close(e.slot, core.ExecExpired, core.VenueReasonNone)
			n++
		}
	}
	return n
}

// lives reports whether the expiry's order is still open.
func (m *Matcher) lives(e expiry) bool {
	return m.orders.orders[e.slot].generation == e.generation
}

// scheduleExpiry notes when an order ends. Entries of orders that closed
// earlier are thrown out when they are the majority.
func (m *Matcher) scheduleExpiry(slot int32) {
	o := &m.orders.orders[slot]
	if len(m.expiries) > 64 && len(m.expiries) > 2*m.orders.open {
		m.expiries.retain(m.lives)
	}
	m.expiries.push(expiry{due: o.expire, id: o.id, slot: slot, generation: o.generation})
}

// market returns what is kept of an instrument, nil when it is not defined.
func (m *Matcher) market(id core.InstrumentID) *instrument {
	if int(id) < len(m.markets) && m.markets[id] != nil {
		return m.markets[id]
	}
	def := m.instruments.Instrument(id)
	if def == nil {
		return nil
	}
	for int(id) >= len(m.markets) {
		m.markets = append(m.markets, nil)
	}
	m.markets[id] = &instrument{
		def:  def,
		bids: queue{side: core.Buy}, asks: queue{side: core.Sell},
	}
	return m.markets[id]
}

// usable reports whether b is a book to fill against.
func usable(b *book.Replica) bool { return b != nil && b.Consistent() && !b.Book().Crossed() }
