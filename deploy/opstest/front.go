package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"qcat/api/client"
)

// enter makes users and a key on the command line, and begins to trade.
func (t *test) enter() bool {
	t.site.admin, t.site.password = "ops", fmt.Sprintf("%x", random(12))
	ok := t.check("7.2", "docker exec -e QCAT_PASSWORD=… qcat_app /app/qcat create-user ops --admin", func() error {
		return t.shell("docker exec -e QCAT_PASSWORD=" + t.site.password + " qcat_app /app/qcat create-user ops --admin")
	})
	ok = ok && t.check("7.2", "docker exec -e QCAT_PASSWORD=… qcat_app /app/qcat create-user trader1 --role trader --scope "+account, func() error {
		return t.shell("docker exec -e QCAT_PASSWORD=" + t.site.password + "-1 qcat_app /app/qcat create-user trader1 --role trader --scope " + account)
	})
	ok = ok && t.check("7.2", "docker exec qcat_app /app/qcat create-apikey bot --user trader1 --permissions read,trade --json", func() error {
		out, err := t.output("docker exec qcat_app /app/qcat create-apikey bot --user trader1 --permissions read,trade --json")
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		var key struct{ ID, Secret string }
		if err := json.Unmarshal([]byte(out), &key); err != nil {
			return err
		}
		t.site.key = client.HMACKey(key.ID, key.Secret)
		return nil
	})
	return ok && t.check("2.3", "an order and the stream of orders, over TLS through nginx, by that key", func() error {
		return eventually(20*time.Second, func() (err error) {
			if t.site.trader == nil {
				if t.site.trader, err = startTrader(t.site.key); err != nil {
					return err
				}
			}
			if err := t.site.trader.progresses(5 * time.Second); err != nil {
				return err
			}
			return t.site.trader.nothingLost()
		})
	})
}

// frontDoor is what nginx promises.
func (t *test) frontDoor() bool {
	ok := t.check("2.3", "http is sent to https", func() error {
		direct := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := direct.Get("http://127.0.0.1/swagger?x=1")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusPermanentRedirect || to != "https://127.0.0.1/swagger?x=1" {
			return fmt.Errorf("%s, to %q", resp.Status, to)
		}
		return nil
	})
	ok = t.check("2.3", "TLS 1.1 is refused, answers carry HSTS, /metrics and /debug are not outside", t.sealed) && ok
	ok = t.check("2.3", "a client's own X-Forwarded-For is not believed: it stays within its bound, whatever it says", t.notBelieved) && ok
	return t.command("10.2", "curl -fsS http://localhost:8082/swagger") && ok
}

func (t *test) sealed() error {
	if out, err := t.output("curl -sk --tls-max 1.1 https://localhost/health"); err == nil {
		return errors.New("TLS 1.1 is taken: " + out)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "//metrics"} {
		got, err := t.get(path, nil)
		if err != nil {
			return err
		}
		if got.status != http.StatusNotFound {
			return fmt.Errorf("%s: %d", path, got.status)
		}
	}
	got, err := t.get("/health", nil)
	if err != nil {
		return err
	}
	if got.header.Get("Strict-Transport-Security") == "" {
		return errors.New("no Strict-Transport-Security")
	}
	return nil
}

// notBelieved logs in with a wrong password from ever new addresses, as it says: the audit
// log has the one that it really came from.
func (t *test) notBelieved() error {
	for i := range 3 {
		header := http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i+1)}, "Forwarded": {"for=203.0.113.9"}, "X-Real-Ip": {"203.0.113.8"}}
		got, err := t.post("/api/v1/auth/login", `{"user":"nobody-here","password":"wrong-wrong-wrong"}`, header)
		if err != nil {
			return err
		}
		if got.status < 400 {
			return fmt.Errorf("the login is answered %d", got.status)
		}
	}
	out, err := t.output("docker exec qcat_app /app/qcat audit-logs --days 1")
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	if strings.Contains(out, "203.0.113.") {
		return errors.New("the audit log believes it:\n" + out)
	}
	if !strings.Contains(out, "172.30.10.1") {
		return errors.New("the audit log does not have the address that it came from, 172.30.10.1:\n" + out)
	}
	return nil
}

// answer of nginx.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks nginx, over TLS that is verified.
func (t *test) get(path string, header http.Header) (answer, error) {
	return t.send(http.MethodGet, path, "", header)
}

func (t *test) post(path, body string, header http.Header) (answer, error) {
	return t.send(http.MethodPost, path, body, header)
}

func (t *test) send(method, path, body string, header http.Header) (answer, error) {
	roots, err := trusted()
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequest(method, "https://localhost"+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	transport := &http.Transport{TLSClientConfig: roots}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}, err
}
