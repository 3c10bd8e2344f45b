// Package client is the Go client of the API: market data and private channels
// over one WebSocket, orders over it or over HTTP.
//
//	c, err := client.Dial(ctx, "127.0.0.1:8082", client.Options{Reconnect: true})
//	defer c.Close()
//	err = c.Subscribe(ctx, client.Sub{Channel: "depth:sim:BTCUSDT", Handle: book.Apply})
//	ans, err := c.Order(ctx, client.Order{Account: "demo", Instrument: "sim:BTCUSDT",
//		Side: "buy", Type: "limit", Qty: "0.01", Price: "50000.00"})
//
// # Goroutines
//
// A Conn has one goroutine, which reads, calls the handlers, answers pings and,
// when Options.Reconnect is set, dials again and subscribes to what was
// subscribed: private channels from the last event seen, so that nothing is
// missed or seen twice; when the server no longer has those events it starts them
// with a snapshot, and Sub.OnGap is told. A handler runs on that goroutine: one that blocks makes this
// client a slow one, and it must not call methods that wait for an answer.
//
// # Who a client is
//
// Login, Tokens, HMACKey and Ed25519Key make an Auth, for HTTP and for the WebSocket. A
// Session takes new tokens before the old ones expire; a Key signs each request. The
// WebSocket is proved at its upgrade. When its session ends, a Conn that may reconnect proves
// itself anew, and ends for good when that is refused.
//
// # Decimals
//
// Prices and quantities stay the decimal strings they are on the wire. Book,
// which has to compare them, takes their scale from the first one it reads: the
// server writes all prices of an instrument with the same number of decimals.
//
// # Imports
//
// client imports core, api/wire (when to reconnect), api/auth/signing, fasthttp and
// fasthttp/websocket: it needs no part of a server.
package client
