package rest

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"

	"qcat/api/auth"
	"qcat/core"
	"qcat/core/identity"
)

// keyJSON is an API key as it is shown. Secret is there once, when it was made.
type keyJSON struct {
	ID          string         `json:"id"`
	Owner       string         `json:"owner"`
	Name        string         `json:"name"`
	Kind        string         `json:"kind"`
	Permissions []string       `json:"permissions"`
	Scope       identity.Scope `json:"scope"`
	Addresses   []string       `json:"addresses"`
	Public      string         `json:"public_key,omitempty"`
	Expires     core.Nanos     `json:"expires,omitempty"`
	Revoked     core.Nanos     `json:"revoked,omitempty"`
	LastUsed    core.Nanos     `json:"last_used,omitempty"`
	Created     core.Nanos     `json:"created"`
	Secret      string         `json:"secret,omitempty"`
}

func showKey(k *identity.APIKey, owner string) keyJSON {
	v := keyJSON{
		ID: k.ID, Owner: owner, Name: k.Name, Kind: k.Kind.String(), Permissions: strings.Split(k.Permissions.String(), ","), Scope: k.Scope,
		Addresses: make([]string, len(k.Addresses)), Expires: k.Expires, Revoked: k.Revoked, LastUsed: k.LastUsed, Created: k.Created,
	}
	for i := range k.Addresses {
		v.Addresses[i] = k.Addresses[i].String()
	}
	if k.Public != nil {
		v.Public = base64.StdEncoding.EncodeToString(k.Public)
	}
	return v
}

// apiKeys lists the keys that the caller administers, and their own.
func (s *Server) apiKeys(c exchange) {
	if q := s.query(c); !q.ok {
		return
	}
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	keys, err := s.cfg.Service.Keys(ctx, c.who)
	if err != nil {
		s.turnAway(c, err)
		return
	}
	users, err := s.cfg.Service.Store.Users(ctx)
	if err != nil {
		s.turnAway(c, err)
		return
	}
	names := map[identity.UserID]string{}
	for i := range users {
		names[users[i].ID] = users[i].Name
	}
	shown := make([]keyJSON, len(keys))
	for i := range keys {
		shown[i] = showKey(&keys[i], names[keys[i].Owner])
	}
	s.answerJSON(c, fasthttp.StatusOK, shown)
}

// createKey creates an API key: 201, with the secret if one was made.
func (s *Server) createKey(c exchange) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	n, ok := s.newKey(c)
	if !ok {
		return
	}
	k, clear, err := s.cfg.Service.CreateKey(ctx, c.who, n)
	if err != nil {
		s.turnAway(c, err)
		return
	}
	v := showKey(&k, n.Owner)
	v.Secret = clear
	s.answerJSON(c, fasthttp.StatusCreated, v)
}

// newKey reads what key is wanted.
func (s *Server) newKey(c exchange) (n auth.NewKey, ok bool) {
	var permissions, addresses []string
	var within scopeBody
	var public string
	n.Owner = c.who.Name()
	if !object(c, []member{{name: "owner", into: &n.Owner}, {name: "name", into: &n.Name, needed: true}, {name: "public_key", into: &public},
		{name: "permissions", into: &permissions, needed: true}, {name: "scope", into: &within}, {name: "addresses", into: &addresses},
		{name: "expires", into: &n.Expires}}) {
		return n, false
	}
	if n.Scope, ok = s.scope(c, &within); !ok {
		return n, false
	}
	var err error
	if n.Permissions, err = identity.ParsePermissions(strings.Join(permissions, ",")); err != nil {
		s.turnAway(c, err)
		return n, false
	}
	if public != "" {
		if n.Public, err = base64.StdEncoding.Strict().DecodeString(public); err != nil {
			s.turnAway(c, auth.ErrValue.Saying("public_key: not base64"))
			return n, false
		}
	}
	for _, text := range addresses {
		prefix, err := network(text)
		if err != nil {
			s.turnAway(c, auth.ErrValue.Saying("addresses: wanted addresses and networks, such as 10.0.0.0/8"))
			return n, false
		}
		n.Addresses = append(n.Addresses, prefix)
	}
	return n, true
}

// network reads a network, or an address, which is a network of one.
func network(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.WithZone("").Prefix(a.BitLen())
}

// revokeKey ends an API key: 204, also when it has ended before.
func (s *Server) revokeKey(c exchange) {
	ctx, cancel, ok := s.asking(c)
	if !ok {
		return
	}
	defer cancel()
	if _, err := s.cfg.Service.RevokeKey(ctx, c.who, c.tail); err != nil {
		s.turnAway(c, err)
		return
	}
	c.SetStatusCode(fasthttp.StatusNoContent)
}
