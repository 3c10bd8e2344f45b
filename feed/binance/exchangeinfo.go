package binance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"qcat/core"
)

// SettleScale is the number of decimals of amounts of money on this venue: its
// own ledgers keep eight.
const SettleScale = 8

// Errors of ParseExchangeInfo.
var (
	// ErrUnknownSymbol is a symbol that the venue does not list.
	ErrUnknownSymbol = errors.New("binance: unknown symbol")
	// ErrNotTrading is a symbol that the venue lists but does not trade now.
	ErrNotTrading = errors.New("binance: symbol is not trading")
	// ErrExchangeInfo is an exchangeInfo that cannot be read.
	ErrExchangeInfo = errors.New("binance: exchangeInfo")
)

// exchangeInfo is the part of /exchangeInfo that is read.
type exchangeInfo struct {
	Symbols []symbolInfo `json:"symbols"`
}

type symbolInfo struct {
	Symbol      string       `json:"symbol"`
	Status      string       `json:"status"`
	BaseAsset   string       `json:"baseAsset"`
	QuoteAsset  string       `json:"quoteAsset"`
	MarginAsset string       `json:"marginAsset"` // USD-M only
	Filters     []filterInfo `json:"filters"`
}

// filterInfo is the union of the filters that are read, by their own names.
type filterInfo struct {
	FilterType string `json:"filterType"`

	MinPrice string `json:"minPrice"`
	MaxPrice string `json:"maxPrice"`
	TickSize string `json:"tickSize"`

	MinQty   string `json:"minQty"`
	MaxQty   string `json:"maxQty"`
	StepSize string `json:"stepSize"`

	MinNotional string `json:"minNotional"` // spot
	MaxNotional string `json:"maxNotional"` // spot NOTIONAL
	Notional    string `json:"notional"`    // USD-M MIN_NOTIONAL

	MultiplierUp      string `json:"multiplierUp"`
	MultiplierDown    string `json:"multiplierDown"`
	BidMultiplierUp   string `json:"bidMultiplierUp"`
	BidMultiplierDown string `json:"bidMultiplierDown"`
	AskMultiplierUp   string `json:"askMultiplierUp"`
	AskMultiplierDown string `json:"askMultiplierDown"`
}

