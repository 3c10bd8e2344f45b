package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/api/metrics"
)

// watchFlags name certificates that are not this server's own.
type watchFlags struct {
	WatchCertificates []string `help:"PEM files whose certificates' end is told on /metrics, such as those of a proxy." sep:";" placeholder:"FILE"`
}

// watchedCertificate is a PEM file of somebody else's. left may be called from any
// goroutine.
type watchedCertificate struct {
	path string
	log  *zap.Logger

	mu     sync.Mutex
	seen   fs.FileInfo // as it was read last; nil: never
	ends   time.Time   // of the certificate in it that ends first
	failed string      // why it could not be read; "" when it could
}

// watchCertificates puts the end of each file that is named on /metrics.
func (s *server) watchCertificates(r *metrics.Registry) {
	for _, path := range s.cfg.WatchCertificates {
		w := &watchedCertificate{path: path, log: s.log}
		r.Gauge("qcat_tls_file_expiry_seconds", "Seconds until the certificate that ends first of a PEM file ends; 0: the file cannot be read.",
			metrics.Labels{"file": path}, func() float64 { return w.left(time.Now()).Seconds() })
	}
}

// left is for how long all certificates of the file are good; 0 while it cannot be read,
// so that who waits for their end is told.
func (w *watchedCertificate) left(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.look(); err != nil {
		if err.Error() != w.failed {
			w.failed = err.Error()
			w.log.Error("a certificate that is watched cannot be read", zap.Error(err))
		}
		return 0
	}
	w.failed = ""
	return w.ends.Sub(now)
}

// look reads the file if it changed.
func (w *watchedCertificate) look() error {
	st, err := os.Stat(w.path)
	if err != nil {
		return err
	}
	if w.seen != nil && os.SameFile(st, w.seen) && st.ModTime().Equal(w.seen.ModTime()) && st.Size() == w.seen.Size() {
		return nil
	}
	raw, err := os.ReadFile(w.path)
	if err != nil {
		return err
	}
	if w.ends, err = endOf(raw); err != nil {
		return fmt.Errorf("%s: %w", w.path, err)
	}
	w.seen = st
	return nil
}

// endOf is when the first of the certificates of a PEM text ends. What else is in it, such
// as a key, is not looked at.
func endOf(text []byte) (ends time.Time, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return ends, err
		}
		if ends.IsZero() || c.NotAfter.Before(ends) {
			ends = c.NotAfter
		}
	}
	if ends.IsZero() {
		return ends, errors.New("there is no certificate in it")
	}
	return ends, nil
}
