package signature

import (
	"crypto/ed25519"

	"qcat/api/auth/signing"
)

// SignHMAC returns the signature of a request as a client sends it.
func SignHMAC(secret []byte, r *Request) []byte {
	return signing.HMAC(secret, r.Append(nil))
}

// SignEd25519 returns the signature of a request as a client sends it.
func SignEd25519(private ed25519.PrivateKey, r *Request) []byte {
	return signing.Ed25519(private, r.Append(nil))
}
