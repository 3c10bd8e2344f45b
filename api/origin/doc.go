// Package origin decides which web pages may call the server: HTTP and the
// WebSocket handshake ask the same question.
//
// A browser sends along whose page is asking (Origin) and under which name it
// reached the server (Host). A page may call when it is the server's own, or on
// the operator's list. A name that only the outside world's DNS knows is not the
// server's own, unless it is on the list: otherwise a page of evil.example, whose
// DNS answers 127.0.0.1 a second later, would be the server's own page.
//
// Functions here keep nothing and may be called from any goroutine. The package
// imports nothing of this module.
package origin
