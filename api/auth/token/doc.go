// Package token issues and verifies the tokens of a session: JWTs, signed with
// HMAC-SHA256 by a key of the server's own ring.
//
// # What is refused
//
// Every algorithm but HS256; a key id that is not in the ring, wherever the token says
// the key could be had; any critical extension (crit), since none is known; a token
// without iss, aud, sub, exp, nbf, sid or jti; an access token where a refresh token
// belongs, and the reverse; what is longer than 2 KiB.
//
// A token that verifies is still nothing more than a reference to a session and an epoch: whether
// these hold is for the caller to look up.
//
// # Imports
//
// core; golang-jwt is imported here only.
package token
