package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"qcat/api/client"
	"qcat/core"
	"qcat/core/identity"
)

// signingKey is one that signs nothing any more.
func signingKey(id string, sealed identity.Sealed) *identity.SigningKey {
	return &identity.SigningKey{ID: id, Secret: sealed, Created: core.SystemClock().Now()}
}

// writePair writes a certificate for loopback that signs itself, and its key.
func writePair(t *testing.T, certFile, keyFile string, serial int64, life time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "qcat"},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(life), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	cert, err := x509.CreateCertificate(crand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600),
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
	); err != nil {
		t.Fatal(err)
	}
}

// serialOf is that of the certificate a server shows.
func serialOf(t *testing.T, addr string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // what it shows is what is asked
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// TestTLS serves by TLS, over both transports, takes a new certificate over without a
// restart and keeps the one it has when the new one cannot be used.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir(), detect: true}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	writePair(t, cert, key, 1, time.Hour)
	s.run(0, "", "create-user", "adam", "--admin")
	k := s.key("k", "--user", "adam", "--permissions", "read,trade")
	p := s.serve("--tls-cert", cert, "--tls-key", key)
	if serial := serialOf(t, p.addr); serial != 1 {
		t.Fatalf("serial %d", serial)
	}
	if _, err := tls.Dial("tcp", p.addr, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil { //nolint:gosec // it must not go
		t.Error("TLS 1.1 is spoken")
	}
	s.run(0, "demo", "accounts", "--addr", "https://"+p.addr, "--tls-ca", cert, "--user", "adam")
	roots := x509.NewCertPool()
	pemBytes, err := os.ReadFile(cert)
	if err != nil || !roots.AppendCertsFromPEM(pemBytes) {
		t.Fatal(err)
	}
	secure := &tls.Config{RootCAs: roots}
	var conn *client.Conn
	eventually(t, "a key is taken", func() bool { // not in the server's first second
		conn, err = client.Dial(t.Context(), p.addr, client.Options{Auth: client.HMACKey(k.ID, k.Secret), TLS: secure})
		return err == nil
	})
	defer conn.Close()
	quotes := follow[struct{ BP string }](t, conn, "bbo:"+btc)
	eventually(t, "quotes by TLS", func() bool { return len(quotes.all()) > 0 })

	writePair(t, cert, key, 2, time.Hour)
	eventually(t, "the new certificate", func() bool { return serialOf(t, p.addr) == 2 })
	if err := os.WriteFile(key, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the bad key is told", func() bool {
		return p.logged("the new TLS certificate cannot be used: the one before it stays").Level == "ERROR"
	})
	if serial := serialOf(t, p.addr); serial != 2 {
		t.Errorf("serial %d after a bad key", serial)
	}
}

// TestTLSSettings: a pair that cannot be used does not start.
func TestTLSSettings(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir()}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	s.run(2, "no such file", "serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
	writePair(t, cert, key, 1, -time.Hour)
	s.run(2, "expired", "serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
}

// TestSecureConnEndsAtOnce: a client that reads nothing does not hold up the end of its
// connection. A busy machine may: of three ends one is soon enough.
func TestSecureConnEndsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	writePair(t, cert, key, 1, time.Hour)
	c, err := openCertificate(cert, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	fastest := time.Hour
	for range 3 {
		near := unread(t, c)
		began := time.Now()
		_ = near.Close() // the client is not there to be told
		fastest = min(fastest, time.Since(began))
	}
	if fastest > 2*time.Second { // of the standard library's own five
		t.Errorf("the end took %v", fastest)
	}
}

// unread is a connection whose socket takes no more, as its client reads nothing.
func unread(t *testing.T, c *certificate) *secureConn {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := c.listener(inner)
	t.Cleanup(func() { _ = ln.Close() })
	far, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	shaken := make(chan error, 1)
	go func() { shaken <- tls.Client(far, &tls.Config{InsecureSkipVerify: true}).Handshake() }() //nolint:gosec // as above
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(near.(*secureConn).Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	raw := near.(*secureConn).NetConn()
	for full := make([]byte, 1<<20); ; { // until the socket takes no more
		if err := raw.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Write(full); err != nil {
			break
		}
	}
	return near.(*secureConn)
}
