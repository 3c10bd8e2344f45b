package main

import (
	"fmt"
	"time"

	"qcat/api/auth"
	"qcat/api/limit"
	"qcat/api/metrics"
	"qcat/api/rest"
)

// guardComponents are what /health asks after of users, keys and the audit log. Neither is
// ever down: whoever is known trades on, and can halt.
func (s *server) guardComponents() []rest.Component {
	if s.guard == nil {
		return nil
	}
	return []rest.Component{{Name: "identity", Check: s.guard.health}, {Name: "audit", Check: s.guard.auditHealth}}
}

// silence is from when on identities that cannot be read count as degraded.
const silence = 2 * time.Second

func (g *guard) health() (rest.Status, string) {
	if why := g.failure.Load(); why != nil {
		return rest.Degraded, "not open: " + *why
	}
	switch silent := g.directory.Silent(); {
	case silent > auth.MaxSilence:
		return rest.Degraded, fmt.Sprintf("users and keys cannot be read for %v: those known go on, nobody logs in", silent.Round(time.Second))
	case silent > silence:
		return rest.Degraded, fmt.Sprintf("users and keys cannot be read for %v", silent.Round(time.Second))
	case g.directory.Empty():
		return rest.OK, "there is no user yet: qcat create-user NAME --admin"
	}
	return rest.OK, ""
}

func (g *guard) auditHealth() (rest.Status, string) {
	v := g.opened.Load()
	if v == nil {
		return rest.Degraded, "not open"
	}
	if err := v.log.Alarm(); err != nil {
		return rest.Degraded, "not anchored: " + err.Error()
	}
	if why := g.ledger.trouble.Load(); why != nil {
		return rest.Degraded, *why
	}
	return rest.OK, ""
}

// registerGuard puts identities, rate limits and the certificate on /metrics.
func (s *server) registerGuard(r *metrics.Registry, limiters map[string]*limit.Limiter) {
	if c := s.certificate; c != nil {
		r.Gauge("qcat_tls_certificate_expiry_seconds", "Seconds until the TLS certificate expires.", nil, func() float64 { return c.left().Seconds() })
		r.Counter("qcat_tls_certificate_failures_total", "New TLS certificates that could not be used.", nil, c.failures.Load)
	}
	g := s.guard
	if g == nil {
		return
	}
	for name, l := range limiters {
		if l != nil {
			r.Counter("qcat_rate_limited_total", "Requests and messages refused for coming too often.", metrics.Labels{"by": name}, l.Refused)
		}
	}
	r.Counter("qcat_logins_total", "Logins.", metrics.Labels{"outcome": "ok"}, g.ledger.loginsOK.Load)
	r.Counter("qcat_logins_total", "Logins.", metrics.Labels{"outcome": "failed"}, g.ledger.loginsFailed.Load)
	r.Gauge("qcat_sessions", "Sessions that are open.", nil, func() float64 { _, n := g.directory.Counts(); return float64(n) })
	r.Gauge("qcat_api_keys", "API keys that are good.", nil, func() float64 { n, _ := g.directory.Counts(); return float64(n) })
	r.Gauge("qcat_identity_silence_seconds", "Time since users and keys could be read.", nil, func() float64 { return g.directory.Silent().Seconds() })
	r.Counter("qcat_audit_entries_total", "Entries written to the audit log that somebody waited for.", nil, g.ledger.entries.Load)
	r.Counter("qcat_audit_failures_total", "Entries that could not be written to the audit log.", nil, g.ledger.failures.Load)
	r.Counter("qcat_audit_lost_total", "Entries that found no room in the queue of the audit log.", nil, func() uint64 { return uint64(g.recorder.Lost()) })
	r.Gauge("qcat_audit_lag_seconds", "Time since the audit log was brought up to date with the journal and anchored.", nil,
		func() float64 { return g.ledger.lag().Seconds() })
}
