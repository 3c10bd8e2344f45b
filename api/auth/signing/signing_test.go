package signing_test

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"qcat/api/auth/signature"
	"qcat/api/auth/signing"
)

// TestSignedBytes: what a client signs is written down here, not derived.
func TestSignedBytes(t *testing.T) {
	t.Parallel()
	got := string(signing.Append(nil, "1700000000000", "", "n-1", "POST", "/api/v1/orders?x=1", `{"a":1}`))
	if want := "1700000000000\n\nn-1\nPOST\n/api/v1/orders?x=1\n{\"a\":1}"; got != want {
		t.Fatalf("%q, want %q", got, want)
	}
	// openssl dgst -sha256 -hmac 0123456789abcdef of these bytes
	const want = "364a0bfcfeb436508ac0b2453c3c3f1eedf586c560e57437a3e0b252be033db1"
	if sum := string(signing.HMAC([]byte("0123456789abcdef"), []byte(got))); sum != want {
		t.Errorf("%s, want %s", sum, want)
	}
}

// TestServerVerifies: the server takes what is signed here, and nothing that differs by a
// byte.
func TestServerVerifies(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef")
	private := ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))
	mac, err := signature.NewHMAC(secret)
	if err != nil {
		t.Fatal(err)
	}
	ed, err := signature.NewEd25519(private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	signed := signing.Append(nil, "1", "2", "n", "GET", "/x", "body")
	r := signature.Request{Timestamp: []byte("1"), Window: []byte("2"), Nonce: []byte("n"), Method: []byte("GET"), Target: []byte("/x"), Body: []byte("body")}
	for name, c := range map[string]struct {
		v   signature.Verifier
		sig []byte
	}{"hmac": {mac, signing.HMAC(secret, signed)}, "ed25519": {ed, signing.Ed25519(private, signed)}} {
		good := r
		good.Signature = c.sig
		if !c.v.Verify(&good) {
			t.Errorf("%s: it is refused", name)
		}
		good.Body = []byte("bodY")
		if c.v.Verify(&good) {
			t.Errorf("%s: another body is taken", name)
		}
	}
}

// TestNonce: nonces are of the alphabet and length that the server takes, and differ.
func TestNonce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		n := signing.Nonce()
		if seen[n] || len(n) < 22 || len(n) > 64 || strings.ContainsFunc(n, func(c rune) bool {
			return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
		}) {
			t.Fatalf("%q", n)
		}
		seen[n] = true
	}
}
