package auth

import (
	"context"

	"qcat/api/auth/token"
	"qcat/core/identity"
)

// Logout ends the principal's session. Errors: ErrForbidden for who has none.
func (s *Service) Logout(ctx context.Context, by Principal) error {
	err := by.Ended()
	if err == nil && by.Session() == "" {
		err = ErrForbidden
	}
	if err == nil {
		if err = s.Store.EndSession(ctx, by.Session(), int64(s.Clock.Now())); isNotFound(err) {
			err = nil
		}
	}
	if err == nil && s.Directory != nil {
		s.Directory.endSession(by.Session())
	}
	return s.record(ctx, by, "logout", by.Session(), nil, nil, err)
}

// LogoutAll ends every session of a user, and the sockets of its keys: the principal's own
// with its own name, another's for administrators, and with "" everybody's. Errors:
// ErrNotFound, ErrScope.
func (s *Service) LogoutAll(ctx context.Context, by Principal, name string) error {
	return s.record(ctx, by, "logout.all", name, nil, nil, s.logoutAll(ctx, by, name))
}

func (s *Service) logoutAll(ctx context.Context, by Principal, name string) error {
	if name == "" {
		if err := administer(by, &everywhere); err != nil {
			return err
		}
		return s.endSessions(ctx, 0)
	}
	if err := by.Ended(); err != nil {
		return err
	}
	own := by.User() != 0 && by.Session() != "" && by.Name() == name
	if !own {
		if err := administer(by); err != nil {
			return err
		}
	}
	u, err := s.Store.User(ctx, name)
	if err != nil {
		return err
	}
	if !own {
		if err := administer(by, &u.Scope); err != nil {
			return err
		}
	}
	return s.endSessions(ctx, u.ID)
}

// endSessions ends a user's sessions, or with 0 everybody's, in the store and here.
func (s *Service) endSessions(ctx context.Context, user identity.UserID) error {
	if err := s.Store.EndSessions(ctx, user, int64(s.Clock.Now())); err != nil {
		return err
	}
	if s.Directory != nil {
		s.Directory.endUser(user)
		s.Directory.settle(ctx)
	}
	return nil
}

// longestToken is for how long the key before the newest verifies: the life of a refresh
// token, unless another is given.
const longestToken = int64(12 * 3600e9)

// RotateJWT makes a new signing key, which signs from now on. Tokens that are out stay
// good until they expire, or with revokeAll end now, and every session with them. It
// returns the new key's id. Errors: ErrScope.
func (s *Service) RotateJWT(ctx context.Context, by Principal, revokeAll bool) (kid string, err error) {
	err = administer(by, &everywhere)
	if err == nil {
		kid, err = s.rotate(ctx, revokeAll)
	}
	after := struct {
		Kid       string `json:"kid"`
		RevokeAll bool   `json:"revoke_all"`
	}{kid, revokeAll}
	return kid, s.record(ctx, by, "jwt.rotate", kid, nil, after, err)
}

func (s *Service) rotate(ctx context.Context, revokeAll bool) (string, error) {
	now := int64(s.Clock.Now())
	retire := now + longestToken
	if s.Gate != nil {
		retire = now + int64(s.Gate.refresh)
	}
	if revokeAll {
		retire = now
	}
	kid, err := s.sign(ctx, retire)
	if err != nil {
		return "", err
	}
	if revokeAll {
		return kid, s.endSessions(ctx, 0)
	}
	if s.Directory != nil {
		s.Directory.settle(ctx)
	}
	return kid, nil
}

// sign stores a new signing key.
func (s *Service) sign(ctx context.Context, retire int64) (kid string, err error) {
	k := identity.SigningKey{ID: randomID(), Created: s.Clock.Now()}
	if k.Secret, err = s.Opener.Seal(ctx, SigningTable, k.ID, token.NewSecret()); err != nil {
		return "", err
	}
	return k.ID, s.Store.Sign(ctx, &k, retire)
}

// EnsureSigningKey makes the first signing key where there is none. A server calls it when it
// starts.
func (s *Service) EnsureSigningKey(ctx context.Context) error {
	if s.Directory == nil || s.Directory.ring.Signs() {
		return nil
	}
	if _, err := s.sign(ctx, int64(s.Clock.Now())+longestToken); err != nil {
		return err
	}
	return s.Directory.Refresh(ctx)
}
