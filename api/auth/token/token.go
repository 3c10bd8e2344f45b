package token

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"qcat/core"
)

// Type is what a token is for.
type Type uint8

const (
	Access  Type = iota + 1 // sent with each request
	Refresh                 // exchanged for new tokens, once
)

// String returns the claim's value.
func (t Type) String() string {
	switch t {
	case Access:
		return "access"
	case Refresh:
		return "refresh"
	}
	return "unknown"
}

// Claims are what a token says.
type Claims struct {
	User    int64
	Session string
	Epoch   int64
	ID      string // jti
	Type    Type
	Issued  core.Nanos
	Expires core.Nanos
}

// Issuer issues and verifies tokens. Any goroutine.
type Issuer struct {
	ring     *Ring
	clock    core.Clock
	issuer   string
	audience string
	parser   *jwt.Parser
}

const (
	maxToken = 2048 // bytes
	alg      = "HS256"
)

// New returns an Issuer that names itself issuer and addresses its tokens to audience.
func New(ring *Ring, clock core.Clock, issuer, audience string) *Issuer {
	return &Issuer{ring: ring, clock: clock, issuer: issuer, audience: audience, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{alg}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithIssuedAt(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return clock.Now().Time() }),
	)}
}

// wire is the claims as they are written.
type wire struct {
	jwt.RegisteredClaims
	Session string `json:"sid"`
	Epoch   int64  `json:"epoch"`
	Type    string `json:"typ"`
}

// Issue signs a token. Times are written in whole seconds, rounded down. Errors: ErrNoKey.
func (i *Issuer) Issue(c *Claims) (string, error) {
	ring := i.ring.keys.Load()
	if ring == nil || ring.signer == nil {
		return "", ErrNoKey
	}
	issued := jwt.NewNumericDate(c.Issued.Time())
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, &wire{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: i.issuer, Audience: jwt.ClaimStrings{i.audience}, Subject: strconv.FormatInt(c.User, 10), ID: c.ID,
			IssuedAt: issued, NotBefore: issued, ExpiresAt: jwt.NewNumericDate(c.Expires.Time()),
		},
		Session: c.Session, Epoch: c.Epoch, Type: c.Type.String(),
	})
	t.Header["kid"] = ring.signer.ID
	return t.SignedString(ring.signer.Secret)
}

// Verify reads a token that must be of a type. Expires of the claims is no later than
// that of the key that signed it. Errors: ErrInvalid, ErrExpired.
func (i *Issuer) Verify(text string, want Type) (Claims, error) {
	if len(text) > maxToken || !compact(text) {
		return Claims{}, ErrInvalid
	}
	var w wire
	var key *Key
	_, err := i.parser.ParseWithClaims(text, &w, func(t *jwt.Token) (any, error) {
		var err error
		key, err = i.key(t)
		if err != nil {
			return nil, err
		}
		return key.Secret, nil
	})
	if errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		return Claims{}, ErrExpired
	}
	if err != nil {
		return Claims{}, ErrInvalid // why is for nobody outside
	}
	user, err := strconv.ParseInt(w.Subject, 10, 64)
	if err != nil || user <= 0 || w.Session == "" || w.ID == "" || w.IssuedAt == nil {
		return Claims{}, fmt.Errorf("%w: a claim is missing", ErrInvalid)
	}
	if w.Type != want.String() {
		return Claims{}, fmt.Errorf("%w: it is not of the type that belongs here", ErrInvalid)
	}
	c := Claims{User: user, Session: w.Session, Epoch: w.Epoch, ID: w.ID, Type: want,
		Issued: core.Nanos(w.IssuedAt.UnixNano()), Expires: core.Nanos(w.ExpiresAt.UnixNano())}
	if key.Expires != 0 {
		c.Expires = min(c.Expires, key.Expires)
	}
	return c, nil
}

// compact reports whether a text has the characters of a token alone: decoders of base64
// skip line feeds, and a token is to have one spelling.
func compact(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// key finds who signed, in our ring alone.
func (i *Issuer) key(t *jwt.Token) (*Key, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, fmt.Errorf("%w: critical extension", ErrInvalid)
	}
	id, _ := t.Header["kid"].(string)
	ring := i.ring.keys.Load()
	if ring == nil {
		return nil, ErrNoKey
	}
	if key := ring.find(id, i.clock.Now()); key != nil {
		return key, nil
	}
	return nil, fmt.Errorf("%w: unknown key", ErrInvalid)
}
