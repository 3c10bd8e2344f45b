package binance

import "testing"

func TestVenueOfFrame(t *testing.T) {
	for _, c := range []struct{ frame, want string }{
		{`{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[],"a":[]}}`, USDMVenue},
		{`{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[],"a":[]}}`, SpotVenue},
		{`{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1","T":1,"E":1}}`, USDMVenue},
		{`{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}`, SpotVenue},
		{`{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1,"m":true,"M":true}}`, SpotVenue},
		{`{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","X":"MARKET","m":true}}`, USDMVenue},
		{`{"lastUpdateId":1,"bids":[],"asks":[]}`, ""},
		{`{"result":null,"id":1}`, ""},
	} {
		if got, ok := VenueOfFrame([]byte(c.frame)); got != c.want || ok != (c.want != "") {
			t.Errorf("VenueOfFrame(%s) = %q, %v; want %q", c.frame, got, ok, c.want)
		}
	}
}
