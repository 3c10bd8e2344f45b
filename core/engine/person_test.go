package engine

import (
	"testing"

	"qcat/core/record"
)

func TestWhoIsWho(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{{"anna", "anna", true}, {"anna", "ANNA", true}, {"anna", " anna\t", true}, {"anna", "bert", false}, {"anna", "ann a", false}} {
		a, b := record.MakeText(c.a), record.MakeText(c.b)
		if samePerson(&a, &b) != c.same || samePerson(&b, &a) != c.same {
			t.Errorf("%q and %q: want the same person: %v", c.a, c.b, c.same)
		}
	}
	for name, want := range map[string]bool{"": true, "  ": true, "anna": false} {
		if n := record.MakeText(name); isNobody(&n) != want {
			t.Errorf("%q is nobody: want %v", name, want)
		}
	}
}
