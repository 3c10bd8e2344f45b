package forwarded

import (
	"bytes"
	"net/netip"
	"testing"
)

var proxies = Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}

func TestClient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, peer, list, header, want string
	}{
		{"no proxy", "192.0.2.1", "", "", "192.0.2.1"},
		{"a client that lies to us", "192.0.2.1", "127.0.0.1", "for=127.0.0.1", "192.0.2.1"},
		{"one proxy", "10.0.0.1", "192.0.2.1", "", "192.0.2.1"},
		{"two proxies", "10.0.0.1", "192.0.2.1, 10.9.9.9", "", "192.0.2.1"},
		{"a client that lies to the proxy", "10.0.0.1", "127.0.0.1, 198.51.100.7, 192.0.2.1", "", "192.0.2.1"},
		{"a client that says it is a proxy", "10.0.0.1", "10.0.0.5, 192.0.2.1", "", "192.0.2.1"},
		{"inside the proxies' network", "10.0.0.1", "10.0.0.5", "", "10.0.0.5"},
		{"a proxy that says nothing", "10.0.0.1", "", "", "10.0.0.1"},
		{"mapped peer", "::ffff:10.0.0.1", "192.0.2.1", "", "192.0.2.1"},
		{"mapped client", "10.0.0.1", "::ffff:192.0.2.1", "", "192.0.2.1"},
		{"mapped proxy", "10.0.0.1", "192.0.2.1, ::ffff:10.0.0.2", "", "192.0.2.1"},
		{"port", "10.0.0.1", "192.0.2.1:4711", "", "192.0.2.1"},
		{"IPv6", "2001:db8:1::1", "2001:db8:2::1", "", "2001:db8:2::1"},
		{"IPv6, port", "10.0.0.1", "[2001:db8:2::1]:4711", "", "2001:db8:2::1"},
		{"IPv6, brackets", "10.0.0.1", "[2001:db8:2::1]", "", "2001:db8:2::1"},
		{"zone", "10.0.0.1", "fe80::1%eth0", "", "fe80::1"},
		{"rubbish", "10.0.0.1", "192.0.2.1, unknown", "", "10.0.0.1"},
		{"rubbish behind a proxy", "10.0.0.1", "192.0.2.1, x, 10.0.0.7", "", "10.0.0.7"},
		{"empty entry", "10.0.0.1", "192.0.2.1,", "", "10.0.0.1"},
		{"only a comma", "10.0.0.1", ",", "", "10.0.0.1"},
		{"Forwarded", "10.0.0.1", "", "for=192.0.2.1;proto=https;by=10.0.0.1", "192.0.2.1"},
		{"Forwarded, quoted", "10.0.0.1", "", `proto=https; For="[2001:db8:2::1]:4711"`, "2001:db8:2::1"},
		{"Forwarded, list", "10.0.0.1", "", `for=127.0.0.1, for=192.0.2.1, for="10.0.0.2:80"`, "192.0.2.1"},
		{"a client that sends the header that the proxy does not write", "10.0.0.1", "192.0.2.1", "for=127.0.0.1", "192.0.2.1"},
		{"and one that says nothing", "10.0.0.1", "192.0.2.1", "proto=https", "192.0.2.1"},
		{"Forwarded, hidden", "10.0.0.1", "", "for=192.0.2.1, for=_secret", "10.0.0.1"},
		{"Forwarded, two", "10.0.0.1", "", "for=192.0.2.1;for=127.0.0.1", "10.0.0.1"},
		{"Forwarded, comma in quotes", "10.0.0.1", "", `for="192.0.2.1, for=127.0.0.1"`, "10.0.0.1"},
		{"Forwarded, none", "10.0.0.1", "", "proto=https", "10.0.0.1"},
	} {
		got := proxies.Client(netip.MustParseAddr(tt.peer), []byte(tt.list), []byte(tt.header))
		if got.String() != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestClientBehindTooManyProxies(t *testing.T) {
	t.Parallel()
	list := []byte("192.0.2.1")
	for range 2 * maxHops {
		list = append(list, ", 10.0.0.2"...)
	}
	if got := proxies.Client(netip.MustParseAddr("10.0.0.1"), list, nil); got.String() != "10.0.0.2" {
		t.Errorf("%s", got)
	}
}

func TestNoAllocationsWithoutProxy(t *testing.T) {
	peer, list := netip.MustParseAddr("192.0.2.1"), []byte("127.0.0.1")
	if n := testing.AllocsPerRun(100, func() { proxies.Client(peer, list, nil) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// FuzzClient: a client that is not a proxy cannot choose what it is taken for, whatever it
// sends, when one honest proxy appends its address.
func FuzzClient(f *testing.F) {
	f.Add([]byte("127.0.0.1, 10.0.0.3"))
	f.Add([]byte(`for="10.0.0.3`))
	f.Fuzz(func(t *testing.T, sent []byte) {
		proxy, client := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.1")
		if got := proxies.Client(proxy, append(bytes.Clone(sent), ", 192.0.2.1"...), nil); got != client {
			t.Fatalf("%q makes it %s", sent, got)
		}
		if got := proxies.Client(proxy, []byte("192.0.2.1"), sent); got != client {
			t.Fatalf("%q beside the proxy's header makes it %s", sent, got)
		}
		if got := proxies.Client(proxy, nil, append(bytes.Clone(sent), ", for=192.0.2.1"...)); got != client {
			t.Fatalf("%q makes it %s", sent, got)
		}
	})
}
