package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"qcat/api/auth"
	"qcat/core"
	"qcat/core/identity"
)

// scopeList is a scope as it is written on the command line.
type scopeList struct{ identity.Scope }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *scopeList) UnmarshalText(text []byte) (err error) {
	s.Scope, err = identity.ParseScope(string(text))
	return err
}

// userRow is a user as commands show it.
type userRow struct {
	ID        identity.UserID `json:"id"`
	Name      string          `json:"name"`
	Role      string          `json:"role"`
	Scope     string          `json:"scope"`
	Disabled  bool            `json:"disabled"`
	Password  bool            `json:"password"` // there is one
	LockedTo  core.Nanos      `json:"locked_to"`
	LastLogin core.Nanos      `json:"last_login"`
	Created   core.Nanos      `json:"created"`
	Changed   core.Nanos      `json:"changed"`
}

func rowOfUser(u *identity.User) userRow {
	return userRow{u.ID, u.Name, u.Role.String(), u.Scope.String(), u.Disabled, u.Password != "", u.LockedTo, u.LastLogin, u.Created, u.Changed}
}

// tellUser prints a user after a change.
func tellUser(e *env, asJSON bool, u *identity.User, what string) error {
	if asJSON {
		return printJSON(e, rowOfUser(u))
	}
	_, err := fmt.Fprintf(e.stdout, "user %s %s: role %s, scope %s\n", u.Name, what, u.Role, u.Scope.String())
	return err
}

// at is a moment for a person, with what to say of none.
func at(t core.Nanos, none string) string {
	if t == 0 {
		return none
	}
	return time.Unix(0, int64(t)).UTC().Format(time.RFC3339)
}

type createUserCmd struct {
	actorFlags `embed:""`
	Name       string        `arg:"" help:"Name: letters, digits, and . _ - @ after the first."`
	Role       identity.Role `help:"viewer, trader, risk or admin." placeholder:"ROLE" xor:"role" required:""`
	Admin      bool          `help:"The role admin." xor:"role" required:"" env:"-"`
	Scope      *scopeList    `help:"Accounts and strategies, such as demo,desk2/alpha; * for all there are and will be, - for none. Default: * for an admin, - for others." placeholder:"LIST"`
	JSON       bool          `name:"json" help:"Print the user as JSON."`
}

// Run implements the command.
func (c *createUserCmd) Run(e *env) error {
	n := auth.NewUser{Name: c.Name, Role: c.Role}
	if c.Admin {
		n.Role = identity.Admin
	}
	if c.Scope != nil {
		n.Scope = c.Scope.Scope
	} else if n.Role == identity.Admin {
		n.Scope = identity.Scope{All: true}
	}
	if err := identity.CheckName(n.Name); err != nil {
		return badSetting("name", "%v", err)
	}
	var err error
	if n.Password, err = newPassword(e, n.Name); err != nil {
		return err
	}
	return c.administerIn(e, c.begin, func(ctx context.Context, s *auth.Service, by auth.Principal) error {
		u, err := s.CreateUser(ctx, by, n)
		if err != nil {
			return err
		}
		return tellUser(e, c.JSON, &u, "is created")
	})
}

type listUsersCmd struct {
	identityFlags `embed:""`
	JSON          bool `name:"json" help:"Print a JSON array."`
}

// Run implements the command.
func (c *listUsersCmd) Run(e *env) error {
	in, err := c.look(e.ctx)
	if err != nil {
		return err
	}
	defer in.close()
	users, err := in.store.Users(e.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		rows := make([]userRow, len(users))
		for i := range users {
			rows[i] = rowOfUser(&users[i])
		}
		return printJSON(e, rows)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tROLE\tSCOPE\tSTATE\tLAST LOGIN\tCREATED")
	for i := range users {
		u := &users[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", u.Name, u.Role, u.Scope.String(), userState(u, time.Now()), at(u.LastLogin, "never"), at(u.Created, "-"))
	}
	return w.Flush()
}

// userState says in words whether somebody can log in.
func userState(u *identity.User, now time.Time) string {
	switch {
	case u.Disabled:
		return "disabled"
	case int64(u.LockedTo) > now.UnixNano():
		return "locked to " + at(u.LockedTo, "")
	case u.Password == "":
		return "no password"
	}
	return "active"
}

// userName is the argument of commands on one user.
type userName struct {
	actorFlags `embed:""`
	Name       string `arg:"" help:"Name of the user."`
	JSON       bool   `name:"json" help:"Print the user as JSON."`
}

// change makes one change and tells it.
func (c *userName) change(e *env, to auth.UserChange, what string) error {
	return c.administer(e, func(ctx context.Context, s *auth.Service, by auth.Principal) error {
		u, err := s.ChangeUser(ctx, by, c.Name, to)
		if err != nil {
			return err
		}
		return tellUser(e, c.JSON, &u, what)
	})
}

type disableUserCmd struct {
	userName `embed:""`
}

// Run implements the command.
func (c *disableUserCmd) Run(e *env) error {
	yes := true
	return c.change(e, auth.UserChange{Disabled: &yes}, "is disabled")
}

type enableUserCmd struct {
	userName `embed:""`
}

// Run implements the command.
func (c *enableUserCmd) Run(e *env) error {
	no := false
	return c.change(e, auth.UserChange{Disabled: &no}, "is enabled")
}

type unlockUserCmd struct {
	userName `embed:""`
}

// Run implements the command.
func (c *unlockUserCmd) Run(e *env) error {
	return c.administer(e, func(ctx context.Context, s *auth.Service, by auth.Principal) error {
		u, err := s.UnlockUser(ctx, by, c.Name)
		if err != nil {
			return err
		}
		return tellUser(e, c.JSON, &u, "is unlocked")
	})
}

type changeUserCmd struct {
	userName `embed:""`
	Role     *identity.Role `help:"viewer, trader, risk or admin." placeholder:"ROLE"`
	Scope    *scopeList     `help:"Accounts and strategies, such as demo,desk2/alpha; * for all, - for none." placeholder:"LIST"`
	Password bool           `help:"Give a new password: asked for at the terminal, or read from QCAT_PASSWORD." env:"-"`
}

// Run implements the command.
func (c *changeUserCmd) Run(e *env) error {
	to := auth.UserChange{Role: c.Role}
	if c.Scope != nil {
		to.Scope = &c.Scope.Scope
	}
	if c.Password {
		next, err := newPassword(e, c.Name)
		if err != nil {
			return err
		}
		to.Password = &next
	}
	if to == (auth.UserChange{}) {
		return badSetting("change-user", "say what: --role, --scope or --password")
	}
	return c.change(e, to, "is changed")
}

type logoutUserCmd struct {
	actorFlags `embed:""`
	Name       string `arg:"" help:"Name of the user."`
}

// Run implements the command.
func (c *logoutUserCmd) Run(e *env) error {
	return c.administer(e, func(ctx context.Context, s *auth.Service, by auth.Principal) error {
		if err := s.LogoutAll(ctx, by, c.Name); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "user %s is logged out everywhere\n", c.Name)
		return err
	})
}
