package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/zap"

	"qcat/core"
)

// Config says where the database is and how patient to be. Zero fields have defaults.
type Config struct {
	URL string // postgres://user:password@host:port/database?…

	// Directory gives the scales of instruments whose definition is not in the
	// database yet. Tools that only read rows have none.
	Directory *core.Directory

	// SlowQuery is the time above which a query is logged as "slow query"; 0 for never.
	SlowQuery time.Duration
	Log       *zap.Logger

	ReadConns      int           // of all readers together; default 4
	ConnectTimeout time.Duration // default 5 s
	WriteTimeout   time.Duration // of one batch, from BEGIN to COMMIT's answer; default 30 s
	ReadTimeout    time.Duration // of one question; default 10 s
}

func (c Config) withDefaults() Config {
	c.ReadConns = cmp.Or(c.ReadConns, 4)
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 30*time.Second)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, 10*time.Second)
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c
}

// URLFromEnv returns DATABASE_URL, or what DB_HOST, DB_PORT, DB_NAME, DB_USER and
// DB_PASSWORD say (localhost, 5432, qcat, qcat and none unless given), or "" when none
// of them is set. DB_HOST may be the directory of a Unix socket.
func URLFromEnv(getenv func(string) string) string {
	if u := getenv("DATABASE_URL"); u != "" {
		return u
	}
	host, port, name, user, password := getenv("DB_HOST"), getenv("DB_PORT"), getenv("DB_NAME"), getenv("DB_USER"), getenv("DB_PASSWORD")
	if cmp.Or(host, port, name, user, password) == "" {
		return ""
	}
	host, port = cmp.Or(host, "localhost"), cmp.Or(port, "5432")
	u := url.URL{Scheme: "postgres", User: url.User(cmp.Or(user, "qcat")), Path: "/" + cmp.Or(name, "qcat")}
	if password != "" {
		u.User = url.UserPassword(u.User.Username(), password)
	}
	if host[0] == '/' {
		u.RawQuery = url.Values{"host": {host}, "port": {port}}.Encode()
	} else {
		u.Host = net.JoinHostPort(host, port)
	}
	return u.String()
}

// OpenDB connects to a database for persist/migrate, without the deadlines of a store: a
// migration may take its time. The caller closes it.
func OpenDB(ctx context.Context, url string) (*sql.DB, error) {
	db, err := NewDB(url)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: %w", err), db.Close())
	}
	return db, nil
}

// NewDB is OpenDB of a database that may be away: it connects when it is first used.
// Errors: ErrURL.
func NewDB(url string) (*sql.DB, error) {
	c := Config{URL: url}.withDefaults()
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, ErrURL
	}
	c.connection(&config.Config)
	return stdlib.OpenDB(*config), nil
}

// ErrURL is of a URL that no waiting makes valid. It does not say what is wrong: the
// parser's error may quote the password.
var ErrURL = errors.New("postgres: the database's URL is not valid: want postgres://user:password@host:port/database")

// How a peer that is gone is found, by the client and by the server. A transaction whose
// owner is silent ends after WriteTimeout: it would hold the position's row.
const (
	userTimeout = 20 * time.Second // unacknowledged data ends a connection
	keepIdle    = 10 * time.Second
	keepEvery   = 5 * time.Second
	keepProbes  = 2
)

// connection sets what all connections have in common.
func (c *Config) connection(config *pgconn.Config) {
	config.ConnectTimeout = c.ConnectTimeout
	dialer := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepIdle, Interval: keepEvery, Count: keepProbes},
		Control:         controlSocket,
	}
	config.DialFunc = dialer.DialContext
	set := config.RuntimeParams
	set["application_name"] = "qcat"
	set["timezone"] = "UTC"
	set["idle_in_transaction_session_timeout"] = milliseconds(c.WriteTimeout)
	set["tcp_user_timeout"] = milliseconds(userTimeout)
	set["tcp_keepalives_idle"] = strconv.Itoa(int(keepIdle / time.Second))
	set["tcp_keepalives_interval"] = strconv.Itoa(int(keepEvery / time.Second))
	set["tcp_keepalives_count"] = strconv.Itoa(keepProbes)
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// statementTimeout is a little less than what the client waits, so that the server
// says why before the client hangs up.
func statementTimeout(client time.Duration) string { return milliseconds(client - client/10) }

// writeConfig is that of a stream's own connection.
func (c *Config) writeConfig() (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig(c.URL)
	if err != nil {
		return nil, ErrURL
	}
	c.connection(config)
	config.RuntimeParams["statement_timeout"] = statementTimeout(c.WriteTimeout)
	config.RuntimeParams["lock_timeout"] = statementTimeout(c.WriteTimeout / 2)
	return config, nil
}

// readPool is the pool of all readers, made of database/sql's. It connects when it is
// needed.
func (c *Config) readPool() (*sql.DB, error) {
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, ErrURL
	}
	c.connection(&config.Config)
	config.RuntimeParams["statement_timeout"] = statementTimeout(c.ReadTimeout)
	config.RuntimeParams["default_transaction_read_only"] = "on"
	config.RuntimeParams["jit"] = "off" // it compiles for longer than a page takes
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(c.ReadConns)
	pool.SetMaxIdleConns(c.ReadConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour)
	return pool, nil
}
