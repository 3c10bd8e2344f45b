// Package frame reads WebSocket frames (RFC 6455, section 5), as a server gets them
// from clients and a client from its server, and builds the masked ones that a
// client sends.
//
//	byte 0: FIN RSV1 RSV2 RSV3 opcode(4)
//	byte 1: MASK length(7), then 0, 2 or 8 bytes of length, then 0 or 4 of mask
//
// One read of the source takes as much as the buffer has room for, which may be many
// frames; a message that came in one frame is handed out where it lies. Extensions
// are not known: whoever makes the handshake negotiates none.
//
//	r := frame.NewReader(conn, frame.Config{Limit: 1 << 20, Small: 4096, Large: 4096, Keep: 4096}, nil)
//	for {
//		m, err := r.Next() // text, binary and control frames, in order
//		…
//	}
//
// # Imports
//
// frame imports nothing else of this module.
package frame
