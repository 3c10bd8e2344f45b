package identity

import (
	"errors"
	"fmt"
	"strings"
)

// Role is what a user is to the firm. The zero value is none and may nothing.
type Role uint8

const (
	Viewer Role = iota + 1 // sees what is in its scope
	Trader                 // and sends orders there; never changes a limit
	Risk                   // halts, changes limits, moves money, cancels there; sends no orders
	Admin                  // all of it, and users, keys, audit log
)

// Permission is a set of what may be done.
type Permission uint8

const (
	Read       Permission = 1 << iota // market data, and what belongs to the scope
	Trade                             // orders: send, amend, cancel, count down
	Control                           // halt, reduce, resume; limits; money; cancels
	Administer                        // users, API keys, the audit log
)

// Errors that the parsers wrap.
var (
	ErrRole       = errors.New("unknown role")
	ErrPermission = errors.New("unknown permission")
	ErrName       = errors.New("not a name")
	ErrScope      = errors.New("not a scope")
)

var roleNames = [...]string{"none", "viewer", "trader", "risk", "admin"}

// granted is by role.
var granted = [...]Permission{0, Read, Read | Trade, Read | Control, Read | Trade | Control | Administer}

// String returns the name that ParseRole reads.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "unknown"
}

// Permissions is what the role may do within its scope.
func (r Role) Permissions() Permission {
	if int(r) < len(granted) {
		return granted[r]
	}
	return 0
}

// ParseRole reads "viewer", "trader", "risk" or "admin". Errors: ErrRole.
func ParseRole(name string) (Role, error) {
	for i, n := range roleNames {
		if i > 0 && n == name {
			return Role(i), nil
		}
	}
	return 0, fmt.Errorf("%w %q: want viewer, trader, risk or admin", ErrRole, name)
}

// MarshalText implements encoding.TextMarshaler.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Errors: ErrRole.
func (r *Role) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRole(string(b))
	return err
}

// permissionNames are those an API key is given by.
var permissionNames = [...]string{"read", "trade", "risk", "admin"}

// Has reports whether all of want is in p.
func (p Permission) Has(want Permission) bool { return p&want == want }

// String lists the names, with commas between; "none" for the empty set.
func (p Permission) String() string {
	var names []string
	for i, n := range permissionNames {
		if p&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ",")
}

// ParsePermissions reads names with commas between: "read,trade". Whatever is there,
// reading is. Errors: ErrPermission.
func ParsePermissions(list string) (p Permission, err error) {
next:
	for name := range strings.SplitSeq(list, ",") {
		for i, n := range permissionNames {
			if n == strings.TrimSpace(name) {
				p |= 1<<i | Read
				continue next
			}
		}
		return 0, fmt.Errorf("%w %q: want some of read, trade, risk, admin", ErrPermission, name)
	}
	return p, nil
}

// MarshalText implements encoding.TextMarshaler.
func (p Permission) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Errors: ErrPermission.
func (p *Permission) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePermissions(string(b))
	return err
}
