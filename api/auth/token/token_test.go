package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"qcat/core"
)

const now = core.Nanos(1_700_000_000e9)

var ours = Key{ID: "k1", Secret: []byte("0123456789abcdef0123456789abcdef"), Created: 1}

func issuer() (*Issuer, *core.ManualClock) {
	clock, ring := core.NewManualClock(now), &Ring{}
	ring.Set([]Key{ours})
	return New(ring, clock, "qcat", "qcat-api"), clock
}

func claims() *Claims {
	return &Claims{User: 7, Session: "s", Epoch: 3, ID: "j", Type: Access, Issued: now, Expires: now + core.Nanos(15*time.Minute)}
}

func TestIssueAndVerify(t *testing.T) {
	t.Parallel()
	i, clock := issuer()
	text, err := i.Issue(claims())
	if err != nil {
		t.Fatal(err)
	}
	got, err := i.Verify(text, Access)
	if err != nil || got != *claims() {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err = i.Verify(text, Refresh); !errors.Is(err, ErrInvalid) {
		t.Errorf("an access token as a refresh token: %v", err)
	}
	clock.Set(claims().Expires - 1)
	if _, err = i.Verify(text, Access); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	clock.Set(claims().Expires)
	if _, err = i.Verify(text, Access); !errors.Is(err, ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
	clock.Set(now - core.Nanos(time.Second))
	if _, err = i.Verify(text, Access); !errors.Is(err, ErrInvalid) {
		t.Errorf("before its beginning: %v", err)
	}
	c := claims()
	c.Type = Refresh
	if text, err = i.Issue(c); err != nil {
		t.Fatal(err)
	}
	clock.Set(now)
	if _, err = i.Verify(text, Access); !errors.Is(err, ErrInvalid) {
		t.Errorf("a refresh token as an access token: %v", err)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	i, clock := issuer()
	old, _ := i.Issue(claims())
	before, end := i.ring.Generation(), now+core.Nanos(5*time.Minute)
	retired := ours
	retired.Expires = end
	i.ring.Set([]Key{retired, {ID: "k2", Secret: NewSecret(), Created: 2}, {ID: "k3", Secret: []byte("short"), Created: 3}})
	if i.ring.Generation() == before {
		t.Error("the generation stays")
	}
	next, err := i.Issue(claims())
	if err != nil {
		t.Fatal(err)
	}
	if head := header(t, next); head["kid"] != "k2" {
		t.Errorf("signed by %v", head["kid"])
	}
	if c, err := i.Verify(old, Access); err != nil || c.Expires != end {
		t.Errorf("an old token: %+v, %v", c, err)
	}
	clock.Set(end)
	if _, err := i.Verify(old, Access); !errors.Is(err, ErrInvalid) {
		t.Errorf("after the key's end: %v", err)
	}
	if _, err := i.Verify(next, Access); err != nil {
		t.Errorf("a new token: %v", err)
	}
	i.ring.Set(nil)
	if _, err := i.Issue(claims()); !errors.Is(err, ErrNoKey) || i.ring.Signs() {
		t.Errorf("no keys: %v", err)
	}
	if _, err := i.Verify(next, Access); !errors.Is(err, ErrInvalid) {
		t.Errorf("no keys: %v", err)
	}
}

func header(t *testing.T, text string) (h map[string]any) {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text[:strings.IndexByte(text, '.')])
	if err != nil || json.Unmarshal(b, &h) != nil {
		t.Fatal(text, err)
	}
	return h
}

// forge signs any header and claims with HMAC-SHA256 and our secret.
func forge(head, body any) string {
	h, _ := json.Marshal(head)
	b, _ := json.Marshal(body)
	text := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(b)
	mac := hmac.New(sha256.New, ours.Secret)
	_, _ = mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

type object = map[string]any

func goodHeader() object { return object{"alg": "HS256", "typ": "JWT", "kid": "k1"} }

func goodBody() object {
	at := int64(now / 1e9)
	return object{"iss": "qcat", "aud": []string{"qcat-api"}, "sub": "7", "exp": at + 900, "nbf": at, "iat": at,
		"jti": "j", "sid": "s", "epoch": 3, "typ": "access"}
}

func TestForgeryIsGoodUnchanged(t *testing.T) {
	t.Parallel()
	i, _ := issuer()
	if c, err := i.Verify(forge(goodHeader(), goodBody()), Access); err != nil || c != *claims() {
		t.Fatalf("%+v, %v: the attacks below would prove nothing", c, err)
	}
}

// TestAttackedHeader changes one thing of a token that is signed with our secret.
func TestAttackedHeader(t *testing.T) {
	t.Parallel()
	i, _ := issuer()
	for name, change := range map[string]object{
		"none":          {"alg": "none"},
		"None":          {"alg": "None"},
		"empty":         {"alg": ""},
		"HS384":         {"alg": "HS384"},
		"HS512":         {"alg": "HS512"},
		"RS256":         {"alg": "RS256"},
		"ES256":         {"alg": "ES256"},
		"EdDSA":         {"alg": "EdDSA"},
		"lower case":    {"alg": "hs256"},
		"no kid":        {"kid": ""},
		"kid number":    {"kid": 1},
		"kid list":      {"kid": []string{"k1"}},
		"unknown kid":   {"kid": "k2"},
		"kid path":      {"kid": "../../../../dev/null"},
		"kid SQL":       {"kid": "x' UNION SELECT 'secret"},
		"crit":          {"crit": []string{"exp"}},
		"unknown crit":  {"crit": []string{"b64"}, "b64": false},
		"crit empty":    {"crit": []string{}},
		"crit null":     {"crit": nil},
		"crit no array": {"crit": "x"},
	} {
		head := goodHeader()
		maps.Copy(head, change)
		if _, err := i.Verify(forge(head, goodBody()), Access); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]object{ // ignored: the key comes from the ring
		"jwk": {"jwk": object{"kty": "oct", "k": "AAAA"}}, "jku": {"jku": "https://evil.example/keys"}, "x5u": {"x5u": "https://evil.example"},
	} {
		head := goodHeader()
		maps.Copy(head, change)
		other := hmacWith(head, goodBody(), make([]byte, 3))
		if _, err := i.Verify(other, Access); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s with its own key: %v", name, err)
		}
	}
}

func hmacWith(head, body any, secret []byte) string {
	t := forge(head, body)
	t = t[:strings.LastIndexByte(t, '.')]
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(t))
	return t + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestAttackedClaims(t *testing.T) {
	t.Parallel()
	i, _ := issuer()
	at := int64(now / 1e9)
	for name, change := range map[string]object{
		"no iss": {"iss": nil}, "another iss": {"iss": "evil"},
		"no aud": {"aud": nil}, "empty aud": {"aud": []string{}}, "another aud": {"aud": "qcat-web"}, "aud prefix": {"aud": "qcat-api2"},
		"no exp": {"exp": nil}, "exp text": {"exp": "never"}, "no nbf": {"nbf": nil}, "nbf ahead": {"nbf": at + 2}, "iat ahead": {"iat": at + 2}, "no iat": {"iat": nil},
		"no sub": {"sub": nil}, "sub zero": {"sub": "0"}, "sub negative": {"sub": "-7"}, "sub text": {"sub": "admin"}, "sub number": {"sub": 7},
		"no sid": {"sid": nil}, "no jti": {"jti": nil},
		"no typ": {"typ": nil}, "refresh": {"typ": "refresh"}, "Access": {"typ": "Access"},
		"epoch text": {"epoch": "3"},
	} {
		body := goodBody()
		for k, v := range change {
			if body[k] = v; v == nil {
				delete(body, k)
			}
		}
		if _, err := i.Verify(forge(goodHeader(), body), Access); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	body := goodBody()
	body["exp"] = at
	if _, err := i.Verify(forge(goodHeader(), body), Access); !errors.Is(err, ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	if _, err := i.Verify(hmacWith(goodHeader(), body, []byte("x")), Access); !errors.Is(err, ErrInvalid) {
		t.Errorf("expired and forged: %v", err)
	}
}

// TestOtherAlgorithmsForReal are tokens that are good in their own algorithm.
func TestOtherAlgorithmsForReal(t *testing.T) {
	t.Parallel()
	i, _ := issuer()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method jwt.SigningMethod
		key    any
	}{
		{jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType},
		{jwt.SigningMethodHS384, ours.Secret},
		{jwt.SigningMethodHS512, ours.Secret},
		{jwt.SigningMethodRS256, private},
	} {
		token := jwt.NewWithClaims(tt.method, jwt.MapClaims(goodBody()))
		token.Header["kid"] = ours.ID
		text, err := token.SignedString(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = i.Verify(text, Access); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", tt.method.Alg(), err)
		}
	}
}

func TestAttackedText(t *testing.T) {
	t.Parallel()
	i, _ := issuer()
	good := forge(goodHeader(), goodBody())
	dot := strings.LastIndexByte(good, '.')
	for name, text := range map[string]string{
		"empty": "", "dots": "..", "no signature": good[:dot+1], "two parts": good[:dot], "four parts": good + ".x",
		"truncated": good[:len(good)-1], "extended": good + "A", "padded": good + "=", "space": good + " ", "line feed": good + "\n",
		"too long": good + strings.Repeat("A", maxToken), "another body": forge(goodHeader(), object{"sub": "1"})[:60] + good[60:],
		"loose bits": good[:len(good)-1] + next(good[len(good)-1]),
	} {
		if _, err := i.Verify(text, Access); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// next is the base64url digit after c, which differs in bits that 32 bytes do not fill.
func next(c byte) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return digits[strings.IndexByte(digits, c)+1:][:1]
}

func FuzzVerify(f *testing.F) {
	i, _ := issuer()
	good := forge(goodHeader(), goodBody())
	f.Add(good)
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := i.Verify(text, Access); err == nil && text != good {
			t.Fatalf("%q verifies", text)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	i, _ := issuer()
	text, _ := i.Issue(claims())
	for b.Loop() {
		if _, err := i.Verify(text, Access); err != nil {
			b.Fatal(err)
		}
	}
}
