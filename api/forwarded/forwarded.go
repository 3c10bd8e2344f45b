package forwarded

import (
	"bytes"
	"net/netip"
)

// Proxies are the networks of those whose headers are believed. IPv4 prefixes hold for
// addresses that are mapped into IPv6, too.
type Proxies []netip.Prefix

// Trust reports whether an address is a proxy's.
func (p Proxies) Trust(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// maxHops bounds how much of a header is read.
const maxHops = 16

// Client returns the address of the client whose request came from peer. list is
// X-Forwarded-For and header is Forwarded (RFC 7239); several headers of one name are
// given joined with commas, in their order. A request with both is judged by X-Forwarded-For
// alone: most proxies write that one, and hand on a Forwarded as the client sent it. One
// that writes Forwarded must remove the other. An entry that is no address ends the
// reading: the proxy that wrote it is then the client. Commas divide inside quotes as well: a quote that the client opened must not
// reach what a proxy appended, and no address has a comma. It allocates nothing when peer is not trusted.
func (p Proxies) Client(peer netip.Addr, list, header []byte) netip.Addr {
	peer = peer.Unmap()
	if !p.Trust(peer) {
		return peer
	}
	read := plain
	if len(list) == 0 {
		list, read = header, element
	}
	for range maxHops {
		if len(list) == 0 {
			return peer
		}
		entry := list
		if at := bytes.LastIndexByte(list, ','); at >= 0 {
			list, entry = list[:at], list[at+1:]
		} else {
			list = nil
		}
		a, ok := read(entry)
		if !ok {
			return peer
		}
		if peer = a; !p.Trust(a) {
			return a
		}
	}
	return peer
}

// plain reads an entry of X-Forwarded-For.
func plain(b []byte) (netip.Addr, bool) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > 64 {
		return netip.Addr{}, false
	}
	text := string(b)
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	if n := len(text); text[0] == '[' && text[n-1] == ']' {
		if a, err := netip.ParseAddr(text[1 : n-1]); err == nil && a.Is6() {
			return a.Unmap().WithZone(""), true
		}
	}
	return netip.Addr{}, false
}

// element reads the "for" of an element of Forwarded. An element with two of them is none.
func element(b []byte) (a netip.Addr, ok bool) {
	for pair := range bytes.SplitSeq(b, []byte(";")) {
		name, value, _ := bytes.Cut(pair, []byte("="))
		if !bytes.EqualFold(bytes.TrimSpace(name), []byte("for")) {
			continue
		}
		if ok {
			return netip.Addr{}, false
		}
		value = bytes.TrimSpace(value)
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		if a, ok = plain(value); !ok {
			return a, false
		}
	}
	return a, ok
}
