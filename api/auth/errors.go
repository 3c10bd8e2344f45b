package auth

import (
	"errors"
	"time"

	"qcat/api/auth/password"
	"qcat/api/auth/signature"
	"qcat/api/auth/token"
	"qcat/core/identity"
)

// Error is a refusal with a stable code. What it says is safe to show to whoever asked.
type Error struct {
	Code   string
	Status int           // of HTTP
	Text   string        // for a person
	Wait   time.Duration // 0, or when to come again (Retry-After)
	cause  error         // for the log
}

// The refusals. Compare with errors.Is, which looks at the code alone.
var (
	ErrRequired    = &Error{Code: "auth.required", Status: 401, Text: "log in, or sign the request with an API key"}
	ErrCredentials = &Error{Code: "auth.credentials", Status: 401, Text: "name or password is wrong"}
	ErrLocked      = &Error{Code: "auth.locked", Status: 429, Text: "too many failed logins"}
	ErrToken       = &Error{Code: "auth.token", Status: 401, Text: "the token is not valid"}
	ErrExpired     = &Error{Code: "auth.expired", Status: 401, Text: "the token, session or key has expired"}
	ErrReused      = &Error{Code: "auth.reused", Status: 401, Text: "the refresh token was used before: the session has been ended"}
	ErrRevoked     = &Error{Code: "auth.revoked", Status: 401, Text: "the session or key has been ended"}
	ErrMalformed   = &Error{Code: "auth.malformed", Status: 401, Text: "a field of the signature is missing or malformed"}
	ErrSignature   = &Error{Code: "auth.signature", Status: 401, Text: "the key is unknown, or the signature is not its"}
	ErrTimestamp   = &Error{Code: "auth.timestamp", Status: 401, Text: "the timestamp is outside the window"}
	ErrReplayed    = &Error{Code: "auth.replayed", Status: 401, Text: "the nonce was used before"}
	ErrStarting    = &Error{Code: "auth.starting", Status: 503, Text: "the request was stamped before the server began: sign it again", Wait: time.Second}
	ErrAddress     = &Error{Code: "auth.address", Status: 403, Text: "the key may not be used from this address"}
	ErrForbidden   = &Error{Code: "auth.forbidden", Status: 403, Text: "the role or key does not permit this"}
	ErrScope       = &Error{Code: "auth.scope", Status: 403, Text: "the account or strategy is not in your scope"}
	ErrBusy        = &Error{Code: "auth.busy", Status: 503, Text: "too many passwords are being checked", Wait: time.Second}
	ErrUnavailable = &Error{Code: "auth.unavailable", Status: 503, Text: "users and keys cannot be read or changed now", Wait: time.Second}
	ErrUnaudited   = &Error{Code: "auth.unaudited", Status: 503, Text: "it was done, but the audit log could not be written"}
	ErrPassword    = &Error{Code: "auth.password", Status: 422, Text: "the password cannot be taken"}
	ErrValue       = &Error{Code: "auth.value", Status: 422, Text: "a value cannot be taken"}
	ErrNotFound    = &Error{Code: "auth.not_found", Status: 404, Text: "there is no such user, key or session"}
	ErrExists      = &Error{Code: "auth.exists", Status: 409, Text: "there is one of that name already"}
	ErrLastAdmin   = &Error{Code: "auth.last_admin", Status: 409, Text: "it is the last admin who is not disabled"}
	ErrRate        = &Error{Code: "rate.limited", Status: 429, Text: "too many requests"}
	ErrNonces      = &Error{Code: "rate.nonces", Status: 429, Text: "too many signed requests within the window", Wait: time.Second}
)

// Table is every refusal there is.
func Table() []*Error {
	return []*Error{
		ErrRequired, ErrCredentials, ErrLocked, ErrToken, ErrExpired, ErrReused, ErrRevoked, ErrMalformed, ErrSignature,
		ErrTimestamp, ErrReplayed, ErrStarting, ErrAddress, ErrForbidden, ErrScope, ErrBusy, ErrUnavailable, ErrUnaudited,
		ErrPassword, ErrValue, ErrNotFound, ErrExists, ErrLastAdmin, ErrRate, ErrNonces,
	}
}

// causes are errors of others, and what they are here.
var causes = []struct {
	is error
	as *Error
}{
	{password.ErrBusy, ErrBusy}, {password.ErrPolicy, ErrPassword},
	{token.ErrExpired, ErrExpired}, {token.ErrInvalid, ErrToken},
	{signature.ErrMalformed, ErrMalformed}, {signature.ErrTime, ErrTimestamp}, {signature.ErrReplayed, ErrReplayed},
	{signature.ErrFull, ErrNonces}, {signature.ErrKey, ErrValue},
	{identity.ErrNotFound, ErrNotFound}, {identity.ErrExists, ErrExists}, {identity.ErrLastAdmin, ErrLastAdmin},
	{identity.ErrRefreshReused, ErrReused}, {identity.ErrName, ErrValue}, {identity.ErrScope, ErrValue},
	{identity.ErrRole, ErrValue}, {identity.ErrPermission, ErrValue},
}

// Error returns the code and the text; the cause is found by Unwrap alone.
func (e *Error) Error() string { return e.Code + ": " + e.Text }

// Unwrap returns what caused it, nil if it is its own cause.
func (e *Error) Unwrap() error { return e.cause }

// Is compares the codes.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// After is the refusal with a wait.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.Wait = wait
	return &c
}

// Saying is the refusal with a text of its own.
func (e *Error) Saying(text string) *Error {
	c := *e
	c.Text = text
	return &c
}

// Refusal is what an error is to whoever asked, nil for nil. One that is not known is
// auth.unavailable and shows nothing of itself.
func Refusal(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	c := *ErrUnavailable
	for i := range causes {
		if errors.Is(err, causes[i].is) {
			if c = *causes[i].as; c.Status == ErrValue.Status {
				c.Text = err.Error() // of our own parsers: it tells what to do
			}
			break
		}
	}
	c.cause = err
	return &c
}

// refused is Refusal as an error, so that nil stays nil.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return Refusal(err)
}
