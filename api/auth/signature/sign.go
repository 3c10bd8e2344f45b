package signature

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// SignHMAC returns the signature of a request as a client sends it.
func SignHMAC(secret []byte, r *Request) []byte {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write(r.Append(nil))
	return hex.AppendEncode(nil, mac.Sum(nil))
}

// SignEd25519 returns the signature of a request as a client sends it.
func SignEd25519(private ed25519.PrivateKey, r *Request) []byte {
	return base64.StdEncoding.AppendEncode(nil, ed25519.Sign(private, r.Append(nil)))
}
