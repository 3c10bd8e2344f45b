package binance

import "bytes"

// VenueOfFrame tells which market a stream frame comes from by the keys that
// only one of them sends, and false when the frame has none of them. For
// captures, which do not name their venue: a cold path, and a guess.
func VenueOfFrame(frame []byte) (venue string, ok bool) {
	has := func(s string) bool { return bytes.Contains(frame, []byte(s)) }
	switch {
	case has(`"e":"depthUpdate"`) && has(`"pu":`), has(`"e":"bookTicker"`), has(`"e":"trade"`) && has(`"X":`), has(`"e":"markPriceUpdate"`):
		return USDMVenue, true
	case has(`"e":"depthUpdate"`), has(`"e":"trade"`) && has(`"M":`), has(`@bookTicker"`) && has(`"A":`):
		return SpotVenue, true
	}
	return "", false
}
