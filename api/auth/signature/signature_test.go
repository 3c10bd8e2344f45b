package signature

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"

	"qcat/api/auth/signing"
	"qcat/core"
)

const ms = core.Nanos(1e6)

var secret = []byte("0123456789abcdef0123456789abcdef")

func order() *Request {
	return &Request{
		Key: []byte("k"), Timestamp: []byte("1700000000000"), Window: []byte("5000"), Nonce: []byte("n-1_A"),
		Method: []byte("POST"), Target: []byte("/api/v1/orders?x=%20"), Body: []byte(`{"qty":"1"}`),
	}
}

func verifiers(t testing.TB) map[string]struct {
	v    Verifier
	sign func(*Request) []byte
} {
	t.Helper()
	private := ed25519.NewKeyFromSeed(secret)
	mac, err := NewHMAC(secret)
	if err != nil {
		t.Fatal(err)
	}
	ed, err := NewEd25519(private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]struct {
		v    Verifier
		sign func(*Request) []byte
	}{
		"hmac":    {mac, func(r *Request) []byte { return signing.HMAC(secret, r.Append(nil)) }},
		"ed25519": {ed, func(r *Request) []byte { return signing.Ed25519(private, r.Append(nil)) }},
	}
}

// TestKnownAnswer holds the format against a value that another implementation
// (openssl dgst -sha256 -hmac) came to.
func TestKnownAnswer(t *testing.T) {
	t.Parallel()
	r := order()
	if got, want := string(r.Append(nil)), "1700000000000\n5000\nn-1_A\nPOST\n/api/v1/orders?x=%20\n{\"qty\":\"1\"}"; got != want {
		t.Fatalf("signed %q, want %q", got, want)
	}
	if got := string(signing.HMAC(secret, r.Append(nil))); got != knownHMAC {
		t.Errorf("HMAC %s, want %s", got, knownHMAC)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for name, k := range verifiers(t) {
		r := order()
		r.Signature = k.sign(r)
		for range 3 { // the machine is reset in between
			if !k.v.Verify(r) {
				t.Fatalf("%s: a good signature is refused", name)
			}
		}
		if FormOf(r.Signature) != k.v.Form() {
			t.Errorf("%s: its form is %v, the verifier's %v", name, FormOf(r.Signature), k.v.Form())
		}
		for what, change := range map[string]func(*Request){
			"timestamp":      func(r *Request) { r.Timestamp = []byte("1700000000001") },
			"window":         func(r *Request) { r.Window = []byte("5001") },
			"window gone":    func(r *Request) { r.Window = nil },
			"nonce":          func(r *Request) { r.Nonce = []byte("n-1_a") },
			"method":         func(r *Request) { r.Method = []byte("PUT") },
			"target":         func(r *Request) { r.Target = []byte("/api/v1/orders?x=+") },
			"body":           func(r *Request) { r.Body = []byte(`{"qty":"2"}`) },
			"body gone":      func(r *Request) { r.Body = nil },
			"truncated":      func(r *Request) { r.Signature = r.Signature[:len(r.Signature)-1] },
			"half":           func(r *Request) { r.Signature = r.Signature[:len(r.Signature)/2] },
			"extended":       func(r *Request) { r.Signature = append(bytes.Clone(r.Signature), '0') },
			"none":           func(r *Request) { r.Signature = nil },
			"first changed":  func(r *Request) { r.Signature = flip(r.Signature, 0) },
			"last changed":   func(r *Request) { r.Signature = flip(r.Signature, len(r.Signature)-3) },
			"not a digit":    func(r *Request) { r.Signature = append(bytes.Clone(r.Signature[1:]), '!') },
			"zeros":          func(r *Request) { r.Signature = bytes.Repeat([]byte("0"), len(r.Signature)) },
			"trailing space": func(r *Request) { r.Signature = append(bytes.Clone(r.Signature[1:]), ' ') },
		} {
			bad := *r
			change(&bad)
			if k.v.Verify(&bad) {
				t.Errorf("%s, %s: verified", name, what)
			}
			if !k.v.Verify(r) {
				t.Errorf("%s, after %s: a good signature is refused", name, what)
			}
		}
	}
}

func flip(sig []byte, at int) []byte {
	sig = bytes.Clone(sig)
	if sig[at] == 'a' {
		sig[at] = 'b'
	} else {
		sig[at] = 'a'
	}
	return sig
}

// TestStrictBase64: the last character before the padding has four bits that mean nothing.
func TestStrictBase64(t *testing.T) {
	t.Parallel()
	k := verifiers(t)["ed25519"]
	r := order()
	r.Signature = k.sign(r)
	at := len(r.Signature) - 3
	r.Signature[at]++ // A→B, Q→R, g→h, w→x: the same 64 bytes for a lenient decoder
	if k.v.Verify(r) {
		t.Error("two texts are the same signature")
	}
}

func TestBadKeys(t *testing.T) {
	t.Parallel()
	if _, err := NewHMAC(secret[:MinSecret-1]); !errors.Is(err, ErrKey) {
		t.Errorf("a short secret: %v", err)
	}
	if _, err := NewEd25519(secret[:31]); !errors.Is(err, ErrKey) {
		t.Errorf("a short public key: %v", err)
	}
}

// TestWeakEd25519: a public key of low order, such as a placeholder of zeros, verifies what
// anybody made without a private key.
func TestWeakEd25519(t *testing.T) {
	t.Parallel()
	identity := append([]byte{1}, make([]byte, ed25519.PublicKeySize-1)...)
	forged := append(bytes.Clone(identity), make([]byte, 32)...) // R is the identity, S is 0
	if !ed25519.Verify(identity, []byte("anything"), forged) {
		t.Fatal("the forgery is none")
	}
	for i := range lowOrder {
		for _, sign := range []byte{0, 0x80} {
			public := bytes.Clone(lowOrder[i][:])
			public[31] |= sign
			if _, err := NewEd25519(public); !errors.Is(err, ErrKey) {
				t.Errorf("%x: %v", public, err)
			}
		}
	}
	if len(lowOrder) != 7 || !slices.Contains(lowOrder[:], [32]byte(identity)) || !slices.Contains(lowOrder[:], [32]byte{}) {
		t.Errorf("%x", lowOrder)
	}
}

func TestDecoysRefuse(t *testing.T) {
	t.Parallel()
	mac, ed, err := Decoys()
	if err != nil || mac.Form() != HexHMAC || ed.Form() != Base64Ed25519 {
		t.Fatal(mac, ed, err)
	}
	for name, k := range verifiers(t) {
		r := order()
		r.Signature = k.sign(r)
		if mac.Verify(r) || ed.Verify(r) {
			t.Errorf("a decoy takes %s", name)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	const at = core.Nanos(1_700_000_000_000) * ms
	for _, tt := range []struct {
		window string
		skew   core.Nanos // of our clock against the timestamp
		want   error
	}{
		{"", 0, nil},
		{"", -Future + 1, nil},
		{"", -Future, ErrTime},
		{"", -3600 * 1000 * ms, ErrTime},
		{"", DefaultWindow, nil},
		{"", DefaultWindow + 1, ErrTime},
		{"60000", 60_000 * ms, nil},
		{"60000", 60_000*ms + 1, ErrTime},
		{"1", ms, nil},
		{"1", ms + 1, ErrTime},
		{"", 3600 * 1000 * ms, ErrTime},
	} {
		r := order()
		r.Window = []byte(tt.window)
		s, err := r.Stamp()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(at + tt.skew); !errors.Is(err, tt.want) {
			t.Errorf("window %q, clock %d ms after: %v, want %v", tt.window, tt.skew/ms, err, tt.want)
		}
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*Request){
		"no timestamp":      func(r *Request) { r.Timestamp = nil },
		"sign":              func(r *Request) { r.Timestamp = []byte("-1700000000000") },
		"plus":              func(r *Request) { r.Timestamp = []byte("+1700000000000") },
		"leading zero":      func(r *Request) { r.Timestamp = []byte("01700000000000") },
		"overflow":          func(r *Request) { r.Timestamp = []byte("9999999999999999999") },
		"past 2262":         func(r *Request) { r.Timestamp = []byte("999999999999999") },
		"window zero":       func(r *Request) { r.Window = []byte("0") },
		"window too wide":   func(r *Request) { r.Window = []byte("60001") },
		"window text":       func(r *Request) { r.Window = []byte("5s") },
		"no nonce":          func(r *Request) { r.Nonce = nil },
		"long nonce":        func(r *Request) { r.Nonce = []byte(strings.Repeat("a", 65)) },
		"nonce, line feed":  func(r *Request) { r.Nonce = []byte("a\nb") },
		"method, line feed": func(r *Request) { r.Method = []byte("GET\n") },
		"lower case":        func(r *Request) { r.Method = []byte("get") },
		"no method":         func(r *Request) { r.Method = nil },
		"target, line feed": func(r *Request) { r.Target = []byte("/a\nb") },
		"target, space":     func(r *Request) { r.Target = []byte("/a b") },
		"no target":         func(r *Request) { r.Target = nil },
		"socket's method":   func(r *Request) { r.Method = SocketMethod },
		"HTTP's method":     func(r *Request) { r.Socket = true },
	} {
		r := order()
		change(r)
		if _, err := r.Stamp(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r := order()
	r.Method, r.Target, r.Socket = SocketMethod, SocketTarget, true
	if _, err := r.Stamp(); err != nil {
		t.Errorf("a socket's: %v", err)
	}
}

// FuzzCanonical: two requests that are well formed have the same signed bytes only if they
// are the same in every field.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte("1700000000000"), []byte("5000"), []byte("n"), []byte("GET"), []byte("/a"), []byte("b"), uint8(3), uint8(1))
	f.Add([]byte("1700000000000"), []byte(""), []byte("5"), []byte("POST"), []byte("/a?b"), []byte("\n\n/\n"), uint8(9), uint8(2))
	f.Fuzz(func(t *testing.T, stamp, window, nonce, method, target, body []byte, from, by uint8) {
		a := &Request{Timestamp: stamp, Window: window, Nonce: nonce, Method: method, Target: target, Body: body}
		if _, err := a.Stamp(); err != nil {
			return
		}
		signed := a.Append(nil)
		if back := split(signed); !same(back, a) {
			t.Fatalf("%q reads as %+v", signed, back)
		}
		// Moving bytes from one field to its neighbour must show.
		fields := []*[]byte{&a.Timestamp, &a.Window, &a.Nonce, &a.Method, &a.Target, &a.Body}
		i := int(from) % (len(fields) - 1)
		joined := append(bytes.Clone(*fields[i]), *fields[i+1]...)
		cut := int(by) % (len(joined) + 1)
		b := *a
		moved := []*[]byte{&b.Timestamp, &b.Window, &b.Nonce, &b.Method, &b.Target, &b.Body}
		*moved[i], *moved[i+1] = joined[:cut], joined[cut:]
		if _, err := b.Stamp(); err == nil && !same(a, &b) && bytes.Equal(signed, b.Append(nil)) {
			t.Fatalf("%q is signed for two requests", signed)
		}
	})
}

// split takes signed bytes apart again.
func split(signed []byte) *Request {
	p := bytes.SplitN(signed, []byte("\n"), 6)
	return &Request{Timestamp: p[0], Window: p[1], Nonce: p[2], Method: p[3], Target: p[4], Body: p[5]}
}

func same(a, b *Request) bool {
	return bytes.Equal(a.Timestamp, b.Timestamp) && bytes.Equal(a.Window, b.Window) && bytes.Equal(a.Nonce, b.Nonce) &&
		bytes.Equal(a.Method, b.Method) && bytes.Equal(a.Target, b.Target) && bytes.Equal(a.Body, b.Body)
}

// FuzzSignature: no text but the signature itself verifies.
func FuzzSignature(f *testing.F) {
	f.Add([]byte("00"))
	f.Add([]byte(strings.Repeat("=", 88)))
	f.Fuzz(func(t *testing.T, sig []byte) {
		for name, k := range verifiers(t) {
			r := order()
			want := k.sign(r)
			r.Signature = sig
			if k.v.Verify(r) && !bytes.Equal(bytes.ToLower(sig), bytes.ToLower(want)) {
				t.Fatalf("%s: %q verifies", name, sig)
			}
		}
	})
}

func BenchmarkHMAC(b *testing.B) { benchmark(b, "hmac") }

func BenchmarkEd25519(b *testing.B) { benchmark(b, "ed25519") }

func benchmark(b *testing.B, name string) {
	k := verifiers(b)[name]
	r := order()
	r.Body = bytes.Repeat([]byte("x"), 200) // an order
	r.Signature = k.sign(r)
	b.ReportAllocs()
	for b.Loop() {
		if !k.v.Verify(r) {
			b.Fatal("refused")
		}
	}
}

const knownHMAC = "bcfc75abcc5e31e04e54d4bfff8062ca6cabaf0269040271cd5c8779beef1c35"
