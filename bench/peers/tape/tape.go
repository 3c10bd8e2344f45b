// Package tape has the frames that the contests of decoders and books work on: those
// of the recorded captures where QCAT_CAPTURES names their directory, else frames
// made from a seed that look the same.
package tape

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"qcat/core"
	"qcat/feed"
	"qcat/feed/binance"
	"qcat/feed/replay"
)

// Instrument is the id of the one instrument of a tape.
const Instrument core.InstrumentID = 1

// Tape is the session of one instrument.
type Tape struct {
	Name       string
	Market     binance.Market
	Instrument *core.Instrument
	Frames     [][]byte
}

// captures are the files of recorded sessions, whose instruments have so many decimals.
var captures = []struct {
	name, file           string
	market               binance.Market
	priceScale, qtyScale uint8
}{
	{"USD-M capture", "binance/usdm-btcusdt-20240808.gz", binance.USDM, 2, 3},
	{"spot capture", "binance/spot-btcusdt-20240808.gz", binance.Spot, 8, 8},
}

// Load returns the tapes there are: the recorded ones, or the one made from a seed.
func Load() ([]*Tape, error) {
	dir := os.Getenv("QCAT_CAPTURES")
	if dir == "" {
		return []*Tape{synthetic()}, nil
	}
	var tapes []*Tape
	for _, c := range captures {
		t := &Tape{Name: c.name, Market: c.market, Instrument: instrument(c.market, c.priceScale, c.qtyScale)}
		if err := t.read(filepath.Join(dir, c.file)); err != nil {
			return nil, err
		}
		tapes = append(tapes, t)
	}
	return tapes, nil
}

func instrument(m binance.Market, priceScale, qtyScale uint8) *core.Instrument {
	return &core.Instrument{ID: Instrument, Venue: m.Venue(), Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Settle: "USDT",
		Kind: m.ContractKind(), PriceScale: priceScale, QtyScale: qtyScale, SettleScale: 8, ContractSize: 1, TickSize: 1, StepSize: 1}
}

func (t *Tape) read(path string) error {
	r, err := replay.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		_, frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		t.Frames = append(t.Frames, append([]byte(nil), frame...))
	}
}

// Decoder returns QCAT's decoder of the tape's frames.
func (t *Tape) Decoder() (*binance.Decoder, error) {
	return binance.NewDecoder(t.Market, []*core.Instrument{t.Instrument})
}

// Messages decodes the tape and calls f with each message, which is f's until the
// next.
func (t *Tape) Messages(f func(frame []byte, m *feed.Message)) error {
	d, err := t.Decoder()
	if err != nil {
		return err
	}
	var m feed.Message
	for _, frame := range t.Frames {
		if err := d.Decode(frame, Instrument, &m); err != nil {
			return err
		}
		f(frame, &m)
	}
	return nil
}
