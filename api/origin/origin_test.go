package origin

import "testing"

var list = []string{"https://desk.example.com", "http://desk.example.com:8443"}

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		origin, host string
		want         bool
	}{
		{"http://127.0.0.1:8082", "127.0.0.1:8082", true},
		{"http://localhost:8082", "localhost:8082", true},
		{"http://LOCALHOST:8082", "localhost:8082", true},
		{"http://[::1]:8082", "[::1]:8082", true},
		{"http://localhost:8082", "127.0.0.1:8082", false},
		{"https://desk.example.com", "127.0.0.1:8082", true},
		{"HTTPS://DESK.example.com", "127.0.0.1:8082", true},
		{"http://desk.example.com:8443", "qcat:8082", true},
		{"https://desk.example.com.evil.example", "127.0.0.1:8082", false},
		{"https://evil.example", "desk.example.com", false},
		{"http://127.0.0.1:8083", "127.0.0.1:8082", false},
		// The name was made to point here: neither page nor name is the server's own.
		{"http://evil.example:8082", "evil.example:8082", false},
		{"http://127.0.0.1.evil.example", "127.0.0.1.evil.example", false},
		{"null", "127.0.0.1:8082", false},
		{"null", "null", false},
		{"file://", "", false},
		{"", "127.0.0.1:8082", false},
		{"", "", false},
		{"http://%zz", "127.0.0.1:8082", false},
	} {
		if got := Allowed(list, c.origin, c.host); got != c.want {
			t.Errorf("Allowed(%q, %q) = %v", c.origin, c.host, got)
		}
	}
}

func TestAddressed(t *testing.T) {
	for _, c := range []struct {
		host string
		want bool
	}{
		{"", true},
		{"127.0.0.1", true},
		{"127.0.0.1:8082", true},
		{"10.0.0.1:80", true},
		{"[::1]:8082", true},
		{"localhost:8082", true},
		{"qcat:8082", true},
		{"desk.example.com", true},
		{"Desk.Example.Com:8443", true},
		{"desk.example.com:1", false},
		{"evil.example", false},
		{"evil.example:8082", false},
		{"127.0.0.1.evil.example", false},
		{"1.2.3", false},
		{"1.2.3.4.5", false},
		{"localhost.", false},
		{"evil.example:8082:[", false},
	} {
		if got := Addressed(list, c.host); got != c.want {
			t.Errorf("Addressed(%q) = %v", c.host, got)
		}
		if n := testing.AllocsPerRun(10, func() { Addressed(list, c.host) }); n != 0 {
			t.Errorf("Addressed(%q): %v allocations", c.host, n)
		}
	}
}

// FuzzAllowed holds that nothing but the list or an equal host lets a page in.
func FuzzAllowed(f *testing.F) {
	f.Add("http://127.0.0.1:8082", "127.0.0.1:8082")
	f.Add("http://evil.example", "evil.example")
	f.Add("null", "")
	f.Fuzz(func(t *testing.T, origin, host string) {
		if Allowed(nil, origin, host) && (host == "" || !Addressed(nil, host)) {
			t.Errorf("a page of %q was let in to %q", origin, host)
		}
	})
}
