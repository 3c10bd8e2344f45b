package origin

import "testing"

func TestAllowed(t *testing.T) {
	list := []string{"https://desk.example.com"}
	for _, c := range []struct {
		origin, host string
		want         bool
	}{
		{"http://127.0.0.1:8082", "127.0.0.1:8082", true},
		{"http://localhost:8082", "127.0.0.1:8082", false},
		{"HTTPS://DESK.example.com", "127.0.0.1:8082", true},
		{"https://desk.example.com.evil.org", "127.0.0.1:8082", false},
		{"http://127.0.0.1:8083", "127.0.0.1:8082", false},
		{"null", "127.0.0.1:8082", false},
		{"", "127.0.0.1:8082", false},
		{"http://%zz", "127.0.0.1:8082", false},
	} {
		if got := Allowed(list, c.origin, c.host); got != c.want {
			t.Errorf("Allowed(%q, %q) = %v", c.origin, c.host, got)
		}
	}
}
