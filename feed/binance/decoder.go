package binance

import (
	"fmt"

	"qcat/core"
	"qcat/feed"
)

// Decoder decodes the frames of one market. It is owned by one goroutine, keeps
// nothing of a frame, and allocates only while the caller's Message grows to the
// deepest book it has seen, and for a *VenueError.
//
// It implements feed.Decoder.
type Decoder struct {
	market   Market
	last     *listing // of the frame before: the likeliest of the next
	byStream symbolTable
	bySymbol symbolTable
	byID     []*listing // indexed by instrument id, nil where not ours
	scratch  []byte     // unescaped strings
	stats    Stats
}

// Stats counts what a Decoder met, for its owner to read.
type Stats struct {
	// Fallbacks are frames that the fixed-shape scanner left to the general path.
	// A steady stream of them says that the venue has changed its frames.
	Fallbacks uint64
	// UnknownSymbols are frames of symbols that the decoder was not given.
	UnknownSymbols uint64
	// OffBook are trades ignored because they came from no order book.
	OffBook uint64
}

// NewDecoder returns a decoder for instruments of that market. Their ids must be
// set, their symbols distinct.
func NewDecoder(market Market, instruments []*core.Instrument) (*Decoder, error) {
	if market != Spot && market != USDM {
		return nil, fmt.Errorf("binance: decoder for an unknown market %d", market)
	}
	d := &Decoder{market: market, last: nowhere}
	seen := make(map[string]bool, len(instruments))
	listings := make([]*listing, 0, len(instruments))
	for _, in := range instruments {
		switch {
		case in.ID == 0:
			return nil, fmt.Errorf("binance: decoder: instrument %s has no id", in.Name())
		case seen[in.Symbol]:
			return nil, fmt.Errorf("binance: decoder: instrument %s is given twice", in.Name())
		case in.PriceScale > core.MaxScale || in.QtyScale > core.MaxScale:
			return nil, fmt.Errorf("binance: decoder: instrument %s: scale out of range", in.Name())
		}
		seen[in.Symbol] = true
		l := newListing(market, in)
		for int(in.ID) >= len(d.byID) {
			d.byID = append(d.byID, nil)
		}
		d.byID[in.ID] = l
		listings = append(listings, l)
	}
	d.byStream = newSymbolTable(listings, func(l *listing) string { return l.stream })
	d.bySymbol = newSymbolTable(listings, func(l *listing) string { return l.symbol })
	return d, nil
}

// Decode decodes one frame. See the package documentation for what frames mean.
//
// Errors: ErrSyntax, ErrShape, ErrNumber, ErrSnapshotInstrument, *VenueError.
func (d *Decoder) Decode(frame []byte, snapshotFor core.InstrumentID, m *feed.Message) error {
	if d.fast(frame, snapshotFor, m) {
		return nil
	}
	d.stats.Fallbacks++
	return d.general(frame, snapshotFor, m)
}

// Stats returns the counters. The owner's goroutine only.
func (d *Decoder) Stats() Stats { return d.stats }

func (d *Decoder) listingOf(id core.InstrumentID) *listing {
	if int(id) >= len(d.byID) {
		return nil
	}
	return d.byID[id]
}

var _ feed.Decoder = (*Decoder)(nil)