// ParseExchangeInfo returns the named symbols of an exchangeInfo body in the
// order asked for, each once. Ids are not set. It is cold and allocates.
//
// Prices and quantities get as many decimals as the text of tickSize and
// stepSize has: the venue prints every price of the symbol with exactly those.
//
// Errors: ErrUnknownSymbol (naming each with the listed symbols nearest to it),
// ErrNotTrading (naming each with its status), ErrExchangeInfo, and
// core.ErrInstrument for rules that contradict themselves.
func ParseExchangeInfo(m Market, body []byte, symbols []string) ([]core.Instrument, error) {
	var info exchangeInfo
	if err := json.Unmarshal(body, &info); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExchangeInfo, err)
	}
	bySymbol := make(map[string]*symbolInfo, len(info.Symbols))
	for i := range info.Symbols {
		bySymbol[info.Symbols[i].Symbol] = &info.Symbols[i]
	}
	var out []core.Instrument
	var errs []error
	seen := map[string]bool{}
	for _, name := range symbols {
		if seen[name] {
			continue
		}
		seen[name] = true
		s := bySymbol[name]
		switch {
		case s == nil:
			errs = append(errs, unknownSymbol(m, name, info.Symbols))
		case s.Status != "TRADING":
			errs = append(errs, fmt.Errorf("%w: %s:%s is in status %q", ErrNotTrading, m, name, s.Status))
		default:
			in, err := s.instrument(m)
			if err != nil {
				errs = append(errs, err)
			}
			out = append(out, in)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// instrument translates one symbol with its filters.
func (s *symbolInfo) instrument(m Market) (core.Instrument, error) {
	in := core.Instrument{
		Venue: m.Venue(), Symbol: s.Symbol, Base: s.BaseAsset, Quote: s.QuoteAsset, Settle: s.QuoteAsset,
		Kind: m.ContractKind(), SettleScale: SettleScale, ContractSize: 1,
	}
	if m == USDM && s.MarginAsset != "" {
		in.Settle = s.MarginAsset
	}
	for _, f := range s.Filters {
		switch f.FilterType {
		case "PRICE_FILTER":
			in.PriceScale = decimals(f.TickSize)
		case "LOT_SIZE":
			in.QtyScale = decimals(f.StepSize)
		}
	}
	p := filterReader{symbol: s.Symbol}
	for i := range s.Filters {
		p.apply(m, &s.Filters[i], &in)
	}
	// A venue that switched a grid off leaves the finest one there is.
	in.TickSize, in.StepSize = max(in.TickSize, 1), max(in.StepSize, 1)
	if p.err != nil {
		return core.Instrument{}, p.err
	}
	return in, in.Validate()
}

// filterReader reads the numbers of filters; the first error stays.
type filterReader struct {
	symbol string
	err    error
}

func (p *filterReader) apply(m Market, f *filterInfo, in *core.Instrument) {
	price := func(s string) core.Price { return core.Price(p.decimal(f, s, in.PriceScale)) }
	qty := func(s string) core.Qty { return core.Qty(p.decimal(f, s, in.QtyScale)) }
	money := func(s string) core.Notional { return core.Notional(p.decimal(f, s, in.SettleScale)) }
	up := func(s string) int64 { return p.collar(f, s, +1) }
	down := func(s string) int64 { return p.collar(f, s, -1) }
	switch f.FilterType {
	case "PRICE_FILTER":
		in.MinPrice, in.TickSize = price(f.MinPrice), price(f.TickSize)
		in.MaxPrice = core.Price(p.bound(f, f.MaxPrice, in.PriceScale))
	case "LOT_SIZE":
		in.MinQty, in.StepSize = qty(f.MinQty), qty(f.StepSize)
		in.MaxQty = core.Qty(p.bound(f, f.MaxQty, in.QtyScale))
	case "MARKET_LOT_SIZE":
		in.MarketMinQty, in.MarketStepSize = qty(f.MinQty), qty(f.StepSize)
		in.MarketMaxQty = core.Qty(p.bound(f, f.MaxQty, in.QtyScale))
	case "MIN_NOTIONAL":
		// Spot calls the number minNotional, USD-M notional.
		in.MinNotional = max(in.MinNotional, money(f.MinNotional), money(f.Notional))
	case "NOTIONAL":
		in.MinNotional = max(in.MinNotional, money(f.MinNotional))
		in.MaxNotional = core.Notional(p.bound(f, f.MaxNotional, in.SettleScale))
	case "PERCENT_PRICE":
		in.BidCollarUp, in.AskCollarDown = up(f.MultiplierUp), down(f.MultiplierDown)
		if m == Spot {
			// Spot holds both sides to both bounds; USD-M stops only prices that
			// would trade far through the market.
			in.BidCollarDown, in.AskCollarUp = down(f.MultiplierDown), up(f.MultiplierUp)
		}
	case "PERCENT_PRICE_BY_SIDE":
		in.BidCollarUp, in.BidCollarDown = up(f.BidMultiplierUp), down(f.BidMultiplierDown)
		in.AskCollarUp, in.AskCollarDown = up(f.AskMultiplierUp), down(f.AskMultiplierDown)
	}
}

// ppmDecimals makes a multiplier a count of parts per million.
const ppmDecimals = 6

// collar reads a multiplier of the reference price as its distance from the
// price itself, in the given direction: 1.05 upwards and 0.95 downwards are both
// 50 000 PPM. An absent or zero multiplier is no collar, 0; one that forbids any
// distance is the smallest there is, since 0 would mean the opposite.
func (p *filterReader) collar(f *filterInfo, s string, direction int64) int64 {
	v := p.decimal(f, s, ppmDecimals)
	if v == 0 {
		return 0
	}
	d := (v - core.PPM) * direction
	if d < 0 && p.err == nil {
		p.err = fmt.Errorf("%w: %s: filter %s: multiplier %q excludes the reference price", ErrExchangeInfo, p.symbol, f.FilterType, s)
	}
	return max(d, 1)
}

// decimal reads a number of the filter; absent is 0.
func (p *filterReader) decimal(f *filterInfo, s string, scale uint8) int64 {
	if s == "" {
		return 0
	}
	v, err := core.ParseDecimal([]byte(s), scale)
	if (err != nil || v < 0) && p.err == nil {
		p.err = fmt.Errorf("%w: %s: filter %s: %q at %d decimals", ErrExchangeInfo, p.symbol, f.FilterType, s, scale)
	}
	return v
}

// bound reads an upper bound: one that no number of the scale can exceed bounds
// nothing and is 0.
func (p *filterReader) bound(f *filterInfo, s string, scale uint8) int64 {
	if _, err := core.ParseDecimal([]byte(s), scale); errors.Is(err, core.ErrDecimalRange) {
		return 0
	}
	return p.decimal(f, s, scale)
}

// decimals returns the number of digits behind the point of s.
func decimals(s string) uint8 {
	_, frac, _ := strings.Cut(s, ".")
	return uint8(min(len(frac), core.MaxScale))
}

// maxMisses is how many near misses an error names.
const maxMisses = 3

// unknownSymbol names the symbol and the trading ones that resemble it most.
func unknownSymbol(m Market, name string, all []symbolInfo) error {
	type miss struct {
		symbol   string
		distance int
	}
	var near []miss
	for i := range all {
		if all[i].Status != "TRADING" {
			continue
		}
		if d := editDistance(strings.ToUpper(name), all[i].Symbol); d <= 1+len(name)/4 {
			near = append(near, miss{all[i].Symbol, d})
		}
	}
	slices.SortFunc(near, func(a, b miss) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.symbol, b.symbol)
	})
	if len(near) == 0 {
		return fmt.Errorf("%w: %s:%s", ErrUnknownSymbol, m, name)
	}
	var names []string
	for _, n := range near[:min(len(near), maxMisses)] {
		names = append(names, n.symbol)
	}
	return fmt.Errorf("%w: %s:%s (did you mean %s?)", ErrUnknownSymbol, m, name, strings.Join(names, ", "))
}

// editDistance is Levenshtein's: insertions, deletions, replacements of bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
