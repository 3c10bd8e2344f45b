package rest

import "testing"

func TestFramed(t *testing.T) {
	for head, want := range map[string]bool{
		"":                        true,
		"Host: x\r\n\r\n":         true,
		"A: b\r\nHost: x\r\n\r\n": true,
		"A: \r\nB: c\r\n\r\n":     true,
		"Host: x\n\r\n":           false,
		"Host: x\r\n\n":           false,
		"Host: x\n\n":             false,
		"A: b\nB: c\r\n\r\n":      false,
		"A: b\r\n c\r\n\r\n":      false,
		"A: b\r\n\tc\r\n\r\n":     false,
		" A: b\r\n\r\n":           false,
		"\n":                      false,
		"\r\n":                    true,
	} {
		if got := framed([]byte(head)); got != want {
			t.Errorf("%q: %v", head, got)
		}
	}
}
