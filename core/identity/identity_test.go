package identity

import (
	"errors"
	"strings"
	"testing"
)

func TestRolesGrant(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		role Role
		want string
	}{{0, "none"}, {Viewer, "read"}, {Trader, "read,trade"}, {Risk, "read,risk"}, {Admin, "read,trade,risk,admin"}, {Admin + 1, "none"}} {
		if got := tt.role.Permissions().String(); got != tt.want {
			t.Errorf("%v may %s, want %s", tt.role, got, tt.want)
		}
	}
	if Trader.Permissions().Has(Control) || Risk.Permissions().Has(Trade) {
		t.Error("a trader changes limits, or a risk officer trades")
	}
}

func TestRoleAndPermissionNames(t *testing.T) {
	t.Parallel()
	for r := Viewer; r <= Admin; r++ {
		if got, err := ParseRole(r.String()); got != r || err != nil {
			t.Errorf("%v: %v, %v", r, got, err)
		}
	}
	for _, name := range []string{"", "none", "root", "Admin"} {
		if _, err := ParseRole(name); !errors.Is(err, ErrRole) {
			t.Errorf("%q is a role: %v", name, err)
		}
	}
	if p, err := ParsePermissions("trade"); p != Read|Trade || err != nil {
		t.Errorf("trade: %v, %v", p, err)
	}
	for _, list := range []string{"", "read,", "all", "none"} {
		if p, err := ParsePermissions(list); !errors.Is(err, ErrPermission) {
			t.Errorf("%q: %v, %v", list, p, err)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	s, err := ParseScope("desk1, desk2/alpha,desk1")
	if err != nil || s.String() != "desk1,desk2/alpha" {
		t.Fatalf("%v, %v", s.String(), err)
	}
	for _, tt := range []struct {
		account, strategy        string
		whole, strategyIn, touch bool
	}{
		{"desk1", "any", true, true, true},
		{"desk1", "", true, true, true},
		{"desk2", "alpha", false, true, true},
		{"desk2", "beta", false, false, true},
		{"desk2", "", false, false, true},
		{"desk", "2/alpha", false, false, false},
		{"desk3", "alpha", false, false, false},
		{"", "", false, false, false},
	} {
		if s.Account(tt.account) != tt.whole || s.Strategy(tt.account, tt.strategy) != tt.strategyIn || s.Touches(tt.account) != tt.touch {
			t.Errorf("%s/%s: %v %v %v", tt.account, tt.strategy, s.Account(tt.account), s.Strategy(tt.account, tt.strategy), s.Touches(tt.account))
		}
	}
	for _, bad := range []string{"a b", "desk1,", "/alpha", "desk/", "desk/a/b", "*,desk", strings.Repeat("x", 65)} {
		if _, err := ParseScope(bad); !errors.Is(err, ErrScope) {
			t.Errorf("%q is a scope: %v", bad, err)
		}
	}
}

func TestScopeWithin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		inner, outer string
		want         bool
	}{
		{"*", "*", true}, {"*", "desk1", false}, {"desk1", "*", true}, {"-", "-", true},
		{"desk1/alpha", "desk1", true}, {"desk1", "desk1/alpha", false}, {"desk1/beta", "desk1/alpha,desk2", false},
	} {
		inner, _ := ParseScope(tt.inner)
		outer, _ := ParseScope(tt.outer)
		if got := inner.Within(&outer); got != tt.want {
			t.Errorf("%s within %s: %v", tt.inner, tt.outer, got)
		}
	}
}
