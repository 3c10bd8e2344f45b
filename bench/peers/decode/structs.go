package decode

import (
	"encoding/json"
	"unsafe"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"

	"qcat/bench/peers/tape"
	"qcat/core"
	"qcat/feed"
)

// combined is a frame of a combined stream.
type combined[T any] struct {
	Data T `json:"data"`
}

// Keys that differ in case only are both named: encoding/json would take one for the
// other.
type tradeData struct {
	Event  string `json:"e"`
	Sent   uint64 `json:"E"`
	ID     uint64 `json:"t"`
	Time   uint64 `json:"T"`
	Symbol string `json:"s"`
	Price  string `json:"p"`
	Qty    string `json:"q"`
	Origin string `json:"X"`
	Maker  bool   `json:"m"`
}

type quoteData struct {
	Event  string `json:"e"`
	Sent   uint64 `json:"E"`
	Time   uint64 `json:"T"`
	ID     uint64 `json:"u"`
	Symbol string `json:"s"`
	Bid    string `json:"b"`
	BidQty string `json:"B"`
	Ask    string `json:"a"`
	AskQty string `json:"A"`
}

type depthData struct {
	Event  string      `json:"e"`
	Sent   uint64      `json:"E"`
	Time   uint64      `json:"T"`
	Symbol string      `json:"s"`
	First  uint64      `json:"U"`
	Last   uint64      `json:"u"`
	Prev   uint64      `json:"pu"`
	Bids   [][2]string `json:"b"`
	Asks   [][2]string `json:"a"`
}

// structs is a decoder that fills structs, which are reused.
type structs struct {
	unmarshal func([]byte, any) error
	f         filler
	trade     combined[tradeData]
	quote     combined[quoteData]
	depth     combined[depthData]
}

func newStandard(t *tape.Tape) (decoder, error) {
	return &structs{unmarshal: json.Unmarshal, f: newFiller(t)}, nil
}

func newGoccy(t *tape.Tape) (decoder, error) {
	return &structs{unmarshal: goccy.Unmarshal, f: newFiller(t)}, nil
}

// newSonic has it read the frame where it lies: nobody changes it, and so it need
// not be copied first.
func newSonic(t *tape.Tape) (decoder, error) {
	return &structs{unmarshal: func(b []byte, v any) error {
		return sonic.ConfigFastest.UnmarshalFromString(unsafe.String(unsafe.SliceData(b), len(b)), v)
	}, f: newFiller(t)}, nil
}

func (s *structs) decode(frame []byte, m *feed.Message) error {
	switch kindOf(frame) {
	case feed.MessageTrade:
		if err := s.unmarshal(frame, &s.trade); err != nil {
			return err
		}
		d := &s.trade.Data
		return s.f.trade(m, text(d.Symbol), d.Time, d.ID, text(d.Price), text(d.Qty), d.Maker)
	case feed.MessageQuote:
		if err := s.unmarshal(frame, &s.quote); err != nil {
			return err
		}
		d := &s.quote.Data
		return s.f.quote(m, text(d.Symbol), d.Time, d.ID, text(d.Bid), text(d.BidQty), text(d.Ask), text(d.AskQty))
	case feed.MessageDepth:
		if err := s.unmarshal(frame, &s.depth); err != nil {
			return err
		}
		d := &s.depth.Data
		s.f.depth(m, text(d.Symbol), d.Time, d.First, d.Last, d.Prev)
		m.Bids, m.Asks = s.levels(m.Bids, d.Bids), s.levels(m.Asks, d.Asks)
		return s.f.err
	}
	return errFrame
}

func (s *structs) levels(dst []core.Level, from [][2]string) []core.Level {
	for i := range from {
		dst = append(dst, s.f.level(text(from[i][0]), text(from[i][1])))
	}
	return dst
}
