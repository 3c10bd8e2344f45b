package main

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
)

// preflightWith runs the command with variables and returns its exit code and what it said.
func preflightWith(t *testing.T, vars map[string]string, args ...string) (int, string) {
	t.Helper()
	before, get := variables, environment
	variables = func() (all []string) {
		for name, value := range vars {
			all = append(all, name+"="+value)
		}
		return all
	}
	environment = func(name string) string { return vars[name] }
	defer func() { variables, environment = before, get }()
	var out bytes.Buffer
	code := run(t.Context(), append([]string{"preflight"}, args...), &out, &out)
	return code, out.String()
}

func TestPreflight(t *testing.T) {
	master := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdeF"))
	good := func() map[string]string {
		return map[string]string{"DB_PASSWORD": "3f6a1c0d9e8b7a65", "REDIS_PASSWORD": "0a1b2c3d4e5f6071", "GRAFANA_ADMIN_PASSWORD": "A.b_c+d/e=f-0123",
			"QCAT_MASTER_KEY": master, "QCAT_ADMIN_PASSWORD": "", "PATH": "CHANGE_ME", "DB_HOST": "postgres"}
	}
	if code, said := preflightWith(t, good()); code != 0 || !strings.Contains(said, "4 secrets are set") {
		t.Fatalf("what is right: %d, %s", code, said)
	}
	for _, c := range []struct{ name, value, want string }{
		{"DB_PASSWORD", "CHANGE_ME", "DB_PASSWORD: is still the placeholder"},
		{"POSTGRES_PASSWORD", "your-password", "POSTGRES_PASSWORD: is still the placeholder"},
		{"GRAFANA_ADMIN_PASSWORD", "admin", "GRAFANA_ADMIN_PASSWORD: is still the placeholder"},
		{"QCAT_MASTER_KEY", "CHANGE_ME", "QCAT_MASTER_KEY: is still the placeholder"},
		{"QCAT_MASTER_KEY", "MDEyMzQ1Njc4OWFiY2RlZg==", "not a master key"},
		{"REDIS_PASSWORD", "hunter2", "REDIS_PASSWORD: is too short"},
		{"REDIS_PASSWORD", "with$dollar0123", "REDIS_PASSWORD: has characters"},
		{"REDIS_PASSWORD", "with space 0123", "REDIS_PASSWORD: has characters"},
		{"SMTP_AUTH_PASSWORD", "changeme", "SMTP_AUTH_PASSWORD: is still the placeholder"},
		{"DATABASE_URL", "postgres://qcat:changeme@db/qcat", "still the placeholder"},
	} {
		vars := good()
		vars[c.name] = c.value
		code, said := preflightWith(t, vars)
		if code != 2 || !strings.Contains(said, c.want) {
			t.Errorf("%s=%s: %d, %s", c.name, c.value, code, said)
		}
		if strings.Contains(said, "hunter2") || strings.Contains(said, "with$") {
			t.Errorf("the secret is told: %s", said)
		}
	}
}

func TestPreflightTellsAllAtOnce(t *testing.T) {
	_, said := preflightWith(t, map[string]string{"DB_PASSWORD": "CHANGE_ME", "REDIS_PASSWORD": "CHANGE_ME"}, "--tls-cert", "/nowhere/server.crt", "--tls-key", "/nowhere/server.key")
	for _, want := range []string{"DB_PASSWORD", "REDIS_PASSWORD", "self-signed.sh"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing of %s: %s", want, said)
		}
	}
}

func TestPreflightReadsTheCertificate(t *testing.T) {
	broken := fileWith(t, "server.crt", []byte("no certificate"))
	if code, said := preflightWith(t, nil, "--tls-cert", broken, "--tls-key", broken); code != 2 || !strings.Contains(said, "tls-cert") {
		t.Errorf("%d, %s", code, said)
	}
}

// TestProductionFileServes holds the settings that are shipped against the program: every key is
// known, and limits and accounts are taken.
func TestProductionFileServes(t *testing.T) {
	t.Parallel()
	with, e := mustParse(t, "serve", "--config", "../../deploy/configs/production.yaml")
	if with.Serve.DataDir != "/app/data" || with.Serve.Demo || len(e.file.sections.Accounts) == 0 {
		t.Errorf("it says data-dir %s, demo %v, %d accounts", with.Serve.DataDir, with.Serve.Demo, len(e.file.sections.Accounts))
	}
	p := serve(t, "--config", "../../deploy/configs/production.yaml", "--demo", "--backup-dir", t.TempDir(), "--log-file", filepath.Join(t.TempDir(), "qcat.log"))
	p.live(btc)
}
