package feed

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
)

// acceptGUID is what a server puts behind the key before it hashes it (RFC 6455, 1.3).
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// handshake connects to a ws or wss address, by the proxy that the environment
// names, and makes the opening handshake of RFC 6455, section 4. It returns the
// connection and what to read from, which begins with what came right behind the
// server's answer. No extension is asked for, and a server that wants one all the
// same is refused. roots are whom to trust instead of the system's authorities; nil
// for those. ctx bounds the handshake and nothing after it.
//
// net/http does the HTTP part: it hands over a connection that changed its protocol
// together with what it has read of it, under TLS and behind a proxy too. An HTTP proxy
// is asked for a tunnel to a wss address; to a ws one it has to pass the upgrade on.
func handshake(ctx context.Context, address string, roots *tls.Config) (net.Conn, io.Reader, error) {
	u, err := httpURL(address)
	if err != nil {
		return nil, nil, err
	}
	var conn net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { conn = got.Conn },
	})
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, nil, err
	}
	// As the RFC spells them, for servers that look at the case.
	req.Header["Connection"] = []string{"Upgrade"}
	req.Header["Upgrade"] = []string{"websocket"}
	req.Header["Sec-WebSocket-Version"] = []string{"13"}
	req.Header["Sec-WebSocket-Key"] = []string{key}
	// A transport of its own: the connection belongs to nobody else.
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: roots, DisableKeepAlives: true, DisableCompression: true,
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	if err := checkAnswer(resp, key); err != nil {
		_ = resp.Body.Close()
		return nil, nil, err
	}
	return conn, resp.Body, nil // closing either closes the connection
}

// httpURL is the address as net/http takes it.
func httpURL(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	default:
		return "", fmt.Errorf("%q is not a ws or wss address", u.Redacted())
	}
	return u.String(), nil
}

// checkAnswer holds the server's answer against the key that it was sent.
func checkAnswer(resp *http.Response, key string) error {
	// No secret: it tells a WebSocket server from another.
	sum := sha1.Sum([]byte(key + acceptGUID)) //nolint:gosec // as above
	switch h := resp.Header; {
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return fmt.Errorf("HTTP status %d", resp.StatusCode)
	case !strings.EqualFold(h.Get("Upgrade"), "websocket"), !hasToken(h.Values("Connection"), "upgrade"):
		return fmt.Errorf("the answer does not change to the WebSocket protocol")
	case h.Get("Sec-Websocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]):
		return fmt.Errorf("the answer is to another handshake")
	case h.Get("Sec-Websocket-Extensions") != "":
		return fmt.Errorf("an extension that nobody asked for: %q", h.Get("Sec-Websocket-Extensions"))
	}
	return nil
}

// hasToken says whether a header's comma-separated list has the token.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}
