package client

import (
	"errors"
	"sync"
	"time"
)

// ErrNoSession is a Session that has ended and cannot begin again by itself.
var ErrNoSession = errors.New("client: the session has ended: log in")

// Session is a user who is logged in. It takes new tokens before the old ones expire, and
// one that has a password logs in again when the session has ended.
type Session struct {
	// OnTokens, if set, is told the tokens whenever there are new ones; a refresh token is
	// good once. It must not use the session. Set it before the first use.
	OnTokens func(access, refresh string)

	user, password string

	mu              sync.Mutex
	access, refresh string
	expires         time.Time // of access
}

// Login is a user with a password, who logs in when it is needed first.
func Login(user, password string) *Session { return &Session{user: user, password: password} }

// Tokens is a session that exists already. Without a refresh token it lasts as long as
// the access token does; without an access token one is taken when it is needed first.
func Tokens(access, refresh string) *Session {
	s := &Session{access: access, refresh: refresh}
	if access != "" {
		s.expires = time.Now().Add(unknownLife)
	}
	return s
}

const (
	// unknownLife is how long an access token is used that did not say when it expires: a
	// server that does not take it says so.
	unknownLife = 365 * 24 * time.Hour
	// renewBefore is how long before it expires an access token is replaced, at most.
	renewBefore = 30 * time.Second
)

// String names the user, and tells nothing of tokens and password.
func (s *Session) String() string { return "session of " + s.user }

func (s *Session) prove(h *HTTP, r *proof) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access == "" || !time.Now().Before(s.expires) {
		if err := s.begin(h); err != nil {
			return err
		}
	}
	r.token = s.access
	r.set("Authorization", "Bearer "+s.access)
	return nil
}

// renew forgets a token that was refused, so that another is taken.
func (s *Session) renew(r *proof) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access == r.token {
		s.access = ""
	}
	return s.access != "" || s.refresh != "" || s.password != ""
}

// begin takes new tokens: by the refresh token, or else by the password. s.mu is held.
func (s *Session) begin(h *HTTP) error {
	if s.refresh != "" {
		old := s.refresh
		s.refresh = "" // good once, whatever comes of it
		err := s.take(h, "auth/refresh", map[string]string{"refresh_token": old})
		if err == nil {
			return nil
		}
		if !refusedAuth(err) {
			s.refresh = old // the server was not reached, or could not: it may not have seen it
			return err
		}
		if s.password == "" {
			return errors.Join(ErrNoSession, err)
		}
	}
	if s.password == "" {
		return ErrNoSession
	}
	return s.take(h, "auth/login", map[string]string{"user": s.user, "password": s.password})
}

// take asks for tokens. s.mu is held.
func (s *Session) take(h *HTTP, path string, with map[string]string) error {
	var out struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Expires int64  `json:"expires_in"` // s
	}
	asked := time.Now()
	if err := h.once("POST", path, with, &out, nil); err != nil {
		return err
	}
	life := time.Duration(out.Expires) * time.Second
	s.access, s.refresh = out.Access, out.Refresh
	s.expires = asked.Add(life - min(renewBefore, life/10))
	if s.OnTokens != nil {
		s.OnTokens(s.access, s.refresh)
	}
	return nil
}
