// Package ws is the WebSocket end of the API: the upgrade at /api/v1/ws, the
// frames of RFC 6455 a client sends, and the requests in them.
//
//	{"op":"subscribe","id":1,"channels":["bbo:sim:BTCUSDT","orders"],"from_seq":…}
//	{"op":"unsubscribe","id":2,"channels":[…]}
//	{"op":"order","id":3,"account":"demo","instrument":"sim:BTCUSDT","side":"buy",…}
//	{"op":"cancel","id":4,"order_id":17}   or by "account" and "client_order_id"
//	{"op":"amend","id":5,"order_id":17,"price":"100.50"}
//	{"op":"cancel_all","account":"demo"}, {"op":"state",…}, {"op":"countdown",…}
//	{"op":"cancel_on_disconnect","enable":true}
//	{"op":"logout"}
//	{"op":"ping","id":6}
//	{"op":"auth","id":7,"token":"…"}
//
// The fields of an order may also stand in an object of their own, "order". Each
// request has one answer, {"id":…,"ok":true,…} or {"id":…,"ok":false,"error":
// {"code","detail",…}}, whose id is the request's as it was written. Answers to
// orders come when the engine has answered, in its order; others may overtake
// them. A request that is not understood changes nothing.
//
// # Goroutines
//
// A connection is taken over from the HTTP server, which gets its buffers back, and
// has one goroutine, its reader: it decodes, and submits commands to the engine. The
// engine's goroutine copies its replies into the session; another goroutine (api/hub),
// which a connection has from its first order on, encodes them. No
// goroutine is made for a request, and a client may have many orders on their
// way at once, up to Config.MaxInFlight, and a quarter more for cancels.
//
// # Sessions
//
// A connection has a core.SessionID, which its orders carry. However it ends but by
// a goodbye of its client, the engine is told to cancel what was to end with it
// (goodbye.go).
//
// # Who
//
// With a Gate a connection is somebody's: the upgrade says whose, by a bearer token or a
// signature, or the op auth does within Config.AuthTimeout (visitor.go, identity.go). What an
// op takes stands in one table (operation.go), what it may name is in the scope (scope.go),
// and private channels show what is in it (hub.Viewer). When the principal ends so does the
// connection, and requests that come after are refused: each asks whether it is alive. Stops
// and their refusals are told to the audit log (record.go).
//
// # Frames
//
// fasthttp/websocket does the handshake. What follows is read by core/frame, because
// the library writes closing frames and pongs from the reading goroutine, past the
// pending buffer, and allocates for each message. Compression is not negotiated,
// so that the read limit is on what is delivered.
//
// # Bounds
//
// Size of a message, connections (in all, by address and by user), messages a second, wrong
// proofs of identity, subscriptions, orders in flight, bytes pending
// (api/hub), and bad requests in a row are bounded; what exceeds a bound is
// answered with a code or closes the connection with a numbered reason
// (hub.Disconnect).
//
// # Imports
//
// ws imports api/auth, api/forwarded, api/hub, api/limit, api/origin, api/wire, core,
// core/engine (commands and replies), core/frame, core/identity and risk, fasthttp and
// fasthttp/websocket.
package ws
