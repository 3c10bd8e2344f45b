package attack_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"qcat/api/hub"
	"qcat/core/identity"
)

var b64 = base64.RawURLEncoding

// forge signs a header and claims by HMAC-SHA256 as anybody can.
func forge(t *testing.T, header, claims map[string]any, secret string) string {
	t.Helper()
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := b64.EncodeToString(h) + "." + b64.EncodeToString(c)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + b64.EncodeToString(mac.Sum(nil))
}

// part reads a part of a token.
func part(t *testing.T, token string, i int) (m map[string]any) {
	t.Helper()
	raw, err := b64.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// with is a copy of a map with one more pair.
func with(m map[string]any, name string, value any) map[string]any {
	c := maps.Clone(m)
	c[name] = value
	return c
}

// TestTokensThatOpenNothing: what is not a token of ours, unchanged, is refused alike by a route,
// by the upgrade and by the socket's auth, and what it claims is never looked at.
func TestTokensThatOpenNothing(t *testing.T) {
	s := serve(t)
	good := s.login("ann")
	h, c := part(t, good.Access, 0), part(t, good.Access, 1)
	pieces := strings.Split(good.Access, ".")
	raw, err := json.Marshal(with(c, "sub", "6"))
	if err != nil {
		t.Fatal(err)
	}
	attacks := map[string]string{
		"nothing":               "",
		"no signature":          pieces[0] + "." + pieces[1] + ".",
		"alg none":              b64.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + pieces[1] + ".",
		"alg None, kid":         forge(t, with(h, "alg", "None"), c, ""),
		"alg HS512":             forge(t, with(h, "alg", "HS512"), c, ""),
		"alg RS256":             forge(t, with(h, "alg", "RS256"), c, ""),
		"the kid as the secret": forge(t, h, c, fmt.Sprint(h["kid"])),
		"an empty secret":       forge(t, h, c, ""),
		"a kid that is a path":  forge(t, with(h, "kid", "../../../../dev/null"), c, ""),
		"a kid that is SQL":     forge(t, with(h, "kid", "' UNION SELECT ''; --"), c, ""),
		"a key of its own":      forge(t, with(h, "jwk", map[string]string{"kty": "oct", "k": ""}), c, ""),
		"a key from elsewhere":  forge(t, with(h, "jku", "http://evil.example/keys"), c, ""),
		"unknown crit":          forge(t, with(h, "crit", []string{"b64"}), c, ""),
		"another user":          pieces[0] + "." + b64.EncodeToString(raw) + "." + pieces[2],
		"a refresh token":       good.Refresh,
		"twice":                 good.Access + "," + good.Access,
		"a tail":                good.Access + ".x",
		"padded":                good.Access + "=",
		"a NUL":                 good.Access + "\x00",
	}
	n := 0
	for name, token := range attacks {
		if !strings.Contains(token, "\x00") { // no header can have that
			s.ask("GET", ordersPath, "", bearer(token)).refused(http.StatusUnauthorized, "")
		}
		refresh := s.ask("POST", "/api/v1/auth/refresh", fmt.Sprintf(`{"refresh_token":%q}`, strings.ReplaceAll(token, "\x00", "0")))
		if ours := name == "a refresh token"; ours != (refresh.status == http.StatusOK) || !ours && refresh.code() == "" {
			t.Errorf("%s: refreshing is answered %d %s", name, refresh.status, refresh.body)
		}
		if n++; n%3 > 0 {
			continue // too many wrong proofs from an address lock its sockets
		}
		socket := s.open()
		if got := s.say(socket, fmt.Sprintf(`{"op":"auth","id":1,"token":%q}`, strings.ReplaceAll(token, "\x00", "0"))); got.OK {
			t.Errorf("%s opened a socket", name)
		}
		if got := s.say(socket, `{"op":"order","id":1,`+order("demo", "x")[1:]); got.OK {
			t.Errorf("%s: an order was taken", name)
		}
	}
	if _, resp, err := s.socket(bearer(attacks["alg none"])); err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("upgrade: %v", err)
	}
	s.ask("GET", ordersPath, "", bearer(good.Access)).ok()
}

