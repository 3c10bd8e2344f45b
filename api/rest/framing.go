package rest

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"qcat/api/wire"
)

// framed reports whether each line of a head, as it came, ends in CR LF, and none goes on in
// the next. fasthttp reads others too, and so do some proxies, but not all alike: where one
// sees a header that another does not, a request of one client ends within that of the next.
func framed(head []byte) bool {
	if len(head) > 0 && (head[0] == ' ' || head[0] == '\t') {
		return false
	}
	for i := 0; ; {
		n := bytes.IndexByte(head[i:], '\n')
		if n < 0 {
			return true
		}
		i += n + 1
		if n == 0 || head[i-2] != '\r' || i < len(head) && (head[i] == ' ' || head[i] == '\t') {
			return false
		}
	}
}

// unframed answers a request whose head is not framed, and ends its connection: where the
// next one begins, nobody can tell.
func unframed(c exchange) {
	problem(c, &wire.Problem{Status: fasthttp.StatusBadRequest, Code: codeMalformed, Title: "Not a valid HTTP request",
		Detail: "each line of the header has to end in CR LF, and none may be folded"})
	c.SetConnectionClose()
}
