// Package signing signs requests with an API key, as api/auth/signature verifies them.
// It holds what both sides of a signature must agree on, and stands on nothing, so that a
// client gets no server with it.
//
// Signed are the bytes as they are sent:
//
//	timestamp "\n" window "\n" nonce "\n" METHOD "\n" request target "\n" body
//
// timestamp and window are milliseconds in decimal; a window that is not sent is empty. The
// request target is path and query as they stand in the request line. The auth operation
// of a WebSocket signs SocketMethod, SocketTarget and no body; an upgrade that is signed
// signs itself, with GET.
//
// # Imports
//
// Nothing of this module.
package signing
