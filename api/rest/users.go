package rest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/core"
	"qcat/core/identity"
)

// userJSON is a user as it is shown: without what a password could be guessed from.
type userJSON struct {
	ID        identity.UserID `json:"id"`
	Name      string          `json:"name"`
	Role      string          `json:"role"`
	Scope     identity.Scope  `json:"scope"`
	Disabled  bool            `json:"disabled"`
	LockedTo  core.Nanos      `json:"locked_to,omitempty"`
	LastLogin core.Nanos      `json:"last_login,omitempty"`
	Created   core.Nanos      `json:"created"`
	Changed   core.Nanos      `json:"changed"`
}

func showUser(u *identity.User) userJSON {
	return userJSON{u.ID, u.Name, u.Role.String(), u.Scope, u.Disabled, u.LockedTo, u.LastLogin, u.Created, u.Changed}
}

// answerJSON sends what encoding/json makes of v.
func (s *Server) answerJSON(c exchange, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // of plain structs: the answer is a 500
	}
	secret(c, status, body)
}

// users lists the users that the caller administers; to others, themselves.
func (s *Server) users(c exchange) {
	if q := s.query(c); !q.ok {
		return
	}
	all, ok := s.seenUsers(c)
	if !ok {
		return
	}
	shown := make([]userJSON, len(all))
	for i := range all {
		shown[i] = showUser(&all[i])
	}
	s.answerJSON(c, fasthttp.StatusOK, shown)
}

// seenUsers are the users that the caller is shown, or an answer why there are none.
func (s *Server) seenUsers(c exchange) ([]identity.User, bool) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return nil, false
	}
	defer cancel()
	all, err := s.cfg.Service.Users(ctx, c.who)
	if err != nil {
		s.turnAway(c, err)
		return nil, false
	}
	return all, true
}

// user answers with one user.
func (s *Server) user(c exchange) {
	if !strings.EqualFold(c.tail, c.who.Name()) && !c.who.Can(identity.Administer) {
		s.turnAway(c, auth.ErrForbidden)
		return
	}
	all, ok := s.seenUsers(c)
	if !ok {
		return
	}
	i := slices.IndexFunc(all, func(u identity.User) bool { return strings.EqualFold(u.Name, c.tail) })
	if i < 0 {
		s.turnAway(c, auth.ErrNotFound)
		return
	}
	s.answerJSON(c, fasthttp.StatusOK, showUser(&all[i]))
}

// scopeBody reads a scope.
type scopeBody struct{ identity.Scope }

func (b *scopeBody) members() []member {
	return []member{{name: "all", into: &b.All}, {name: "accounts", into: &b.Accounts}, {name: "strategies", into: &b.Strategies}}
}

// scope is what was read, checked as it is when a command reads it, or an answer what is wrong. A scope
// of all that names some beside it says two things.
func (s *Server) scope(c exchange, b *scopeBody) (identity.Scope, bool) {
	if b.All && len(b.Accounts)+len(b.Strategies) > 0 {
		s.turnAway(c, auth.ErrValue.Saying("scope: all, and some of them beside it"))
		return identity.Scope{}, false
	}
	wrong := slices.ContainsFunc(b.Accounts, func(a string) bool { return strings.ContainsAny(a, "/,*") }) ||
		slices.ContainsFunc(b.Strategies, func(st string) bool { return !strings.Contains(st, "/") || strings.Contains(st, ",") })
	if wrong {
		s.turnAway(c, auth.ErrValue.Saying("scope: accounts are names, and strategies account/strategy"))
		return identity.Scope{}, false
	}
	parsed, err := identity.ParseScope(b.String())
	if err != nil {
		s.turnAway(c, err)
		return identity.Scope{}, false
	}
	return parsed, true
}

// createUser creates a user: 201.
func (s *Server) createUser(c exchange) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	var n auth.NewUser
	var within scopeBody
	if !object(c, []member{{name: "name", into: &n.Name, needed: true}, {name: "role", into: &n.Role, needed: true},
		{name: "scope", into: &within}, {name: "password", into: &n.Password}}) {
		return
	}
	if n.Scope, ok = s.scope(c, &within); !ok {
		return
	}
	u, err := s.cfg.Service.CreateUser(ctx, c.who, n)
	s.answerUser(c, fasthttp.StatusCreated, &u, err)
}

func (s *Server) answerUser(c exchange, status int, u *identity.User, err error) {
	if err != nil {
		s.turnAway(c, err)
		return
	}
	s.answerJSON(c, status, showUser(u))
}

// changeUser changes what the body names of a user: 200.
func (s *Server) changeUser(c exchange) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	var role identity.Role
	var within scopeBody
	var clear string
	var disabled bool
	members := []member{{name: "role", into: &role}, {name: "scope", into: &within}, {name: "password", into: &clear}, {name: "disabled", into: &disabled}}
	if !object(c, members) {
		return
	}
	var change auth.UserChange
	if members[0].given {
		change.Role = &role
	}
	if members[1].given {
		parsed, ok := s.scope(c, &within)
		if !ok {
			return
		}
		change.Scope = &parsed
	}
	if members[2].given {
		change.Password = &clear
	}
	if members[3].given {
		change.Disabled = &disabled
	}
	if change == (auth.UserChange{}) {
		s.turnAway(c, auth.ErrValue.Saying("nothing to change: name role, scope, password or disabled"))
		return
	}
	u, err := s.cfg.Service.ChangeUser(ctx, c.who, c.tail, change)
	s.answerUser(c, fasthttp.StatusOK, &u, err)
}
