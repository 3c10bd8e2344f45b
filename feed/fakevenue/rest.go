package fakevenue

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"qcat/core"
	"qcat/feed/binance"
)

// serveREST answers /depth, /exchangeInfo and /ping below the market's prefix.
func (s *Server) serveREST(w http.ResponseWriter, r *http.Request, path string) {
	w.Header().Set("Content-Type", "application/json")
	if s.misbehaved(w) {
		return
	}
	switch path {
	case "/ping":
		w.Write([]byte("{}"))
	case "/depth":
		s.serveDepth(w, r)
	case "/exchangeInfo":
		s.serveExchangeInfo(w, r)
	default:
		http.NotFound(w, r)
	}
}

// misbehaved counts the call and answers it if it is to be refused.
func (s *Server) misbehaved(w http.ResponseWriter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.RESTCalls++
	s.announce()
	x := &s.faults
	if x.statusFor == 0 {
		return false
	}
	x.statusFor--
	if x.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((x.retryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(x.status)
	w.Write([]byte(`{"code":-1003,"msg":"Way too much request weight used."}`))
	return true
}

// serveDepth answers with the true book as of now, sent when the faults let it.
func (s *Server) serveDepth(w http.ResponseWriter, r *http.Request) {
	symbol := r.URL.Query().Get("symbol")
	s.mu.Lock()
	t := s.truths[symbol]
	if t == nil {
		s.mu.Unlock()
		invalidSymbol(w)
		return
	}
	body := t.snapshot(s.src.Market)
	s.stats.Snapshots[symbol]++
	s.announce()
	hold, delay := s.faults.hold, s.faults.delay
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return
		}
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
	}
	w.Write(body)
}

func invalidSymbol(w http.ResponseWriter) {
	w.WriteHeader(http.StatusBadRequest)
	w.Write([]byte(`{"code":-1121,"msg":"Invalid symbol."}`))
}

// serveExchangeInfo tells the rules of the source's instruments.
func (s *Server) serveExchangeInfo(w http.ResponseWriter, r *http.Request) {
	list := s.src.Instruments
	if q := r.URL.Query().Get("symbols"); q != "" {
		var symbols []string
		if err := json.Unmarshal([]byte(q), &symbols); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			w.Write([]byte(`{"code":-1100,"msg":"Illegal characters found in parameter 'symbols'."}`))
			return
		}
		list = nil
		for _, symbol := range symbols {
			in, ok := s.instrument(symbol)
			if !ok {
				invalidSymbol(w)
				return
			}
			list = append(list, in)
		}
	}
	b := []byte(`{"timezone":"UTC","symbols":[`)
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSymbolInfo(b, s.src.Market, &list[i])
	}
	w.Write(append(b, "]}"...))
}

// appendSymbolInfo appends an instrument as exchangeInfo has it.
func appendSymbolInfo(b []byte, m binance.Market, in *core.Instrument) []byte {
	price := func(p core.Price) string { return core.FormatDecimal(int64(p), in.PriceScale) }
	qty := func(q core.Qty) string { return core.FormatDecimal(int64(q), in.QtyScale) }
	money := func(n core.Notional) string { return core.FormatDecimal(int64(n), in.SettleScale) }
	multiplier := func(distance int64) string { return core.FormatDecimal(core.PPM+distance, 6) }
	b = fmt.Appendf(b, `{"symbol":%q,"status":"TRADING","baseAsset":%q,"quoteAsset":%q,"marginAsset":%q,"filters":[`,
		in.Symbol, in.Base, in.Quote, in.Settle)
	b = fmt.Appendf(b, `{"filterType":"PRICE_FILTER","minPrice":%q,"maxPrice":%q,"tickSize":%q},`,
		price(in.MinPrice), price(in.MaxPrice), price(in.TickSize))
	b = fmt.Appendf(b, `{"filterType":"LOT_SIZE","minQty":%q,"maxQty":%q,"stepSize":%q},`,
		qty(in.MinQty), qty(in.MaxQty), qty(in.StepSize))
	b = fmt.Appendf(b, `{"filterType":"MARKET_LOT_SIZE","minQty":%q,"maxQty":%q,"stepSize":%q}`,
		qty(in.MarketMinQty), qty(in.MarketMaxQty), qty(in.MarketStepSize))
	if in.MinNotional > 0 && m == binance.Spot {
		b = fmt.Appendf(b, `,{"filterType":"NOTIONAL","minNotional":%q,"maxNotional":%q}`, money(in.MinNotional), money(in.MaxNotional))
	}
	if in.MinNotional > 0 && m == binance.USDM {
		b = fmt.Appendf(b, `,{"filterType":"MIN_NOTIONAL","notional":%q}`, money(in.MinNotional))
	}
	if in.BidCollarUp > 0 && m == binance.Spot {
		b = fmt.Appendf(b, `,{"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":%q,"bidMultiplierDown":%q,"askMultiplierUp":%q,"askMultiplierDown":%q}`,
			multiplier(in.BidCollarUp), multiplier(-in.BidCollarDown), multiplier(in.AskCollarUp), multiplier(-in.AskCollarDown))
	}
	if in.BidCollarUp > 0 && m == binance.USDM {
		b = fmt.Appendf(b, `,{"filterType":"PERCENT_PRICE","multiplierUp":%q,"multiplierDown":%q,"multiplierDecimal":"6"}`,
			multiplier(in.BidCollarUp), multiplier(-in.AskCollarDown))
	}
	return append(b, "]}"...)
}
