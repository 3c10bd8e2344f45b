package origin

import (
	"net/url"
	"slices"
	"strings"
)

// Allowed reports whether a page of the given Origin header may call a server
// that was addressed as host, the Host header: it is the server's own page, or on
// the list, whose entries are written as the header is, "https://desk.example.com".
func Allowed(list []string, origin, host string) bool {
	if slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host) && Addressed(list, host)
}

// Addressed reports whether host, a Host header, names this server: an IP
// address, a name without a dot (localhost, a container's), nothing at all, or
// the host of an entry of the list. It allocates nothing.
func Addressed(list []string, host string) bool {
	if local(host) {
		return true
	}
	for _, o := range list {
		if _, named, ok := strings.Cut(o, "://"); ok && strings.EqualFold(named, host) {
			return true
		}
	}
	return false
}

// local reports whether no public name server can have been asked for host.
func local(host string) bool {
	if strings.HasPrefix(host, "[") { // IPv6
		return true
	}
	name, _, _ := strings.Cut(host, ":")
	dots, digits := 0, 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			dots++
		case c >= '0' && c <= '9':
			digits++
		}
	}
	// A top-level domain is never all digits: this is an IPv4 address.
	return dots == 0 || dots == 3 && dots+digits == len(name)
}
