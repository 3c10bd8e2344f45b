package signing

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// The headers of a signed request.
const (
	HeaderKey       = "X-QCAT-KEY"
	HeaderTimestamp = "X-QCAT-TIMESTAMP"
	HeaderWindow    = "X-QCAT-WINDOW" // may be left out
	HeaderNonce     = "X-QCAT-NONCE"
	HeaderSignature = "X-QCAT-SIGNATURE"
)

// The method and target that the auth operation of a WebSocket signs.
const (
	SocketMethod = "WS"
	SocketTarget = "/api/v1/ws"
)

// Append appends the signed bytes of a request.
func Append[T string | []byte](dst []byte, timestamp, window, nonce, method, target, body T) []byte {
	for _, field := range [...]T{timestamp, window, nonce, method, target} {
		dst = append(dst, field...)
		dst = append(dst, '\n')
	}
	return append(dst, body...)
}

// HMAC returns the signature of signed bytes by a secret, in hexadecimal. The bytes of the
// secret are those of the text that its key was created with.
func HMAC(secret, signed []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write(signed)
	return hex.AppendEncode(nil, mac.Sum(nil))
}

// Ed25519 returns the signature of signed bytes by a private key, in base64.
func Ed25519(private ed25519.PrivateKey, signed []byte) []byte {
	return base64.StdEncoding.AppendEncode(nil, ed25519.Sign(private, signed))
}

// Nonce returns a text that was never used before.
func Nonce() string { return rand.Text() }
