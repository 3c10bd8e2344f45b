package engine

import (
	"fmt"

	"qcat/core"
)

// readOrders reads the open and the closed orders, each in the order of its list,
// and puts those that expire into the heap: its layout is free, for what leaves it
// leaves in the order of due time and id.
func (m *machine) readOrders(r *stateReader) {
	m.readList(r, &m.orders.open, m.orders.maxOpen, "open")
	m.readList(r, &m.orders.closed, m.orders.maxClosed, "closed")
}

// entryBytes is less than any order takes.
const entryBytes = 15 + 21*8 + 1

func (m *machine) readList(r *stateReader, l *list, most int, what string) {
	n := r.Count(entryBytes)
	if n > most {
		r.Fail(fmt.Sprintf("%d %s orders, of which there may be %d", n, what, most))
		return
	}
	for range n {
		m.readOrder(r, l)
		if !r.OK() {
			return
		}
	}
}

func (m *machine) readOrder(r *stateReader, l *list) {
	var read entry
	due := r.entry(&read)
	r.Part(func(b []byte) ([]byte, error) { return m.tree.RestoreHold(b, &read.hold) })
	if r.OK() {
		m.checkEntry(r, &read, l == &m.orders.open, due)
	}
	if !r.OK() {
		return
	}
	e := m.orders.put(&read.order)
	e.hold, e.firstPrice, e.firstQty = read.hold, read.firstPrice, read.firstQty
	e.venueExec, e.expiring, e.doomed, e.closing = read.venueExec, read.expiring, read.doomed, read.closing
	m.orders.push(l, e)
	m.own.place(&m.orders, e)
	if l == &m.orders.open {
		m.sessions.add(&m.orders, e)
	}
	m.unknown += boolToInt(e.order.Unknown)
	if read.heapAt != 0 {
		m.expiry.push(&m.orders, e, read.due)
	}
}

// entry reads an order but for its hold; heapAt is 1 when it is to expire.
func (r *stateReader) entry(e *entry) (due core.Nanos) {
	o := &e.order
	o.Side, o.Type, o.TIF, o.Status = core.Side(r.U8()), core.OrdType(r.U8()), core.TimeInForce(r.U8()), core.OrdStatus(r.U8())
	o.Leg = core.Leg(r.U8())
	o.ReduceOnly, o.VenueAcked, o.PendingCxl, o.PendingRepl, o.Unknown = r.Bit(), r.Bit(), r.Bit(), r.Bit(), r.Bit()
	o.CancelOnDrop, e.doomed, e.expiring, e.closing = r.Bit(), r.Bit(), r.Bit(), r.Bit()
	e.heapAt = int32(boolToInt(r.Bit()))
	o.ID, o.Account, o.Strategy = core.OrderID(r.U64()), core.AccountID(r.ID()), core.StrategyID(r.ID())
	o.Instrument, o.Session = core.InstrumentID(r.ID()), core.SessionID(r.U64())
	o.Price, o.Qty, o.CumQty, o.CumCost = core.Price(r.U64()), core.Qty(r.U64()), core.Qty(r.U64()), r.I128()
	o.NewPrice, o.NewQty = core.Price(r.U64()), core.Qty(r.U64())
	o.Amends, o.Reason = r.ID(), uint16(r.UpTo(1<<16-1))
	o.ExpireTime, o.CreateTime, o.UpdateTime = r.nanos(), r.nanos(), r.nanos()
	e.firstPrice, e.firstQty, e.venueExec = core.Price(r.U64()), core.Qty(r.U64()), r.U64()
	e.due = r.nanos()
	var valid bool
	o.ClOrdID, valid = core.MakeClOrdID(r.Take(int(r.U8())))
	r.Require(valid, "a client order id that none can be")
	return e.due
}

// checkEntry refuses an order that the table cannot hold.
func (m *machine) checkEntry(r *stateReader, e *entry, open bool, due core.Nanos) {
	o, held := &e.order, e.hold.Order()
	r.Require(o.Status >= core.StatusNew && o.Status <= core.StatusExpired && o.Status.Open() == open && e.hold.Open() == open,
		"an order in the wrong list")
	r.Require(o.Account != 0 && o.Account == held.Account && o.Strategy == held.Strategy && o.Instrument == held.Instrument &&
		o.Side == held.Side, "an order that is reserved as another")
	r.Require(o.Leg <= core.LegShort, "an unknown leg")
	r.Require(o.ID != 0 && o.ID <= m.lastOrder && m.orders.find(o.ID) == nil, "an order id that was not given, or twice the same")
	r.Require(o.ClOrdID.Len() == 0 || m.orders.findClOrdID(o.Account, &o.ClOrdID) == nil, "a client order id twice")
	r.Require(open || (e.heapAt == 0 && !o.Unknown), "a closed order that waits for something")
	r.Require(e.heapAt != 0 || due == 0, "an order that is due and does not expire")
}
