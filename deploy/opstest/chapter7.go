package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// secure is chapter 7: keys, certificates, and who did what.
func (t *test) secure() bool {
	var token string
	ok := t.check("7.1", "a session begins", func() (err error) {
		token, err = t.login()
		return err
	})
	ok = t.command("7.1", "docker exec qcat_app /app/qcat rotate-jwt") && ok
	ok = t.check("7.1", "its token, of the key before, is still good; and so is one of the new key", func() error {
		if err := t.whoAmI(token); err != nil {
			return err
		}
		fresh, err := t.login()
		if err != nil {
			return err
		}
		return t.whoAmI(fresh)
	}) && ok
	ok = t.command("7.1", "docker exec qcat_app /app/qcat rotate-keys") && ok
	ok = t.check("7.1", "sessions and API keys go on", func() error {
		return errors.Join(t.whoAmI(token), t.goesOn())
	}) && ok
	ok = t.certificate() && ok
	ok = t.command("7.2", "docker exec qcat_app /app/qcat list-users", `ops\s.*admin`, `trader1\s.*trader`) && ok
	ok = t.command("7.2", "docker exec qcat_app /app/qcat audit-logs --days 7", "create-user|user.create|users?") && ok
	return t.command("7.2", "docker exec qcat_app /app/qcat list-apikeys", "bot") && ok
}

// certificate puts another in the place of nginx's.
func (t *test) certificate() bool {
	var before, after string
	ok := t.check("7.1", "another certificate is made", func() (err error) {
		if before, err = servedCertificate(); err != nil {
			return err
		}
		return t.shell("mkdir -p new && deploy/ssl/self-signed.sh localhost new && mv new/server.crt new_cert.crt && mv new/server.key new_key.key")
	})
	ok = t.command("7.1", "cp new_cert.crt deploy/ssl/server.crt") && ok
	ok = t.command("7.1", "cp new_key.key deploy/ssl/server.key") && ok
	ok = t.command("7.1", "docker restart qcat_nginx") && ok
	return t.check("7.1", "nginx serves it, and the stream of orders is back", func() error {
		err := eventually(20*time.Second, func() (err error) {
			if after, err = servedCertificate(); err == nil && after == before {
				err = errors.New("it is the one before")
			}
			return err
		})
		if err != nil {
			return err
		}
		return t.goesOn()
	}) && ok
}

// servedCertificate is the serial number of nginx's.
func servedCertificate() (string, error) {
	roots, err := trusted()
	if err != nil {
		return "", err
	}
	roots.VerifyConnection = nil // it may be the one before
	conn, err := tls.Dial("tcp", front, roots)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}

// login begins a session through nginx.
func (t *test) login() (string, error) {
	body := fmt.Sprintf(`{"user":%q,"password":%q}`, t.site.admin, t.site.password)
	var token string
	err := eventually(15*time.Second, func() error { // nginx takes one a second
		got, err := t.post("/api/v1/auth/login", body, nil)
		if err != nil {
			return err
		}
		if got.status != http.StatusOK {
			return fmt.Errorf("%d: %s", got.status, got.body)
		}
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil || answer.AccessToken == "" {
			return fmt.Errorf("no token (%w)", err)
		}
		token = answer.AccessToken
		return nil
	})
	return token, err
}

// whoAmI asks something that needs a session.
func (t *test) whoAmI(token string) error {
	got, err := t.get("/api/v1/accounts", http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		return fmt.Errorf("%d: %s", got.status, got.body)
	}
	return nil
}
