package rest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/engine"
	"qcat/core/history"
	"qcat/risk"
	"qcat/risk/tail"
)

// Codes of reports that cannot be made.
const (
	codeTooFew  = "report.too_few_observations"
	codeNoPrice = "report.no_price"
	codeTooBig  = "report.overflow"
)

// Bounds and defaults of a report on value at risk.
const (
	defaultConfidence = 990_000 // PPM
	defaultHorizon    = 24 * time.Hour
	defaultLookback   = 365 * 24 * time.Hour
	maxLookback       = 5 * 365 * 24 * time.Hour
	minHorizon        = time.Hour
	maxHorizon        = 30 * 24 * time.Hour
	candleWidth       = core.Nanos(3600e9)
	candlePage        = 10_000
	maxReported       = 200 // instruments of one book
)

// outlook is what a report on value at risk is about.
type outlook struct {
	account           core.AccountID
	confidence        int64 // PPM
	horizon, lookback time.Duration
}

// valueAtRisk reports what the present book of an account, or of the firm, would have
// lost over each horizon of the past that stored candles tell of.
func (s *Server) valueAtRisk(c exchange) {
	q := s.query(c, "account", "confidence", "horizon", "lookback")
	o := outlook{account: q.wholeAccount(), confidence: q.confidence(),
		horizon:  q.period("horizon", defaultHorizon, minHorizon, maxHorizon),
		lookback: q.period("lookback", defaultLookback, minHorizon, maxLookback)}
	if o.account == 0 && !q.none {
		q.firm()
	}
	if !q.ok || !s.caughtUp(c) {
		return
	}
	if q.none {
		s.unresolved(c, &wire.Resolution{Reason: risk.Reason{Code: risk.UnknownAccount}, Unknown: []byte(q.text("account"))})
		return
	}
	held, wrong := s.stakes(o.account)
	if wrong != nil {
		problem(c, wrong)
		return
	}
	now := s.cfg.Clock.Now()
	moments := o.moments(now)
	ctx, cancel := context.WithTimeout(s.life, s.cfg.Timeout)
	defer cancel()
	book := make([]tail.Holding, len(held))
	for i := range held {
		prices, err := s.closes(ctx, held[i].id, moments, core.Nanos(o.horizon))
		if err != nil {
			s.noHistory(c, err)
			return
		}
		book[i] = tail.Holding{Value: held[i].value, Prices: prices}
	}
	report, err := tail.Measure(book, o.confidence)
	if err != nil && len(book) > 0 {
		problem(c, o.cannot(err, &report))
		return
	}
	answer(c, fasthttp.StatusOK, s.appendVaR(&o, held, moments, &report))
}

// stake is what a book has of one instrument.
type stake struct {
	id    core.InstrumentID
	qty   core.Qty
	mark  core.Price
	value int64 // in the risk currency
}

// stakes adds up what an account, or with 0 the firm, holds of each instrument, and what
// that is worth now.
func (s *Server) stakes(account core.AccountID) (held []stake, wrong *wire.Problem) {
	at := map[core.InstrumentID]int{}
	for _, p := range s.cfg.View.Positions(engine.PositionFilter{Account: account, OpenOnly: true}) {
		i, known := at[p.Instrument]
		if !known {
			i = len(held)
			at[p.Instrument] = i
			held = append(held, stake{id: p.Instrument, mark: p.Mark})
		}
		held[i].qty += p.Position.Qty
	}
	if len(held) > maxReported {
		return nil, &wire.Problem{Status: fasthttp.StatusUnprocessableEntity, Code: codeTooBig, Title: "The report cannot be made",
			Detail: "the book has " + strconv.Itoa(len(held)) + " instruments, and a report covers " + strconv.Itoa(maxReported)}
	}
	unvalued := core.InstrumentID(0)
	s.cfg.Engine.Query(func(t *risk.Tree, _ uint64) {
		for i := range held {
			k := &held[i]
			ok := false
			if k.value, ok = t.ValueOf(k.id, k.qty, k.mark); (!ok || k.mark <= 0) && unvalued == 0 {
				unvalued = k.id
			}
		}
	})
	if in := s.cfg.Directory.Instrument(unvalued); in != nil {
		return nil, &wire.Problem{Status: fasthttp.StatusUnprocessableEntity, Code: codeNoPrice, Title: "The report cannot be made",
			Detail: "what is held of " + in.Name() + " has no price, or its currency no rate"}
	}
	return held, nil
}

// moments are the ends of the horizons, oldest first: whole multiples of the horizon
// since 1970.
func (o *outlook) moments(now core.Nanos) []core.Nanos {
	step := core.Nanos(o.horizon)
	last := now / step * step
	n := int(core.Nanos(o.lookback)/step) + 1
	out := make([]core.Nanos, n)
	for i := range out {
		out[i] = last - core.Nanos(n-1-i)*step
	}
	return out
}

