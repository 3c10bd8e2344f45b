package signature

import (
	"errors"

	"qcat/api/auth/signing"
	"qcat/core"
)

// Errors of a request's fields and time.
var (
	ErrMalformed = errors.New("a field of the signature is missing or malformed")
	ErrTime      = errors.New("the request's timestamp is outside its window")
)

// Bounds of the rules.
const (
	Future        = core.Nanos(1e9)       // by how much less than this a timestamp may be ahead of us
	DefaultWindow = core.Nanos(5e9)       // of a request that sends none
	MaxWindow     = core.Nanos(60e9)      // of one that does
	maxNonce      = 64                    // characters
	maxDigits     = 15                    // of a number; as nanoseconds it still fits 64 bits until the year 2262
	maxMethod     = 16                    // letters
	maxTarget     = 8192                  // bytes
	milli         = core.Nanos(1_000_000) // ns
)

// The method and target that the auth operation of a WebSocket signs.
var (
	SocketMethod = []byte(signing.SocketMethod)
	SocketTarget = []byte(signing.SocketTarget)
)

// Request is what was signed, as it was received. The slices are the caller's and only
// read.
type Request struct {
	Key       []byte // id
	Timestamp []byte
	Window    []byte // empty: not sent
	Nonce     []byte
	Signature []byte // hex of an HMAC, or base64 of an Ed25519 signature

	Method []byte
	Target []byte
	Body   []byte

	// Socket says that the request is the auth operation of a WebSocket. No HTTP request
	// is taken with that operation's method: it would have the same signed bytes.
	Socket bool
}

// Stamp is when a request was made and how long it is in time.
type Stamp struct{ Time, Window core.Nanos }

// Last is the last moment at which the request is in time.
func (s Stamp) Last() core.Nanos { return s.Time + s.Window }

// Stamp reads the numbers and checks the form of every other field that is signed,
// without allocating. Errors: ErrMalformed.
func (r *Request) Stamp() (s Stamp, err error) {
	ms, ok := number(r.Timestamp)
	if !ok || ms > int64(1<<63-1)/int64(milli)-int64(MaxWindow/milli) {
		return Stamp{}, ErrMalformed
	}
	s = Stamp{Time: core.Nanos(ms) * milli, Window: DefaultWindow}
	if len(r.Window) > 0 {
		ms, ok = number(r.Window)
		if !ok || ms < 1 || ms > int64(MaxWindow/milli) {
			return Stamp{}, ErrMalformed
		}
		s.Window = core.Nanos(ms) * milli
	}
	if !isNonce(r.Nonce) || !r.method() || !isTarget(r.Target) {
		return Stamp{}, ErrMalformed
	}
	return s, nil
}

// Check says whether a request of that stamp is in time. Errors: ErrTime.
func (s Stamp) Check(now core.Nanos) error {
	if s.Time < now+Future && now-s.Time <= s.Window {
		return nil
	}
	return ErrTime
}

// Append appends the signed bytes.
func (r *Request) Append(dst []byte) []byte {
	return signing.Append(dst, r.Timestamp, r.Window, r.Nonce, r.Method, r.Target, r.Body)
}

// appendHead appends what comes before the body.
func (r *Request) appendHead(dst []byte) []byte {
	return signing.Append(dst, r.Timestamp, r.Window, r.Nonce, r.Method, r.Target, nil)
}

// number reads decimal digits without a sign, a space or a leading zero.
func number(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > maxDigits || (b[0] == '0' && len(b) > 1) {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func isNonce(b []byte) bool {
	if len(b) == 0 || len(b) > maxNonce {
		return false
	}
	for _, c := range b {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// method reports whether the method is upper-case letters, and not the other
// transport's.
func (r *Request) method() bool {
	if len(r.Method) == 0 || len(r.Method) > maxMethod {
		return false
	}
	for _, c := range r.Method {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return (string(r.Method) == string(SocketMethod)) == r.Socket
}

// isTarget reports whether a request target has no space and no control character.
func isTarget(b []byte) bool {
	if len(b) == 0 || len(b) > maxTarget {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
