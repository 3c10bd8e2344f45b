package identity

import (
	"fmt"
	"slices"
	"strings"
)

// Scope is which accounts and strategies somebody may see and act on. The zero value
// is none. Names need not exist yet.
type Scope struct {
	// All is every account there is and will be: the firm's own business, such as its
	// limits, is in such a scope alone.
	All bool `json:"all,omitempty"`
	// Accounts are whole accounts, every strategy in them and what belongs to none.
	Accounts []string `json:"accounts,omitempty"`
	// Strategies are single ones, each "account/strategy".
	Strategies []string `json:"strategies,omitempty"`
}

// maxScope bounds the entries of a scope: it is looked at with each request.
const maxScope = 256

// Account reports whether the whole account is in the scope.
func (s *Scope) Account(name string) bool {
	return s.All || slices.Contains(s.Accounts, name)
}

// Strategy reports whether a strategy of an account is in the scope. An empty
// strategy is what belongs to none, and comes with the whole account only.
func (s *Scope) Strategy(account, strategy string) bool {
	if s.Account(account) {
		return true
	}
	if strategy == "" {
		return false
	}
	for _, in := range s.Strategies {
		if len(in) == len(account)+1+len(strategy) && in[:len(account)] == account && in[len(account)] == '/' && in[len(account)+1:] == strategy {
			return true
		}
	}
	return false
}

// Touches reports whether anything of the account is in the scope.
func (s *Scope) Touches(account string) bool {
	if s.Account(account) {
		return true
	}
	for _, in := range s.Strategies {
		if len(in) > len(account) && in[:len(account)] == account && in[len(account)] == '/' {
			return true
		}
	}
	return false
}

// Within reports whether all of s is in other: a key has no more than its owner.
func (s *Scope) Within(other *Scope) bool {
	if other.All {
		return true
	}
	if s.All {
		return false
	}
	for _, a := range s.Accounts {
		if !other.Account(a) {
			return false
		}
	}
	for _, in := range s.Strategies {
		account, strategy, _ := strings.Cut(in, "/")
		if !other.Strategy(account, strategy) {
			return false
		}
	}
	return true
}

// String lists the scope as ParseScope reads it: "*", or accounts and
// account/strategy with commas between; "-" for none.
func (s *Scope) String() string {
	switch {
	case s.All:
		return "*"
	case len(s.Accounts)+len(s.Strategies) == 0:
		return "-"
	}
	return strings.Join(slices.Concat(s.Accounts, s.Strategies), ",")
}

// ParseScope reads "*", "-" (none) or a list such as "desk1,desk2/alpha". Errors:
// ErrScope.
func ParseScope(list string) (s Scope, err error) {
	switch list {
	case "*":
		return Scope{All: true}, nil
	case "", "-":
		return Scope{}, nil
	}
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		account, strategy, both := strings.Cut(entry, "/")
		switch {
		case CheckName(account) != nil || (both && CheckName(strategy) != nil):
			return Scope{}, fmt.Errorf("%w: %q: want *, account or account/strategy", ErrScope, entry)
		case both:
			s.Strategies = append(s.Strategies, entry)
		default:
			s.Accounts = append(s.Accounts, entry)
		}
	}
	slices.Sort(s.Accounts)
	slices.Sort(s.Strategies)
	s.Accounts, s.Strategies = slices.Compact(s.Accounts), slices.Compact(s.Strategies)
	if len(s.Accounts)+len(s.Strategies) > maxScope {
		return Scope{}, fmt.Errorf("%w: it has more than %d entries", ErrScope, maxScope)
	}
	return s, nil
}

// maxName is the longest name of a user, an account or a strategy in a scope.
const maxName = 64

// CheckName reports whether a text can name a user: letters, digits, and . _ - @
// after the first. Errors: ErrName.
func CheckName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("%w: %q: want 1 to %d characters", ErrName, name, maxName)
	}
	for i := range len(name) {
		c := name[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || !strings.ContainsRune("._-@", rune(c))) {
			return fmt.Errorf("%w: %q: want letters, digits, and . _ - @ after the first", ErrName, name)
		}
	}
	return nil
}
