package storetest

import (
	"math/rand/v2"

	"qcat/core"
	"qcat/core/record"
	"qcat/persist/ticklog"
)

// Journal makes a journal about the definitions of dir: orders that are accepted,
// refused, acknowledged, filled in parts, cancelled, and filled once more when it is
// too late.
func Journal(dir *core.Directory, seed uint64, n int) [][]byte {
	j := &journalMaker{rng: rand.New(rand.NewPCG(seed, 4)), dir: dir, now: start}
	for _, in := range dir.Instruments() {
		j.add(record.Record{Header: record.Header{Type: record.TypeInstrument}, Instrument: record.Instrument{Definition: *in}})
	}
	for _, a := range dir.Accounts() {
		j.add(record.Record{Header: record.Header{Type: record.TypeAccount}, Account: record.Account{ID: a.ID, Name: a.Name}})
	}
	for _, s := range dir.Strategies() {
		j.add(record.Record{Header: record.Header{Type: record.TypeStrategy},
			Strategy: record.Strategy{ID: s.ID, Account: s.Account, Name: s.Name}})
	}
	for len(j.records) < n {
		j.step()
	}
	return j.records[:n]
}

type journalMaker struct {
	rng     *rand.Rand
	dir     *core.Directory
	now     core.Nanos
	records [][]byte
	orders  []core.Order
	exec    uint64
}

func (j *journalMaker) add(r record.Record) {
	j.now += core.Nanos(j.rng.Int64N(2_000_000_000))
	r.Seq, r.Time = uint64(len(j.records)+1), j.now
	j.records = append(j.records, r.Append(nil))
}

func (j *journalMaker) step() {
	instruments, strategies := j.dir.Instruments(), j.dir.Strategies()
	in, st := instruments[j.rng.IntN(len(instruments))], strategies[j.rng.IntN(len(strategies))]
	switch k := j.rng.IntN(10); {
	case k < 3 || len(j.orders) == 0:
		n := record.New{Account: st.Account, Strategy: st.ID, Instrument: in.ID, Side: core.Side(1 + j.rng.IntN(2)), Type: core.Limit,
			TIF: core.GTC, Price: core.Price(1000 + j.rng.IntN(100)), Qty: core.Qty(1 + j.rng.IntN(100))}
		if n.ClOrdID, _ = core.MakeClOrdID("c"); k == 0 {
			n.Reason = record.Reason{Code: 101, Unit: 1, Limit: 5, Value: 6}
		} else {
			n.Order = core.OrderID(len(j.orders) + 1)
			j.orders = append(j.orders, core.Order{ID: n.Order, Instrument: in.ID, Qty: n.Qty, Status: core.StatusNew})
		}
		j.add(record.Record{Header: record.Header{Type: record.TypeNew}, New: n})
	case k == 3:
		j.add(record.Record{Header: record.Header{Type: record.TypeMark},
			Mark: record.Mark{Instrument: in.ID, Price: core.Price(1000 + j.rng.IntN(100))}})
	default:
		j.report(&j.orders[j.rng.IntN(len(j.orders))], k)
	}
}

func (j *journalMaker) report(o *core.Order, k int) {
	p := record.Report{Report: core.ExecReport{Order: o.ID, Instrument: o.Instrument, Type: core.ExecNew, VenueExecID: uint64(len(j.records)),
		Time: j.now}, Disposition: record.Applied}
	if !o.Status.Open() {
		p.Disposition = record.Late
	}
	switch {
	case k < 8:
		p.Report.Type, p.Report.LastPx, p.Report.LastQty = core.ExecTrade, core.Price(1000+j.rng.IntN(100)), core.Qty(1+j.rng.IntN(30))
		p.Report.Fee = core.Notional(j.rng.IntN(10) - 3)
		o.CumQty += p.Report.LastQty
		j.exec++
		p.ExecID = j.exec
		switch {
		case !o.Status.Open():
		case o.CumQty >= o.Qty:
			o.Status = core.StatusFilled
		default:
			o.Status = core.StatusPartiallyFilled
		}
	case k == 8 && o.Status.Open():
		p.Report.Type, o.Status = core.ExecCancelled, core.StatusCancelled
	}
	p.Status = o.Status
	j.add(record.Record{Header: record.Header{Type: record.TypeReport}, Report: p})
}

// Ticks makes a tick log about the instruments of dir: trades in and out of order,
// quotes, marks and gaps. A gap lies between the records around it.
func Ticks(dir *core.Directory, seed uint64, n int) [][]byte {
	rng := rand.New(rand.NewPCG(seed, 5))
	instruments := dir.Instruments()
	now, records := start, [][]byte(nil)
	for seq := uint64(1); len(records) < n; seq++ {
		before := now
		now += core.Nanos(rng.Int64N(400_000_000))
		if rng.IntN(300) == 0 {
			now += core.Nanos(rng.Int64N(7200_000_000_000))
		}
		id := instruments[rng.IntN(len(instruments))].ID
		r := ticklog.Record{Header: ticklog.Header{Type: ticklog.TypeTrade, Seq: seq, Time: now}}
		r.Trade = ticklog.Trade{Instrument: id, Side: core.Side(1 + rng.IntN(2)), Price: core.Price(1 + rng.IntN(1000)),
			Qty: core.Qty(1 + rng.IntN(50)), ID: seq, ExchangeTime: now, ReceiveTime: now}
		switch k := rng.IntN(20); {
		case k == 0: // late, but not for every width
			r.Trade.ExchangeTime -= core.Nanos(rng.Int64N(3_000_000_000))
		case k < 6:
			r.Type, r.Quote = ticklog.TypeQuote, ticklog.Quote{Instrument: id, BidPrice: 5, BidQty: core.Qty(seq), AskPrice: 7, AskQty: 1,
				ExchangeTime: now, ReceiveTime: now - core.Nanos(rng.Int64N(100_000_000))}
			if k == 1 {
				r.Quote.Flags = core.FlagStale
			}
		case k == 6:
			r.Type, r.Mark = ticklog.TypeMark, ticklog.Mark{Instrument: id, Price: 6, ExchangeTime: now, ReceiveTime: now}
		case k == 7 && rng.IntN(3) == 0:
			r.Type, r.Gap = ticklog.TypeGap, ticklog.Gap{Reason: ticklog.GapOverrun, Lost: uint64(rng.IntN(9)), From: before, To: now}
		}
		records = append(records, r.Append(nil))
	}
	return records
}
