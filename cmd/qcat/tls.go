package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// certificateLook is how often the files of the certificate are looked at.
const certificateLook = time.Second

// certificate is the server's, read anew when its files change or the process gets a
// SIGHUP. A pair that cannot be used is told and leaves the one before it. run is one
// goroutine; the others may be called from any.
type certificate struct {
	certFile, keyFile string
	log               *zap.Logger

	now      atomic.Pointer[tls.Certificate]
	failures atomic.Uint64
	seen     [2][]byte // the files, as they were read last
}

// openCertificate reads the pair.
func openCertificate(certFile, keyFile string, log *zap.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if _, err := c.read(); err != nil {
		return nil, badSetting("tls-cert, tls-key", "%v", err)
	}
	return c, nil
}

// read reads the files and takes them over if they changed.
func (c *certificate) read() (changed bool, err error) {
	var files [2][]byte
	for i, name := range []string{c.certFile, c.keyFile} {
		if files[i], err = os.ReadFile(name); err != nil {
			return false, err
		}
	}
	if bytes.Equal(files[0], c.seen[0]) && bytes.Equal(files[1], c.seen[1]) {
		return false, nil
	}
	c.seen = files
	pair, err := tls.X509KeyPair(files[0], files[1])
	if err != nil {
		return false, err
	}
	if left := time.Until(pair.Leaf.NotAfter); left <= 0 {
		return false, fmt.Errorf("the certificate of %s expired at %s", pair.Leaf.Subject, pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	c.now.Store(&pair)
	return true, nil
}

// run looks at the files until ctx is done.
func (c *certificate) run(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	tick := time.NewTicker(certificateLook)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			c.seen, told = [2][]byte{}, ""
		case <-tick.C:
		}
		changed, err := c.read()
		switch {
		case err != nil && err.Error() != told:
			told = err.Error()
			c.failures.Add(1)
			c.log.Error("the new TLS certificate cannot be used: the one before it stays", zap.Error(err))
		case changed:
			told = ""
			c.log.Info("the TLS certificate is taken over", zap.Time("expires", c.now.Load().Leaf.NotAfter))
		}
	}
}

// left is for how long the certificate is good.
func (c *certificate) left() time.Duration { return time.Until(c.now.Load().Leaf.NotAfter) }

// listener wraps one of TCP.
func (c *certificate) listener(ln net.Listener) net.Listener {
	return &secureListener{Listener: ln, config: &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.now.Load(), nil },
	}}
}

// secureListener makes TLS connections of those that a listener takes.
type secureListener struct {
	net.Listener
	config *tls.Config
}

// Accept implements net.Listener.
func (l *secureListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &secureConn{Conn: tls.Server(nc, l.config)}, nil
}

// secureConn is a TLS connection whose end waits for nobody: that of tls.Conn waits for
// seconds until a client that reads nothing has been told of it.
type secureConn struct{ *tls.Conn }

// goodbye bounds how long a client may take to be told of the end.
const goodbye = 100 * time.Millisecond

// Close implements net.Conn.
func (c *secureConn) Close() error {
	late := time.AfterFunc(goodbye, func() { _ = c.NetConn().Close() }) // its own close tells
	defer late.Stop()
	return c.Conn.Close()
}
