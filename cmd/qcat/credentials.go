package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"qcat/api/client"
)

// serverFlag names the server that a command talks to, and says who asks.
type serverFlag struct {
	Addr   string `help:"Address of the server; https://HOST:PORT for one that speaks TLS." default:"127.0.0.1:8082"`
	TLSCA  string `name:"tls-ca" help:"Certificate (PEM) that the server's is signed by, where this machine does not know it." placeholder:"FILE"`
	Token  string `help:"Access token of a session." placeholder:"TOKEN"`
	Key    string `help:"Id of an API key." env:"QCAT_API_KEY" placeholder:"ID"`
	Secret string `help:"Secret of --key; others on this machine see what stands on a command line." env:"QCAT_API_SECRET" placeholder:"SECRET"`
	User   string `help:"Log in as this user for the command; the password is asked for, or read from QCAT_PASSWORD." placeholder:"NAME"`
}

// proves reports whether the command says who asks.
func (f *serverFlag) proves() bool { return f.Token != "" || f.Key != "" || f.User != "" }

// auth is how the command proves who asks, nil when nobody does.
func (f *serverFlag) auth(e *env) (client.Auth, error) {
	given := 0
	for _, v := range []string{f.Token, f.Key, f.User} {
		if v != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, badSetting("token, key, user", "one of them is enough")
	case f.Key != "" && f.Secret == "":
		return nil, badSetting("secret", "the secret of the key is missing")
	case f.Key != "":
		return client.HMACKey(f.Key, f.Secret), nil
	case f.Token != "":
		return client.Tokens(f.Token, ""), nil
	case f.User == "":
		return nil, nil
	}
	secret := environment(passwordEnv)
	if secret == "" {
		var err error
		if secret, err = askHidden(e, "Password of "+f.User+": "); err != nil {
			return nil, err
		}
	}
	return client.Login(f.User, secret), nil
}

// server is the address, and how its certificate is checked if it speaks TLS.
func (f *serverFlag) server() (addr string, secure *tls.Config, err error) {
	addr, isTLS := strings.CutPrefix(f.Addr, "https://")
	if _, port, err := net.SplitHostPort(strings.TrimPrefix(addr, "http://")); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", nil, badSetting("addr", "%q is no HOST:PORT", f.Addr)
		}
	}
	if !isTLS {
		return strings.TrimPrefix(addr, "http://"), nil, nil
	}
	secure = &tls.Config{MinVersion: tls.VersionTLS12}
	if f.TLSCA != "" {
		raw, err := os.ReadFile(f.TLSCA)
		if err != nil {
			return "", nil, badSetting("tls-ca", "%v", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(raw) {
			return "", nil, badSetting("tls-ca", "%s holds no certificate", f.TLSCA)
		}
	}
	return addr, secure, nil
}

// request asks the server once. A session that the command began ends with it.
func (f *serverFlag) request(e *env, method, path string, body, out any) error {
	h, done, err := f.http(e)
	if err != nil {
		return err
	}
	defer done()
	err = h.Call(method, path, body, out)
	var r *client.Refusal
	if errors.As(err, &r) {
		err = r // a login's too: what was asked for does not matter
	}
	return f.refused(err)
}

// http returns a client of the server.
func (f *serverFlag) http(e *env) (h *client.HTTP, done func(), err error) {
	auth, err := f.auth(e)
	if err != nil {
		return nil, nil, err
	}
	addr, secure, err := f.server()
	if err != nil {
		return nil, nil, err
	}
	h = client.NewHTTPWith(addr, client.HTTPOptions{Auth: auth, TLS: secure})
	return h, func() {
		if f.User != "" {
			_ = h.Logout() // the session ends by itself, too
		}
		h.Close()
	}, nil
}

// options are those of a WebSocket.
func (f *serverFlag) options(e *env) (addr string, o client.Options, err error) {
	if o.Auth, err = f.auth(e); err != nil {
		return "", o, err
	}
	addr, o.TLS, err = f.server()
	return addr, o, err
}

// signalFile is the way to halt that needs neither a network nor a name.
const signalFile = "On the server's own machine the signal file halts without the network, and asks nobody: touch KILL in its data directory"

// refused adds to an error what to do about it: to a refusal of nobody how to be somebody, and
// where nobody answers which server was meant.
func (f *serverFlag) refused(err error) error {
	var r *client.Refusal
	var dial *net.OpError
	switch {
	case errors.As(err, &r):
		if r.Status != http.StatusUnauthorized && r.Code != "auth.required" || f.proves() {
			return err // over a WebSocket there is the code alone
		}
		return fmt.Errorf("%w\nSay who asks: --user NAME, --key and --secret, or --token (QCAT_USER and QCAT_PASSWORD, QCAT_API_KEY and QCAT_API_SECRET, QCAT_TOKEN).\n%s", err, signalFile)
	case errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Errorf("no server at %s (is `qcat serve` running? --addr names another): %w", f.Addr, dial)
	}
	return err
}

// by is who does it, for a server that asks nobody; one that does knows, and takes no other
// name.
func (f *serverFlag) by(named string) (string, error) {
	if named != "" || f.proves() {
		return named, nil
	}
	return person("")
}
