package main

import (
	"context"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"qcat/api/forwarded"
	"qcat/api/limit"
)

// accessFlags say who reaches the server, and how often.
type accessFlags struct {
	TLSCert        string         `name:"tls-cert" help:"Certificate chain (PEM): the server speaks TLS, 1.2 at least. Read anew when it changes." placeholder:"FILE"`
	TLSKey         string         `name:"tls-key" help:"Private key of --tls-cert (PEM)." placeholder:"FILE"`
	TrustedProxies []netip.Prefix `help:"Networks of the proxies whose word on a client's address (X-Forwarded-For, Forwarded) is taken." sep:";" placeholder:"CIDR"`
	ScrapeFrom     []netip.Prefix `help:"Networks that may read /metrics beside this machine and the proxies, such as that of Prometheus." sep:";" placeholder:"CIDR"`
	InsecureListen bool           `help:"Listen beyond loopback without TLS and without a proxy: tokens and passwords cross the network in the clear."`

	RequestRate float64 `help:"Requests a second of one API key or user, in the mean; 0: no bound." default:"2000"`
	AddressRate float64 `help:"Requests a second of one address; 0: no bound." default:"5000"`
	CancelRate  float64 `help:"Cancels and kills a second of one API key or user, which count for nothing else; 0: no bound." default:"10000"`
}

// checkAccess refuses to be reached in a way that nobody can have meant.
func (c *serveCmd) checkAccess() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return badSetting("tls-cert, tls-key", "a certificate and its key come together")
	}
	if c.RequestRate < 0 || c.AddressRate < 0 || c.CancelRate < 0 {
		return badSetting("request-rate, address-rate, cancel-rate", "none can be negative")
	}
	if c.Demo {
		return loopback("listen", c.Listen, "a demo asks nobody who they are, so whoever reaches it may trade and halt; leave --demo away, and create a user (qcat create-user NAME --admin)")
	}
	if err := noPlaceholders(c.DatabaseURL, c.RedisURL); err != nil {
		return err
	}
	if c.TLSCert != "" || len(c.TrustedProxies) > 0 || c.InsecureListen {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			return badSetting("listen", "%q is not host:port", c.Listen)
		}
		return nil
	}
	return loopback("listen", c.Listen, "passwords and tokens would cross the network in the clear; give --tls-cert and --tls-key, or name the proxy in front with --trusted-proxies, or say --insecure-listen")
}

// burstTime is for how long somebody who was quiet may ask at twice the rate.
const burstTime = 2 * time.Second

// limiters are those of requests by key or user, by address, and of what only reduces risk.
func (f *accessFlags) limiters() (clients, addresses, cancels *limit.Limiter) {
	of := func(rate float64) *limit.Limiter {
		if rate == 0 {
			return nil
		}
		return limit.NewLimiter(limit.Rate{PerSecond: rate, Burst: max(1, int(rate*burstTime.Seconds()))})
	}
	return of(f.RequestRate), of(f.AddressRate), of(f.CancelRate)
}

// certificate reads the certificate, nil when there is to be none.
func (f *accessFlags) certificate(log *zap.Logger) (*certificate, error) {
	if f.TLSCert == "" {
		return nil, nil
	}
	return openCertificate(f.TLSCert, f.TLSKey, log.Named("tls"))
}

// mayScrape says who gets metrics while the server starts: whoever is on this machine, the
// proxies, and who is to.
func (c *serveCmd) mayScrape(from net.Addr) bool {
	tcp, ok := from.(*net.TCPAddr)
	if !ok {
		return false
	}
	a := tcp.AddrPort().Addr().Unmap()
	return c.Demo || a.IsLoopback() || forwarded.Proxies(c.TrustedProxies).Trust(a) || forwarded.Proxies(c.ScrapeFrom).Trust(a)
}

// secure wraps the listener in TLS, if there is a certificate.
func (s *server) secure(ln net.Listener) net.Listener {
	if s.certificate == nil {
		return ln
	}
	return s.certificate.listener(ln)
}

// guards are what runs beside the server to guard it.
func (s *server) guards() (run []func(context.Context)) {
	if s.certificate != nil {
		run = append(run, s.certificate.run)
	}
	if s.guard != nil {
		run = append(run, s.guard.directory.Run, func(ctx context.Context) { s.guard.run(ctx, s) })
	}
	return run
}
