// Package spectest holds what was said over HTTP and the WebSocket against the
// documents of api/spec. Tests alone use it.
//
//	spectest.Check(t, &spectest.Exchange{Method: "GET", Target: "/health", …})
//	nc = spectest.Watch(t, nc) // everything a client says and hears on it
//
// # What is checked
//
// Of an exchange: that the document knows its path and method, the status, the headers
// that the answer must have, its media type, and every field of its body. A field that
// the document does not name is an error here, although clients are to expect new ones.
// Of a request that was carried out, the query and the body too: what the server takes,
// the document must allow. A request that was refused says nothing of the document.
//
// Of a WebSocket: every request that was answered well, every answer, held against the
// operation that the request of its id was about, and every frame of a channel.
//
// # Imports
//
// Of this module api/spec. santhosh-tekuri/jsonschema validates.
package spectest
