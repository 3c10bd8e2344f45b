package redis

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/history"
)

// Quotes is where the latest quotes are. core/market's QuoteTable is one.
type Quotes interface {
	Load(id core.InstrumentID, q *core.Quote) bool
}

// Config is what a Cache works with.
type Config struct {
	// URL is redis://[user:password@]host[:port][/database], rediss:// for TLS.
	URL string
	// Prefix begins every key. Default "qcat:".
	Prefix string
	// Directory has the names, and the instruments whose quotes are shown.
	Directory *core.Directory
	Quotes    Quotes
	// Positions appends all positions to dst; nil when there are none to show. It
	// is called on Run's goroutine, once an interval.
	Positions func(dst []history.Position) []history.Position

	Interval time.Duration // between two writes; default 100 ms
	Timeout  time.Duration // of connecting and of one write; default 1 s
	Clock    core.Clock    // dates what is written; core.SystemClock
	Log      *zap.Logger   // Redis gone and back; may be nil
}

// Defaults of Config.
const (
	DefaultPrefix   = "qcat:"
	DefaultInterval = 100 * time.Millisecond
	DefaultTimeout  = time.Second
)

// ErrConfig is wrapped by the errors of New.
var ErrConfig = errors.New("redis: settings")

func (c *Config) setDefaults() {
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	if c.Interval <= 0 {
		c.Interval = DefaultInterval
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Clock == nil {
		c.Clock = core.SystemClock()
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
}

// option turns the settings into the client's. What is wrong with a URL is not
// told word for word: it may hold a password.
func (c *Config) option() (rueidis.ClientOption, error) {
	opt, err := rueidis.ParseURL(c.URL)
	if err != nil || len(opt.InitAddress) == 0 {
		return opt, fmt.Errorf("%w: the URL is not redis://[user:password@]host[:port][/database]", ErrConfig)
	}
	opt.ClientName = "qcat"
	opt.DisableCache = true
	opt.DisableRetry = true // a write that failed is followed by all values, not by itself
	opt.ForceSingleClient = true
	opt.PipelineMultiplex = -1 // one connection
	opt.Dialer.Timeout = c.Timeout
	opt.ConnWriteTimeout = c.Timeout
	return opt, nil
}

// URLFromEnv makes the URL of REDIS_URL or else of REDIS_HOST, REDIS_PORT (6379)
// and REDIS_PASSWORD. It is "" when neither is set: no Redis is wanted.
func URLFromEnv(getenv func(string) string) string {
	if u := getenv("REDIS_URL"); u != "" {
		return u
	}
	host := getenv("REDIS_HOST")
	if host == "" {
		return ""
	}
	port := getenv("REDIS_PORT")
	if port == "" {
		port = "6379"
	}
	u := url.URL{Scheme: "redis", Host: net.JoinHostPort(strings.Trim(host, "[]"), port)}
	if password := getenv("REDIS_PASSWORD"); password != "" {
		u.User = url.UserPassword("", password)
	}
	return u.String()
}
