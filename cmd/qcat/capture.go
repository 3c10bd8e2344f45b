package main

import (
	"errors"
	"fmt"
	"slices"

	"qcat/core"
	"qcat/feed/binance"
	"qcat/feed/replay"
)

// bindCapture tells from a capture's first frames which instrument it is of, and
// defines it. A capture has no trading rules beside its frames: the
// instrument's scales are those its numbers are printed with.
//
// Without a venue it is inferred: only USD-M depth messages carry the previous
// update id.
func bindCapture(venue string, add define) replay.Bind {
	var frames [][]byte
	return func(frame []byte) (replay.Binding, bool, error) {
		frames = append(frames, slices.Clone(frame))
		name := venue
		if name == "" {
			var ok bool
			if name, ok = inferVenue(frames); !ok {
				return replay.Binding{}, false, nil
			}
		}
		if seen, ok := inferVenue(frames); ok && seen != name {
			return replay.Binding{}, false, fmt.Errorf("the frames are those of %s, not of %s", seen, name)
		}
		market, ok := binance.MarketOf(name)
		if !ok {
			return replay.Binding{}, false, fmt.Errorf("no decoder for the captures of venue %q", name)
		}
		found, err := binance.Discover(name, slices.Values(frames))
		if errors.Is(err, binance.ErrNothingDiscovered) {
			return replay.Binding{}, false, nil
		}
		if err != nil {
			return replay.Binding{}, false, err
		}
		in, err := add(found[0])
		if err != nil {
			return replay.Binding{}, false, err
		}
		decoder, err := binance.NewDecoder(market, []*core.Instrument{in})
		if err != nil {
			return replay.Binding{}, false, err
		}
		return replay.Binding{Decoder: decoder, Continuity: market.Continuity(), Instrument: in.ID}, true, nil
	}
}

// inferVenue looks for the keys that tell the markets apart.
func inferVenue(frames [][]byte) (string, bool) {
	for _, f := range frames {
		if venue, ok := binance.VenueOfFrame(f); ok {
			return venue, true
		}
	}
	return "", false
}
