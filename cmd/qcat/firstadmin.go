package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.uber.org/zap"

	"qcat/api/auth"
)

// firstAdmin is the administrator that the environment names, for where nobody can run a
// command.
type firstAdmin struct{ name, password string }

// takeFirstAdmin reads the variables and removes them from the process's environment: they
// are read once.
func takeFirstAdmin() firstAdmin {
	a := firstAdmin{environment(adminUserEnv), environment(adminPasswordEnv)}
	_ = os.Unsetenv(adminUserEnv) // a name without "=" can always be unset
	_ = os.Unsetenv(adminPasswordEnv)
	return a
}

// create makes the administrator where there is no user at all.
func (a *firstAdmin) create(ctx context.Context, s *auth.Service, log *zap.Logger) error {
	clear := a.password
	a.password = ""
	users, err := s.Store.Users(ctx)
	if err != nil {
		return err
	}
	switch {
	case len(users) > 0:
		return nil
	case a.name == "" && clear == "":
		log.Warn("there is no user yet: nobody can log in until there is one (qcat create-user NAME --admin)")
		return nil
	case a.name == "" || clear == "":
		return badSetting(adminUserEnv+", "+adminPasswordEnv, "one of them alone names nobody")
	}
	u, err := s.FirstAdmin(ctx, auth.System("system", "cli"), a.name, clear)
	if errors.Is(err, auth.ErrExists) {
		return nil // another server was faster
	}
	if err != nil {
		return badSetting(adminUserEnv+", "+adminPasswordEnv, "%v", explained(err))
	}
	log.Info(fmt.Sprintf("the first administrator is %s", u.Name))
	return nil
}