// TestStolenRefreshEndsEverything: a refresh token that is used again, by whomever, ends the
// session of both: their access tokens, and their sockets.
func TestStolenRefreshEndsEverything(t *testing.T) {
	s := serve(t)
	stolen := s.login("ann")
	bystander := s.login("ann")
	var thief tokens
	s.ask("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+stolen.Refresh+`"}`).ok().into(&thief)
	socket := s.open(bearer(thief.Access))
	other := s.open(bearer(bystander.Access))
	s.ask("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+stolen.Refresh+`"}`).refused(401, "auth.reused")
	if code := s.closes(socket); code < 4000 {
		t.Errorf("the thief's socket ended with %d", code)
	}
	for _, token := range []string{stolen.Access, thief.Access} {
		s.ask("GET", ordersPath, "", bearer(token)).refused(401, "auth.revoked")
	}
	s.ask("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+thief.Refresh+`"}`).refused(401, "")
	s.ask("GET", ordersPath, "", bearer(bystander.Access)).ok() // another session is not touched
	if got := s.say(other, `{"op":"ping","id":1}`); !got.OK {
		t.Errorf("the other session's socket: %+v", got)
	}
}

// TestSignaturesAreGoodOnce: a signed request is good for what it was made for, once, now.
func TestSignaturesAreGoodOnce(t *testing.T) {
	s := serve(t)
	k := s.newKey("ann", identity.Read|identity.Trade)
	body := order("demo", "once")
	proof := k.sign("POST", ordersPath, body, time.Now())
	if a := s.ask("POST", ordersPath, body, proof...); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	s.ask("POST", ordersPath, body, proof...).refused(401, "auth.replayed")

	fresh := func() []string { return k.sign("POST", ordersPath, body, time.Now()) }
	s.ask("POST", ordersPath, strings.Replace(body, "0.010", "9.010", 1), fresh()...).refused(401, "auth.signature")
	s.ask("POST", ordersPath, body+" ", fresh()...).refused(401, "auth.signature")
	s.ask("PATCH", ordersPath, body, fresh()...).refused(401, "auth.signature")
	s.ask("POST", ordersPath+"/check", body, fresh()...).refused(401, "auth.signature")
	s.ask("POST", ordersPath+"?", body, fresh()...).refused(401, "auth.signature")
	s.ask("POST", "/api/v1/%6frders", body, fresh()...).refused(401, "auth.signature")
	s.ask("POST", "/api//v1/orders", body, fresh()...).refused(401, "auth.signature")
	s.ask("POST", ordersPath, body, append(fresh(), "X-HTTP-Method-Override: DELETE")...).ok()

	for off, code := range map[time.Duration]string{
		-time.Hour: "auth.timestamp", -6 * time.Second: "auth.timestamp", 3 * time.Second: "auth.timestamp", time.Hour: "auth.timestamp",
	} {
		a := s.ask("POST", ordersPath, body, k.sign("POST", ordersPath, body, time.Now().Add(off))...)
		a.what = off.String()
		a.refused(401, code)
	}
	s.ask("POST", ordersPath, body, k.sign("POST", ordersPath, body, time.Now().Add(-2*time.Second))...).ok()
}

// TestSignatureOfOneDoorOpensNoOther: what was signed for the upgrade is not good as an op, and a
// nonce that was used on one is used on the other.
func TestSignatureOfOneDoorOpensNoOther(t *testing.T) {
	s := serve(t)
	k := s.newKey("ann", identity.Read|identity.Trade)
	op := func(proof []string) string {
		f := map[string]string{}
		for _, line := range proof {
			name, value, _ := strings.Cut(line, ": ")
			f[strings.ToLower(strings.TrimPrefix(name, "X-QCAT-"))] = value
		}
		return fmt.Sprintf(`{"op":"auth","id":1,"key":%q,"timestamp":%s,"nonce":%q,"signature":%q}`, f["key"], f["timestamp"], f["nonce"], f["signature"])
	}
	upgrade := k.sign("GET", "/api/v1/ws", "", time.Now())
	if got := s.say(s.open(), op(upgrade)); got.OK || got.Error.Code != "auth.signature" {
		t.Errorf("the upgrade's signature as an op: %+v", got)
	}
	s.open(upgrade...)
	if _, resp, err := s.socket(upgrade...); err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the upgrade again: %v", err)
	}
	proof := k.sign("WS", "/api/v1/ws", "", time.Now())
	if got := s.say(s.open(), op(proof)); !got.OK {
		t.Fatalf("%+v", got)
	}
	if got := s.say(s.open(), op(proof)); got.OK || got.Error.Code != "auth.replayed" {
		t.Errorf("the op again: %+v", got)
	}
	if code := s.closes(s.openAndSay(`{"op":"auth","id":1,"token":"x"}`, 3)); code != int(hub.NotAllowed.Code) {
		t.Errorf("three wrong proofs end with %d", code)
	}
}
