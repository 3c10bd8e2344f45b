package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"qcat/core"
	"qcat/core/identity"
)

// errHands refuses what two people are to decide on to what may be one.
var errHands = ErrForbidden.Saying("who proposed it and who approves it were given a password or key by one of the two, or by the same person: " +
	"it takes somebody who was given theirs at the command line, or by somebody else")

// hands are the names of all who may act as the principal: itself, who gave it its password
// and the key it uses, and who may act as those. Whoever runs a command has the database and
// the master key, and is not counted.
func (p Principal) hands() []string {
	if p.User() == 0 {
		return nil
	}
	return united(p.g.hands, []string{p.Name()})
}

// united is the names of some lists, each once.
func united(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Apart says whether a principal and the user of that name, who did something at that time, are
// certainly two people: nobody may act as both. Users made, passwords reset and keys created by an
// administrator are in that one's hands for as long as they last, although the user changes the
// password: who knew the old one may have done that, too. Of the user all keys count that could
// have been used then. Errors: ErrForbidden, ErrUnavailable.
func (s *Service) Apart(ctx context.Context, by Principal, name string, when core.Nanos) error {
	if err := by.Ended(); err != nil {
		return err
	}
	if by.User() == 0 {
		return nil
	}
	others, err := s.handsOf(ctx, name, when)
	if err != nil {
		return refused(err)
	}
	for _, mine := range by.hands() {
		if slices.ContainsFunc(others, func(other string) bool { return strings.EqualFold(other, mine) }) {
			return errHands
		}
	}
	return nil
}

// handsOf are the names of all who could act as a user at that time.
func (s *Service) handsOf(ctx context.Context, name string, when core.Nanos) ([]string, error) {
	u, err := s.Store.User(ctx, name)
	switch {
	case errors.Is(err, identity.ErrNotFound): // who proposed before there were users
		return []string{name}, nil
	case err != nil:
		return nil, err
	}
	keys, err := s.Store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	hands := united(u.Hands, []string{name})
	for i := range keys {
		k := &keys[i]
		if k.Owner == u.ID && k.Permissions.Has(identity.Control) && k.Created <= when && (k.Revoked == 0 || k.Revoked >= when) {
			hands = united(hands, k.Hands)
		}
	}
	return hands, nil
}
