package auth

import (
	"net/netip"
	"sync/atomic"

	"qcat/api/limit"
	"qcat/core/identity"
)

// Principal is who acts: a user who logged in, an API key, a command. It is small and
// handed on by value. The zero value is nobody and may nothing.
type Principal struct {
	g       *grant
	Address netip.Addr // where from; invalid: from here
	Via     string     // "http", "ws", "cli": as the audit log is to say
}

// grant is what all requests of one session, or of one key, have in common. It never
// changes: when rights change it ends, and there is another.
type grant struct {
	user        identity.UserID
	name        string
	role        identity.Role
	epoch       int64
	permissions identity.Permission
	scope       identity.Scope  // the user's
	keyScope    *identity.Scope // of the key, nil without one
	key         string
	session     string
	limit       limit.Key
	hands       []string              // others who may act as this one
	ended       atomic.Pointer[Error] // why; nil while it is alive
	done        chan struct{}
}

// end ends the grant, once.
func (g *grant) end(why *Error) {
	if g != nil && g.ended.CompareAndSwap(nil, why) {
		close(g.done)
	}
}

// everything may whatever there is.
func everything(name string, role identity.Role) *grant {
	return &grant{
		name: name, role: role, permissions: identity.Admin.Permissions(), scope: identity.Scope{All: true},
		limit: limit.Text('u', name), done: make(chan struct{}),
	}
}

// Demo is who everybody is where nobody logs in.
func Demo() Principal { return Principal{g: everything("demo", identity.Admin)} }

// System is the process itself, or a command, which whoever may read the master key and the
// database runs: it may everything.
func System(name, via string) Principal { return Principal{g: everything(name, 0), Via: via} }

// Alive reports whether what the principal was given still holds. A socket asks with each
// message, or waits for Done.
func (p Principal) Alive() bool { return p.g != nil && p.g.ended.Load() == nil }

// Ended is why the principal ended, nil while it is alive, auth.required for nobody.
func (p Principal) Ended() error {
	if p.g == nil {
		return ErrRequired
	}
	if why := p.g.ended.Load(); why != nil {
		return why
	}
	return nil
}

// Done is closed when the principal ends; nil for nobody.
func (p Principal) Done() <-chan struct{} {
	if p.g == nil {
		return nil
	}
	return p.g.done
}

// Can reports whether a principal that is alive has all of these permissions.
func (p Principal) Can(want identity.Permission) bool {
	return p.Alive() && p.g.permissions.Has(want)
}

// CanAccount reports whether a whole account is in the scope of the user, and of the key.
func (p Principal) CanAccount(account string) bool {
	return p.Alive() && p.g.scope.Account(account) && (p.g.keyScope == nil || p.g.keyScope.Account(account))
}

// CanStrategy reports whether a strategy is; an empty one comes with the whole account.
func (p Principal) CanStrategy(account, strategy string) bool {
	return p.Alive() && p.g.scope.Strategy(account, strategy) && (p.g.keyScope == nil || p.g.keyScope.Strategy(account, strategy))
}

// Touches reports whether something of an account may be in the scope: what it is,
// CanStrategy tells one by one.
func (p Principal) Touches(account string) bool {
	return p.Alive() && p.g.scope.Touches(account) && (p.g.keyScope == nil || p.g.keyScope.Touches(account))
}

// CanAll reports whether every account there is and will be is in the scope.
func (p Principal) CanAll() bool {
	return p.Alive() && p.g.scope.All && (p.g.keyScope == nil || p.g.keyScope.All)
}

// Covers reports whether all of s is in the scope.
func (p Principal) Covers(s *identity.Scope) bool {
	return p.Alive() && s.Within(&p.g.scope) && (p.g.keyScope == nil || s.Within(p.g.keyScope))
}

// Require says what a principal lacks, nil if it is alive and has these permissions.
// Errors: ErrRequired, ErrForbidden, why it ended.
func (p Principal) Require(want identity.Permission) error {
	if err := p.Ended(); err != nil {
		return err
	}
	if !p.g.permissions.Has(want) {
		return ErrForbidden
	}
	return nil
}

// User is the id of the user, 0 for a command and nobody.
func (p Principal) User() identity.UserID {
	if p.g == nil {
		return 0
	}
	return p.g.user
}

// Name is the user's, or the command's; "" for nobody.
func (p Principal) Name() string {
	if p.g == nil {
		return ""
	}
	return p.g.name
}

// Role is the user's, 0 for a command and nobody.
func (p Principal) Role() identity.Role {
	if p.g == nil {
		return 0
	}
	return p.g.role
}

// Permissions are those that the user and the key have, dead or alive.
func (p Principal) Permissions() identity.Permission {
	if p.g == nil {
		return 0
	}
	return p.g.permissions
}

// Key is the id of the API key, "" without one.
func (p Principal) Key() string {
	if p.g == nil {
		return ""
	}
	return p.g.key
}

// Session is the id of the session, "" without one.
func (p Principal) Session() string {
	if p.g == nil {
		return ""
	}
	return p.g.session
}

// Limit is by what the principal's requests are counted: the key, or the user in all sessions.
func (p Principal) Limit() limit.Key {
	if p.g == nil {
		return 0
	}
	return p.g.limit
}

// With is the principal as it acts over a transport.
func (p Principal) With(via string) Principal {
	p.Via = via
	return p
}
