package backup

import (
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
)

// errURL does not say what is wrong: the parser's error may quote the password.
var errURL = errors.New("backup: the database's URL is not valid: want postgres://user:password@host:port/database")

// ourParameters are those of pgx, which libpq refuses.
var ourParameters = []string{"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity"}

// forPrograms returns how Postgres's programs are told of a database: a URL without
// the password, which everybody on the machine could read in the list of processes,
// and an environment with it.
func forPrograms(databaseURL string) (plain string, env []string, err error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return "", nil, errURL
	}
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", nil, errURL
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	q.Del("password")
	for name := range q {
		if strings.HasPrefix(name, "pool_") {
			q.Del(name)
		}
	}
	for _, name := range ourParameters {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	env = append(os.Environ(), "PGPASSWORD="+config.Password, "PGAPPNAME=qcat-backup", "PGCONNECT_TIMEOUT=10", "PGCLIENTENCODING=UTF8")
	return u.String(), env, nil
}
