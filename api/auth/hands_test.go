package auth_test

import (
	"errors"
	"testing"
	"time"

	"qcat/api/auth"
	"qcat/core/identity"
)

// TestApart: who proposes something and who approves it are two people, whatever passwords
// and keys an administrator gives out.
func TestApart(t *testing.T) {
	t.Parallel()
	p := first(t)
	ctx := t.Context()
	p.user("ines", identity.Admin, "*")
	adam, ines := p.login("adam").Principal, p.login("ines").Principal
	made := func(by auth.Principal, name string) auth.Principal {
		_, err := p.svc.CreateUser(ctx, by, auth.NewUser{Name: name, Role: identity.Admin, Scope: scope(t, "*"), Password: pass})
		must(t, err)
		return p.login(name).Principal
	}
	keyed := func(by auth.Principal, owner string) auth.Principal {
		k, secret, err := p.svc.CreateKey(ctx, by, auth.NewKey{Owner: owner, Permissions: identity.Control, Scope: scope(t, "*")})
		must(t, err)
		who, err := p.gate.Signed(p.request(k.ID, secret), here)
		must(t, err)
		return who
	}
	before := p.clock.Now()
	p.advance(time.Minute)
	puppet := made(adam, "puppet")
	second := made(puppet, "second")
	other := made(adam, "other")
	free := made(root, "free")
	rita := p.login("rita").Principal
	ofRita := keyed(adam, "rita")
	pure := keyed(root, "free")
	after := p.clock.Now()
	for name, tt := range map[string]struct {
		by       auth.Principal
		proposer string
		want     error
	}{
		"two from the command line":                 {ines, "adam", nil},
		"a key from the command line":               {pure, "adam", nil},
		"one's own password, and another's key":     {ines, "rita", nil},
		"whom the proposer made":                    {puppet, "adam", auth.ErrForbidden},
		"who made the proposer":                     {adam, "puppet", auth.ErrForbidden},
		"whom one made that the proposer made":      {second, "adam", auth.ErrForbidden},
		"made by the same":                          {other, "puppet", auth.ErrForbidden},
		"made by the same, further on":              {other, "SECOND", auth.ErrForbidden},
		"with a key that the proposer made":         {ofRita, "adam", auth.ErrForbidden},
		"with a key that the proposer's maker made": {ofRita, "puppet", auth.ErrForbidden},
		"who made a key of the proposer's":          {adam, "rita", auth.ErrForbidden},
		"the proposer's own session":                {rita, "free", nil},
		"somebody who is no user any more":          {free, "nobody", nil},
		"a command":                                 {root, "adam", nil},
		"nobody":                                    {auth.Principal{}, "adam", auth.ErrRequired},
	} {
		if err := p.svc.Apart(ctx, tt.by, tt.proposer, after); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	wants(t, "before there was the key", p.svc.Apart(ctx, adam, "rita", before), nil)

	next := "another horse battery"
	must(t, p.svc.ChangePassword(ctx, puppet, pass, next))
	got, err := p.try("puppet", next)
	must(t, err)
	wants(t, "who has changed the password since", p.svc.Apart(ctx, got.Principal, "adam", after), auth.ErrForbidden)
	_, err = p.svc.ChangeUser(ctx, ines, "puppet", auth.UserChange{Password: &next})
	must(t, err)
	got, err = p.try("puppet", next)
	must(t, err)
	wants(t, "whose password somebody else gave", p.svc.Apart(ctx, got.Principal, "adam", after), nil)
	wants(t, "of whom that one proposes", p.svc.Apart(ctx, got.Principal, "ines", after), auth.ErrForbidden)

	p.store.Fail(errors.New("gone"))
	wants(t, "without the store", p.svc.Apart(ctx, ines, "adam", after), auth.ErrUnavailable)
}
