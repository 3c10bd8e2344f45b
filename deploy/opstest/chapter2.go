package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"qcat/api/client"
	"qcat/deploy/opstest/box"
)

var chapters = []chapter{{"2", (*test).deploy}, {"3", (*test).monitor}, {"4", (*test).backUp}, {"5", (*test).logs},
	{"6", (*test).faults}, {"7", (*test).secure}, {"8", (*test).upgrade}, {"9", (*test).emergency}, {"3", (*test).alarm}}

// site is what the operator of this deployment has chosen.
type site struct {
	env             []string // of .env, in the shell
	values          map[string]string
	admin, password string
	key             client.Auth
	trader          *trader
	hook            *webhook
}

const composeFile = "docker-compose -f deploy/docker-compose.prod.yml "

// deploy is chapter 2: from nothing to a deployment that is well.
func (t *test) deploy() bool {
	ok := t.check("2.2", "git clone <repository-url> && cd qcat", func() error {
		return t.shell("cd /srv && git clone -q " + originRepo + " qcat")
	})
	ok = ok && t.command("2.2", "cp deploy/env.example .env")
	ok = ok && t.check("2.2", "with the placeholders of env.example nothing starts", t.refusesPlaceholders)
	ok = ok && t.check("2.2", "编辑.env文件，设置正确的密码和密钥", t.fillIn)
	ok = ok && t.command("2.2", "mkdir -p deploy/ssl")
	ok = ok && t.command("2.2", "deploy/ssl/self-signed.sh")
	ok = ok && t.command("2.2", composeFile+"up -d")
	ok = ok && t.check("2.2", "every container that has a health check becomes healthy", func() error {
		return t.engine.Settle(2 * time.Minute)
	})
	ok = ok && t.command("2.2", composeFile+"ps", `qcat_app\s+qcat\s+running \(healthy\)`, `qcat_nginx.*running \(healthy\)`,
		`qcat_postgres\s.*running \(healthy\)`, `qcat_redis\s.*running \(healthy\)`, `migrate\s+exited \(0\)`, `preflight\s+exited \(0\)`)
	t.notRun("2.2", "qcat_grafana", "Grafana is in no package of the distribution; its files are checked by deploy/check, and its queries in 3.1")

	if have := box.HardLimit(unix.RLIMIT_NOFILE); have < 65536 {
		t.notRun("2.2", "ulimits", fmt.Sprintf("this machine may give a container no more than %d open files", have))
	}
	t.notRun("2.2", "mem_limit, pids_limit, cpuset", "limits by control groups are not applied here; deploy/check has them")

	ok = ok && t.command("2.3", "curl http://localhost:8082/health", `"status":\s*"(ok|up|healthy)"|ok`)
	ok = ok && t.command("2.3", `docker exec qcat_postgres psql -U qcat_user -d qcat -c "SELECT 1;"`, `1 row`)
	ok = ok && t.command("2.3", "docker exec qcat_redis redis-cli -a $REDIS_PASSWORD ping", "PONG")
	return ok && t.enter() && t.frontDoor()
}

func (t *test) refusesPlaceholders() error {
	out, err := t.output(composeFile + "up -d")
	logs, _ := t.output(composeFile + "logs preflight")
	if err == nil {
		return errors.New("it starts:\n" + out)
	}
	if !strings.Contains(logs, "CHANGE_ME") && !strings.Contains(logs, "DB_PASSWORD") {
		return fmt.Errorf("it does not say why: %s\n%s", out, logs)
	}
	return t.shell(composeFile + "down")
}

var placeholder = regexp.MustCompile(`(?m)^([A-Z_]+)=CHANGE_ME$`)

// fillIn gives every secret a value, as env.example says.
func (t *test) fillIn() error {
	text, err := os.ReadFile(siteFolder + "/.env")
	if err != nil {
		return err
	}
	filled := placeholder.ReplaceAllStringFunc(string(text), func(line string) string {
		name, _, _ := strings.Cut(line, "=")
		if name == "QCAT_MASTER_KEY" {
			return name + "=" + base64.StdEncoding.EncodeToString(random(32))
		}
		return name + "=" + hex.EncodeToString(random(24))
	})
	if err := os.WriteFile(siteFolder+"/.env", []byte(filled), 0o600); err != nil {
		return err
	}
	token := hex.EncodeToString(random(12))
	if t.site.hook, err = listen(token); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"ALERT_WEBHOOK_URL": fmt.Sprintf("http://172.30.20.1:%d/", webhookPort), "ALERT_WEBHOOK_TOKEN": token,
		"QCAT_RUNBOOK_BASE": "https://docs.example/qcat",
	} {
		if err := t.set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// readEnv takes .env into the shell of the operator, as `set -a; . ./.env; set +a` does.
func (t *test) readEnv() error {
	text, err := os.ReadFile(siteFolder + "/.env")
	if err != nil {
		return err
	}
	t.site.env, t.site.values = nil, map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			t.site.env = append(t.site.env, line)
			t.site.values[name] = value
		}
	}
	return nil
}

// set changes a variable of .env, or adds it.
func (t *test) set(name, value string) error {
	text, err := os.ReadFile(siteFolder + "/.env")
	if err != nil {
		return err
	}
	line := regexp.MustCompile(`(?m)^` + name + `=.*$`)
	changed := line.ReplaceAllLiteralString(string(text), name+"="+value)
	if !line.MatchString(string(text)) {
		changed += name + "=" + value + "\n"
	}
	if err := os.WriteFile(siteFolder+"/.env", []byte(changed), 0o600); err != nil {
		return err
	}
	return t.readEnv()
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