// closes are the prices an instrument had at the moments: the close of the last hour
// that had trades, no older than a horizon; 0 where there is none.
func (s *Server) closes(ctx context.Context, id core.InstrumentID, moments []core.Nanos, horizon core.Nanos) ([]core.Price, error) {
	if s.cfg.History == nil {
		return nil, errNoHistory
	}
	prices := make([]core.Price, len(moments))
	q := history.CandleQuery{Instrument: id, Interval: candleWidth, From: moments[0] - horizon, To: moments[len(moments)-1], Limit: candlePage}
	at := len(moments) - 1
	for {
		rows, err := s.cfg.History.Candles(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range rows { // newest first
			for at >= 0 && moments[at] >= rows[i].CloseTime() {
				if moments[at]-rows[i].CloseTime() < horizon {
					prices[at] = rows[i].Close
				}
				at--
			}
		}
		if len(rows) < q.Limit || at < 0 {
			return prices, nil
		}
		q.Before = rows[len(rows)-1].OpenTime
	}
}

// cannot says why there is no report.
func (o *outlook) cannot(err error, r *tail.Report) *wire.Problem {
	p := &wire.Problem{Status: fasthttp.StatusUnprocessableEntity, Code: codeTooBig, Title: "The report cannot be made", Detail: err.Error()}
	if errors.Is(err, tail.ErrTooFew) {
		p.Code = codeTooFew
		p.Detail = "there are " + strconv.Itoa(r.Observations) + " observations, and " + strconv.Itoa(r.Missing) +
			" of which a price is missing; this confidence needs " + strconv.Itoa(tail.Needed(o.confidence))
	}
	return p
}

// appendVaR appends the report.
func (s *Server) appendVaR(o *outlook, held []stake, moments []core.Nanos, r *tail.Report) []byte {
	b := []byte(`{"scope":`)
	scope := risk.FirmScope()
	if o.account != 0 {
		scope = risk.AccountScope(o.account)
	}
	b = wire.AppendScope(b, s.cfg.Directory, scope)
	b = core.AppendDecimal(append(b, `,"confidence":"`...), o.confidence, 6)
	b = append(append(append(b, `","horizon":"`...), o.horizon.String()...), `","lookback":"`...)
	b = append(append(b, o.lookback.String()...), '"')
	b = wire.AppendNanos(append(b, `,"from":`...), moments[0])
	b = wire.AppendNanos(append(b, `,"to":`...), moments[len(moments)-1])
	b = strconv.AppendInt(append(b, `,"observations":`...), int64(r.Observations), 10)
	b = strconv.AppendInt(append(b, `,"missing":`...), int64(r.Missing), 10)
	b = strconv.AppendInt(append(b, `,"tail":`...), int64(r.Tail), 10)
	for _, f := range [...]struct {
		key string
		v   int64
	}{{`,"var":"`, r.VaR}, {`,"es":"`, r.ES}, {`,"worst":"`, r.Worst}} {
		b = append(core.AppendDecimal(append(b, f.key...), f.v, risk.ValueScale), '"')
	}
	b = append(b, `,"holdings":[`...)
	for i := range held {
		if i > 0 {
			b = append(b, ',')
		}
		in := s.cfg.Directory.Instrument(held[i].id)
		b = wire.AppendString(append(b, `{"instrument":`...), in.Name())
		b = append(core.AppendDecimal(append(b, `,"qty":"`...), int64(held[i].qty), in.QtyScale), '"')
		b = append(core.AppendDecimal(append(b, `,"value":"`...), held[i].value, risk.ValueScale), `"}`...)
	}
	return append(b, `]}`...)
}

// confidence reads a ratio between 0 and 1 and returns it in PPM.
func (q *query) confidence() int64 {
	text := q.text("confidence")
	if text == "" {
		return defaultConfidence
	}
	v, err := core.ParseDecimal([]byte(text), 6)
	if err != nil || v < core.PPM/2 || v >= core.PPM {
		q.bad("confidence", "wanted 0.5 to 0.999999")
		return defaultConfidence
	}
	return v
}

// lengthText is a length of time as period reads it.
func lengthText(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	return strconv.Itoa(int(d/time.Hour)) + "h"
}

// period reads a length of time, such as 1d or 36h.
func (q *query) period(name string, def, least, most time.Duration) time.Duration {
	text := q.text(name)
	if text == "" {
		return def
	}
	d, err := time.ParseDuration(text)
	if n := len(text) - 1; text[n] == 'd' {
		var days int
		days, err = strconv.Atoi(text[:n])
		d = time.Duration(min(max(days, 0), 1<<16)) * 24 * time.Hour
	}
	if err != nil || d < least || d > most || d%time.Hour != 0 {
		q.bad(name, "wanted whole hours or days, such as 36h or 10d, between "+lengthText(least)+" and "+lengthText(most))
		return def
	}
	return d
}
