package binance

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"qcat/core"
)

// ErrNothingDiscovered is a capture without a frame that names an instrument.
var ErrNothingDiscovered = errors.New("binance: no frame names an instrument")

// Discover infers the instruments of a capture, of which no exchangeInfo is
// known, from its frames: their symbols in order of appearance, and the scales
// from the number of decimals that prices and quantities are printed with (the
// largest seen). Tick and step are one unit of the scale; bounds and collars are
// unset. Frames that cannot be read are passed over: the decoder will count them.
//
// The venue always prints all decimals of a symbol, so that the first frames
// tell as much as all: the caller may stop frames early, once each symbol has
// been seen.
func Discover(venue string, frames iter.Seq[[]byte]) ([]core.Instrument, error) {
	market, ok := MarketOf(venue)
	if !ok {
		return nil, fmt.Errorf("binance: %q is not a venue of this package", venue)
	}
	d := discovery{market: market, decoder: Decoder{market: market}}
	for frame := range frames {
		d.frame(frame)
	}
	if len(d.found) == 0 {
		return nil, ErrNothingDiscovered
	}
	for i := range d.found {
		if err := d.found[i].Validate(); err != nil {
			return nil, err
		}
	}
	return d.found, nil
}

type discovery struct {
	market  Market
	decoder Decoder // for its scratch space
	found   []core.Instrument
}

// frame takes in what one frame says.
func (d *discovery) frame(b []byte) {
	r := reader{d: &d.decoder, b: b}
	i := skipSpace(b, 0)
	if !at(b, i, "{") {
		return
	}
	var f fields
	r.object(i, &f)
	if r.err == nil && f.stream.present() && f.data.present() && b[f.data.from] == '{' {
		from := f.data.from
		f = fields{}
		r.object(from, &f)
	}
	if r.err != nil || !f.s.present() || b[f.s.from] != '"' {
		return
	}
	kind := "bookTicker"
	if f.e.present() {
		kind = string(r.text(f.e))
	}
	switch kind {
	case "trade", "aggTrade":
		d.saw(&r, f.s, []span{f.p}, []span{f.q})
	case "bookTicker":
		d.saw(&r, f.s, []span{f.b, f.a}, []span{f.B, f.A})
	case "depthUpdate":
		prices, qtys := firstLevel(&r, f.b)
		morePrices, moreQtys := firstLevel(&r, f.a)
		d.saw(&r, f.s, append(prices, morePrices...), append(qtys, moreQtys...))
	}
}

// saw notes the decimals of a symbol's prices and quantities.
func (d *discovery) saw(r *reader, symbol span, prices, qtys []span) {
	name := string(r.text(symbol))
	if r.err != nil || name == "" {
		return
	}
	i := slices.IndexFunc(d.found, func(in core.Instrument) bool { return in.Symbol == name })
	if i < 0 {
		base, quote := splitSymbol(name)
		d.found = append(d.found, core.Instrument{Venue: d.market.Venue(), Symbol: name,
			Base: base, Quote: quote, Settle: quote, Kind: d.market.ContractKind(),
			SettleScale: SettleScale, ContractSize: 1, TickSize: 1, StepSize: 1})
		i = len(d.found) - 1
	}
	in := &d.found[i]
	for _, p := range prices {
		in.PriceScale = max(in.PriceScale, r.decimalsOf(p))
	}
	for _, q := range qtys {
		in.QtyScale = max(in.QtyScale, r.decimalsOf(q))
	}
}

// decimalsOf returns the decimals of a decimal in a string, 0 for anything else.
func (r *reader) decimalsOf(s span) uint8 {
	if !s.present() || r.b[s.from] != '"' {
		return 0
	}
	text := r.text(s)
	if _, err := core.ParseDecimal(text, core.MaxScale); err != nil && !errors.Is(err, core.ErrDecimalRange) {
		return 0
	}
	return decimals(string(text))
}

// firstLevel returns price and quantity of the first level of a list.
func firstLevel(r *reader, list span) (price, qty []span) {
	if !list.present() || !at(r.b, list.from, "[") {
		return nil, nil
	}
	i := skipSpace(r.b, list.from+1)
	if !at(r.b, i, "[") {
		return nil, nil
	}
	p, next := r.element(i + 1)
	q, _ := r.element(next)
	if r.err != nil {
		r.err = nil
		return nil, nil
	}
	return []span{p}, []span{q}
}

// quoteAssets are the currencies in which the venue quotes, longer before
// shorter where one ends in another.
var quoteAssets = []string{"FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USD1", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY", "DAI"}

// splitSymbol guesses the currencies of a symbol by its end. A delivery
// contract's date (BTCUSDT_240927) is not part of either.
func splitSymbol(symbol string) (base, quote string) {
	pair, _, _ := strings.Cut(symbol, "_")
	for _, q := range quoteAssets {
		if b, ok := strings.CutSuffix(pair, q); ok && b != "" {
			return b, q
		}
	}
	return pair, pair
}
