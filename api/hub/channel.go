package hub

import (
	"bytes"

	"qcat/api/wire"
	"qcat/core"
)

// Kind is what a channel carries.
type Kind uint8

// Public kinds, one topic an instrument each, and the private ones.
const (
	BBO Kind = iota
	Trades
	Depth
	Candles
	publicKinds

	private = publicKinds // + wire.Private
)

var kindNames = [publicKinds]string{"bbo", "trade", "depth", "candle.1m"}

// Channel is something to subscribe to. Comparable; the zero value is no channel.
type Channel struct {
	Kind       Kind
	Instrument core.InstrumentID // 0 for a private channel
}

// PrivateChannel returns the channel of p.
func PrivateChannel(p wire.Private) Channel { return Channel{Kind: private + Kind(p)} }

// Private returns which private channel it is, false if it is public.
func (c Channel) Private() (wire.Private, bool) {
	return wire.Private(c.Kind - private), c.Kind >= private
}

// ParseChannel reads "bbo:INSTRUMENT", "orders", …, and returns false when there
// is no such channel or instrument.
func ParseChannel(d wire.Directory, name []byte) (Channel, bool) {
	kind, instrument, public := bytes.Cut(name, []byte(":"))
	if !public {
		p, ok := wire.ParsePrivate(name)
		return PrivateChannel(p), ok
	}
	for k, n := range kindNames {
		if n != string(kind) {
			continue
		}
		in := d.InstrumentNamed(string(instrument))
		if in == nil {
			return Channel{}, false
		}
		return Channel{Kind: Kind(k), Instrument: in.ID}, true
	}
	return Channel{}, false
}

// channelName is the inverse of ParseChannel for public channels.
func channelName(k Kind, in *core.Instrument) string { return kindNames[k] + ":" + in.Name() }
