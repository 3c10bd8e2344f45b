package identity

import (
	"net/netip"

	"qcat/core"
)

// UserID numbers users and is never used again; 0 is none.
type UserID int64

// User is a person.
type User struct {
	ID       UserID
	Name     string // unique, see CheckName
	Role     Role
	Scope    Scope
	Disabled bool
	// Password is the argon2id hash in its PHC form; "" means no login by password.
	Password string
	// Epoch rises whenever everything that the user was given before must end: a
	// disabling, a change of role, scope or password, an order to log out everywhere.
	// Tokens carry it.
	Epoch int64
	// Hands are the names of others who may know the password: who gave it, and who may
	// act for them. A command's user is none of them.
	Hands []string

	Unlocked  core.Nanos // failed logins before it count no more
	Failures  int        // logins in a row that failed
	LockedTo  core.Nanos // no login before it
	LastLogin core.Nanos
	Created   core.Nanos
	Changed   core.Nanos
}

// KeyKind is how the requests of an API key are signed.
type KeyKind uint8

const (
	HMACSHA256 KeyKind = iota + 1
	Ed25519
)

// String returns the name used in JSON and by commands.
func (k KeyKind) String() string {
	switch k {
	case HMACSHA256:
		return "hmac-sha256"
	case Ed25519:
		return "ed25519"
	}
	return "unknown"
}

// APIKey lets a program act for a user, with no more than the user may.
type APIKey struct {
	ID    string // public, sent with each request
	Owner UserID
	Name  string // what it is for
	Kind  KeyKind
	// Secret is the sealed HMAC secret; Public the Ed25519 key. One of them is there.
	Secret Sealed
	Public []byte

	// Hands are the names of those who may know the secret: who made the key, and who
	// may act for them. A command's user is none of them.
	Hands []string

	Permissions Permission // of these it has what its owner's role has, too
	Scope       Scope      // of this it has what its owner has, too
	Addresses   []netip.Prefix
	Expires     core.Nanos // 0: never
	Revoked     core.Nanos // 0: it is not
	LastUsed    core.Nanos // to the minute or so
	Created     core.Nanos
}

// Sealed is a secret as it is stored.
type Sealed []byte

// Session is what one login began: a family of refresh tokens, of which the last
// alone is good.
type Session struct {
	ID      string // random; tokens carry it
	User    UserID
	Epoch   int64  // the user's at the login
	Refresh []byte // SHA-256 of the identifier of the refresh token that is good now
	Address string // where the login came from
	Created core.Nanos
	Used    core.Nanos
	Expires core.Nanos
	Ended   core.Nanos // 0: it is open
}

// SigningKey signs tokens. The newest that is not retired signs; the others verify
// until they expire.
type SigningKey struct {
	ID      string // "kid"
	Secret  Sealed
	Created core.Nanos
	Expires core.Nanos // 0: the one that signs, and has not been followed yet
}
