package client

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"strconv"
	"time"

	"qcat/api/auth/signing"
)

// Auth proves to a server who a client is. *Session and *Key are the kinds there are. One
// may serve several clients of the same server. Any goroutine.
type Auth interface {
	// prove sets the headers that prove a request. h is a client of the same server that
	// proves nothing.
	prove(h *HTTP, r *proof) error
	// renew reports whether another proof may be taken where this one was refused.
	renew(r *proof) bool
}

// proof is a request, and what proves it.
type proof struct {
	method, target string
	body           []byte
	set            func(header, value string)
	token          string // a bearer's, once set
	sent           bool   // with the proof: a refusal is of that
}

// Key is an API key: each request is signed with it.
type Key struct {
	// Window is for how long after it was made a request may be taken; 0: the server's
	// default, 5 s. At most a minute, in whole milliseconds.
	Window time.Duration

	id   string
	sign func(signed []byte) []byte
}

// HMACKey is a key whose secret is shared with the server: the text that it was created
// with, as it is.
func HMACKey(id, secret string) *Key {
	return &Key{id: id, sign: func(b []byte) []byte { return signing.HMAC([]byte(secret), b) }}
}

// Ed25519Key is a key whose public half the server knows.
func Ed25519Key(id string, private ed25519.PrivateKey) *Key {
	return &Key{id: id, sign: func(b []byte) []byte { return signing.Ed25519(private, b) }}
}

// String names the key, and tells nothing of its secret.
func (k *Key) String() string { return "API key " + k.id }

func (k *Key) prove(_ *HTTP, r *proof) error { //nolint:unparam // a Session may fail to begin
	stamp, window := strconv.FormatInt(time.Now().UnixMilli(), 10), ""
	if k.Window > 0 {
		window = strconv.FormatInt(k.Window.Milliseconds(), 10)
		r.set(signing.HeaderWindow, window)
	}
	nonce := signing.Nonce()
	signed := signing.Append(nil, stamp, window, nonce, r.method, r.target, string(r.body))
	r.set(signing.HeaderKey, k.id)
	r.set(signing.HeaderTimestamp, stamp)
	r.set(signing.HeaderNonce, nonce)
	r.set(signing.HeaderSignature, string(k.sign(signed)))
	return nil
}

// renew: what was refused once is refused again.
func (k *Key) renew(*proof) bool { return false }

// refusedAuth reports whether a server did not take a proof: another may be.
func refusedAuth(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && r.Status == http.StatusUnauthorized
}
