// Package origin decides which web pages may call the server: HTTP and the
// WebSocket handshake ask the same question. It imports nothing of this module.
package origin

import (
	"net/url"
	"slices"
	"strings"
)

// Allowed reports whether a page of the given Origin header may call a server
// that was addressed as host: it is the server's own page, or on the list.
func Allowed(list []string, origin, host string) bool {
	if slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
