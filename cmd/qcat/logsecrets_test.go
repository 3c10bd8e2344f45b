package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"qcat/api/auth/signing"
	"qcat/api/client"
)

// intruder sends requests with what proves somebody, right and wrong, and remembers all of
// it.
type intruder struct {
	t       *testing.T
	addr    string
	secrets map[string]string // what it is, by the text that no log may have
}

// keep remembers a secret and returns it.
func (in *intruder) keep(secret, what string) string {
	in.t.Helper()
	if len(secret) < 8 {
		in.t.Fatalf("%s: %q is too short to be looked for", what, secret)
	}
	in.secrets[secret] = what
	return secret
}

// send sends one request, wants a status and returns the answer.
func (in *intruder) send(want int, method, target, body string, headers ...string) []byte {
	in.t.Helper()
	r, err := http.NewRequestWithContext(in.t.Context(), method, "http://"+in.addr+target, strings.NewReader(body))
	if err != nil {
		in.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		in.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		in.t.Errorf("%s %s: status %d, %v, want %d: %s", method, target, resp.StatusCode, err, want, answer)
	}
	return answer
}

// signed sends a request that is signed with a secret.
func (in *intruder) signed(want int, id, secret, method, target, body string) {
	in.t.Helper()
	stamp, nonce := strconv.FormatInt(time.Now().UnixMilli(), 10), in.keep(signing.Nonce(), "a nonce")
	signature := in.keep(string(signing.HMAC([]byte(secret), signing.Append(nil, stamp, "", nonce, method, target, body))), "a signature")
	in.send(want, method, target, body, signing.HeaderKey, id, signing.HeaderTimestamp, stamp, signing.HeaderNonce, nonce, signing.HeaderSignature, signature)
}

// login logs in and returns the tokens.
func (in *intruder) login(want int, user, password string) (access, refresh string) {
	in.t.Helper()
	body, err := json.Marshal(map[string]string{"user": user, "password": password})
	if err != nil {
		in.t.Fatal(err)
	}
	var got struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	answer := in.send(want, "POST", "/api/v1/auth/login", string(body))
	if want != http.StatusOK {
		return "", ""
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		in.t.Fatal(err)
	}
	return in.keep(got.Access, "an access token"), in.keep(got.Refresh, "a refresh token")
}

// TestNoSecretIsLogged drives logins, tokens, keys and signatures, good and bad, over both
// transports, at level debug, and looks for each of them in everything that was logged;
// and that who asked, and from where, is there.
func TestNoSecretIsLogged(t *testing.T) {
	t.Parallel()
	s, path := &site{t: t, dir: t.TempDir()}, filepath.Join(t.TempDir(), "qcat.log")
	in := &intruder{t: t, secrets: map[string]string{}}
	in.keep(secretPhrase, "a password")
	s.run(0, "", "create-user", "adam", "--admin")
	k := s.key("k", "--user", "adam", "--permissions", "read,trade")
	in.keep(k.Secret, "the secret of a key")
	p := s.serve("--log-level", "debug", "--log-file", path, "--log-sampling", "off", "--slow-query", "1ns")
	in.addr = p.addr

	eventually(t, "a key is taken", func() bool { // not in the server's first second
		conn, err := client.Dial(t.Context(), p.addr, client.Options{Auth: client.HMACKey(k.ID, k.Secret)})
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	access, refresh := in.login(200, "adam", secretPhrase)
	in.login(401, "adam", in.keep("a wrong password that is long", "a wrong password"))
	in.login(401, in.keep("password-typed-as-the-name", "what was typed as a name"), secretPhrase)
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	in.send(200, "GET", "/api/v1/accounts", "", bearer(access)...)
	in.send(401, "GET", "/api/v1/accounts", "", bearer(in.keep(access[:len(access)-4]+"AAAA", "a forged token"))...)
	in.send(401, "GET", "/api/v1/accounts", "", "Authorization", "Basic "+in.keep("YWRhbTpjb3JyZWN0", "a basic password"))
	in.send(400, "GET", "/api/v1/accounts?token="+in.keep("token-in-a-query", "a query"), "", bearer(access)...)
	in.send(404, "GET", "/api/v1/"+in.keep("token-in-a-path", "a path"), "", bearer(access)...)
	in.send(404, "GET", "/api/v1/orders/999999999?", "", bearer(access)...)
	in.signed(200, k.ID, k.Secret, "GET", "/api/v1/positions", "")
	in.signed(401, k.ID, in.keep("not the secret of the key", "a wrong secret"), "GET", "/api/v1/positions", "")
	in.signed(422, k.ID, k.Secret, "POST", "/api/v1/orders", `{"account":"desk1","instrument":"sim:BTCUSDT","side":"buy","type":"limit","time_in_force":"gtc","price":"1.00","qty":"0.010","client_order_id":"`+
		in.keep("client-order-1", "a body")+`"}`)
	var made struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(in.send(201, "POST", "/api/v1/apikeys", `{"name":"made","owner":"adam","permissions":["read"]}`, bearer(access)...), &made); err != nil {
		t.Fatal(err)
	}
	in.keep(made.Secret, "the secret of a key that was made")
	in.send(201, "POST", "/api/v1/users", `{"name":"eve","role":"viewer","password":"`+in.keep("eve's own long password", "a new user's password")+`"}`, bearer(access)...)
	var renewed struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(in.send(200, "POST", "/api/v1/auth/refresh", `{"refresh_token":"`+refresh+`"}`), &renewed); err != nil {
		t.Fatal(err)
	}
	in.keep(renewed.Access, "an access token")
	in.keep(renewed.Refresh, "a refresh token")
	in.send(401, "POST", "/api/v1/auth/refresh", `{"refresh_token":"`+refresh+`"}`) // used before: the session ends
	in.send(400, "POST", "/api/v1/auth/login", `{"user":"adam","password":"`+secretPhrase+`","password":"`+secretPhrase+`"`)

	if bad, err := client.Dial(t.Context(), p.addr, client.Options{Auth: client.HMACKey(k.ID, "not the secret of the key")}); err == nil {
		bad.Close()
		t.Error("a wrong secret was taken")
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{log, []byte(p.stderr.String()), []byte(p.stdout.String())} {
		for secret, what := range in.secrets {
			if i := bytes.Index(text, []byte(secret)); i >= 0 {
				t.Errorf("%s is logged: …%s", what, text[max(0, i-200):min(len(text), i+len(secret)+20)])
			}
		}
	}
	for _, want := range []string{
		`"API call","method":"POST","route":"/api/v1/auth/login","status":401`,
		`"API call","method":"GET","route":"/api/v1/accounts","status":200`,
		`"user":"adam","key":"` + k.ID + `","address":"127.0.0.1"`,
		`"API call","method":"GET","route":"other","status":404`,
		`"API call","method":"WS","route":"auth","status":200`,
		`"slow query","store":"sqlite","query":"`,
	} {
		if !bytes.Contains(log, []byte(want)) {
			t.Errorf("the log has no %s", want)
		}
	}
}
