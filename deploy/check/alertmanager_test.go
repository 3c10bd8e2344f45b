package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Secrets of these tests; none may be in the configuration, which names files with them.
const (
	slackSecret   = "/services/slack-secret"
	tokenSecret   = "token-secret"
	mailSecret    = "mail's secret"
	configureFile = "deploy/alertmanager/configure.sh"
)

// configure runs configure.sh with an environment of its own, and returns the folder it filled.
func configure(t *testing.T, environment ...string) (dir, output string, err error) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	cmd := exec.Command("/bin/sh", filepath.Join(root, configureFile), dir)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, environment...)
	out, err := cmd.CombinedOutput()
	return dir, string(out), err
}

// read is the configuration that was made.
func read(t *testing.T, dir string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "alertmanager.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// What the environment names is a receiver, what it leaves empty is none, and Alertmanager's
// own tool takes the result.
func TestAlertmanagerConfiguration(t *testing.T) {
	for _, c := range []struct {
		name        string
		environment []string
		want        map[string]int // how often each is there
	}{
		{"nobody", nil, map[string]int{"slack_configs": 0, "webhook_configs": 0, "email_configs": 0}},
		{"Slack", []string{"ALERT_SLACK_WEBHOOK_URL=https://hooks.example" + slackSecret}, map[string]int{"slack_configs": 2, "'#qcat-alerts'": 2, "webhook_configs": 0, "email_configs": 0}},
		{"a webhook", []string{"ALERT_WEBHOOK_URL=http://pager.example/it's"}, map[string]int{"webhook_configs": 2, "credentials_file": 0, "slack_configs": 0}},
		{"e-mail alone gets warnings too", []string{"ALERT_EMAIL_TO=ops@qcat.example", "ALERT_SMTP_HOST=mail.example:587"},
			map[string]int{"email_configs": 2, "'qcat@mail.example'": 2, "require_tls: true": 2, "auth_password_file": 0}},
		{"all", []string{"ALERT_SLACK_WEBHOOK_URL=https://hooks.example" + slackSecret, "ALERT_SLACK_CHANNEL=#night", "ALERT_WEBHOOK_URL=https://pager.example/", "ALERT_WEBHOOK_TOKEN=" + tokenSecret,
			"ALERT_EMAIL_TO=ops@qcat.example,dev@qcat.example", "ALERT_EMAIL_FROM=alerts@qcat.example", "ALERT_SMTP_HOST=mail.example:587", "ALERT_SMTP_USER=alerts", "ALERT_SMTP_PASSWORD=" + mailSecret, "ALERT_SMTP_TLS=false"},
			map[string]int{"slack_configs": 2, "'#night'": 2, "webhook_configs": 2, "credentials_file": 2, "email_configs": 1, "auth_password_file": 1, "require_tls: false": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, out, err := configure(t, c.environment...)
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if told := strings.Contains(out, "sent to nobody"); told != (c.environment == nil) {
				t.Errorf("it says %q", out)
			}
			text := read(t, dir)
			for what, want := range c.want {
				if got := strings.Count(text, what); got != want {
					t.Errorf("%s is there %d times, want %d:\n%s", what, got, want, text)
				}
			}
			for _, secret := range []string{slackSecret, tokenSecret, mailSecret} {
				if strings.Contains(text+out, secret) {
					t.Errorf("%q is in the configuration, or was said", secret)
				}
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			for _, f := range files {
				if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s may be read by others: %v %v", f, info.Mode(), err)
				}
			}
			checkRoutes(t, dir)
		})
	}
}

// checkRoutes asks Alertmanager's own tool about a configuration, and who is told what.
func checkRoutes(t *testing.T, dir string) {
	t.Helper()
	amtool := program(t, "amtool")
	if amtool == "" {
		return
	}
	conf := filepath.Join(dir, "alertmanager.yml")
	if out, err := exec.Command(amtool, "check-config", conf).CombinedOutput(); err != nil {
		t.Fatalf("amtool check-config: %v\n%s", err, out)
	}
	for _, c := range [][2]string{{"critical", "critical"}, {"warning", "warning"}, {"unheard-of", "warning"}} {
		out, err := exec.Command(amtool, "config", "routes", "test", "--config.file="+conf, "--verify.receivers="+c[1],
			"alertname=QCATDown", "job=qcat", "severity="+c[0]).CombinedOutput()
		if err != nil {
			t.Errorf("an alert that is %s does not go to %s: %s", c[0], c[1], out)
		}
	}
}

// What makes no sense stops the start, and the message names the variable, never its value.
func TestAlertmanagerRefuses(t *testing.T) {
	for _, c := range [][]string{
		{"ALERT_SMTP_HOST", "ALERT_EMAIL_TO=ops@qcat.example"},
		{"ALERT_SMTP_PASSWORD", "ALERT_EMAIL_TO=ops@qcat.example", "ALERT_SMTP_HOST=mail.example:25", "ALERT_SMTP_USER=alerts"},
		{"ALERT_SMTP_TLS", "ALERT_EMAIL_TO=ops@qcat.example", "ALERT_SMTP_HOST=mail.example:25", "ALERT_SMTP_TLS=perhaps"},
		{"ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_URL=" + tokenSecret},
		{"ALERT_SLACK_WEBHOOK_URL", "ALERT_SLACK_WEBHOOK_URL=https://hooks.example/" + tokenSecret + "\nroute: {}"},
	} {
		dir, out, err := configure(t, c[1:]...)
		if err == nil || !strings.Contains(out, c[0]) || strings.Contains(out, tokenSecret) {
			t.Errorf("%v: %v, %q", c[1:], err, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "alertmanager.yml")); err == nil {
			t.Errorf("%v: there is a configuration", c[1:])
		}
	}
}

// alert is one as Prometheus sends it.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Status      struct {
		State string `json:"state"`
	} `json:"status"`
}

// firing is an alert with the labels of QCAT itself and others.
func firing(name, severity string, labels ...string) alert {
	a := alert{Labels: map[string]string{"alertname": name, "severity": severity, "job": "qcat", "instance": "qcat:8082"},
		Annotations: map[string]string{"summary": "Summary of " + name + ".", "description": "Description of " + name + ".", "runbook_url": "https://docs.example/docs/operations.md#" + strings.ToLower(name)}}
	for i := 0; i < len(labels); i += 2 {
		a.Labels[labels[i]] = labels[i+1]
	}
	return a
}

// The real Alertmanager, started by entrypoint.sh: a critical alert reaches the webhook with
// its token and Slack with summary, description and runbook; what follows from another alert is
// held back, what does not is not.
func TestAlertmanager(t *testing.T) {
	if program(t, "alertmanager", "prometheus-alertmanager") == "" {
		return
	}
	told := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- r.URL.Path + " " + r.Header.Get("Authorization") + " " + string(body)
		fmt.Fprint(w, "ok")
	}))
	defer receiver.Close()
	api := startAlertmanager(t, "ALERT_WEBHOOK_URL="+receiver.URL+"/hook", "ALERT_WEBHOOK_TOKEN="+tokenSecret, "ALERT_SLACK_WEBHOOK_URL="+receiver.URL+slackSecret)

	sent := []struct {
		alert
		held bool
	}{
		{firing("QCATDown", "critical"), false},
		{firing("QCATHighErrorRate", "critical"), true},
		{firing("QCATHighErrorRate", "critical", "instance", "other:8082"), false},
		{firing("QCATDatabaseDown", "critical", "job", "postgres", "instance", "postgres-exporter:9187"), false},
		{firing("QCATStoreDown", "critical", "instance", "other:8082", "stream", "journal"), true},
		{firing("QCATJournalHalted", "critical", "instance", "third:8082"), false},
		{firing("QCATJournalLag", "critical", "instance", "third:8082"), true},
		{firing("QCATJournalLag", "critical", "instance", "other:8082"), false},
		{firing("QCATKillSwitch", "critical", "instance", "third:8082", "scope", "firm"), false},
		{firing("QCATHalted", "warning", "instance", "third:8082", "level", "account"), true},
		{firing("QCATLimitBreached", "warning", "instance", "third:8082"), false},
		{firing("QCATFeedStale", "critical", "instance", "third:8082", "feed", "a"), false},
		{firing("QCATFeedGaps", "warning", "instance", "third:8082", "feed", "a"), true},
		{firing("QCATFeedGaps", "warning", "instance", "third:8082", "feed", "b"), false},
		{firing("QCATCertificateEnding", "critical", "instance", "third:8082", "file", "a"), false},
		{firing("QCATCertificateEnding", "warning", "instance", "third:8082", "file", "a"), true},
		{firing("QCATCertificateEnding", "warning", "instance", "third:8082", "file", "b"), false},
	}
	var all []alert
	for _, s := range sent {
		all = append(all, s.alert)
	}
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(api+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer, err)
	}
	_ = answer.Body.Close()

	missing := map[string]func(string) bool{
		"webhook": func(s string) bool {
			return strings.HasPrefix(s, "/hook Bearer "+tokenSecret) && strings.Contains(s, `"runbook_url":"https://docs.example/docs/operations.md#qcatdown"`)
		},
		"Slack": func(s string) bool {
			return strings.HasPrefix(s, slackSecret) && strings.Contains(s, "[CRITICAL 1] QCATDown: Summary of QCATDown.") &&
				strings.Contains(s, "Description of QCATDown.") && strings.Contains(s, "what to do: https://docs.example/docs/operations.md#qcatdown")
		},
	}
	deadline := time.After(2 * patience)
	for len(missing) > 0 {
		select {
		case got := <-told:
			for who, is := range missing {
				if is(got) {
					delete(missing, who)
				}
			}
		case <-deadline:
			t.Fatalf("not told: %v", missing)
		}
	}

	// The first notifications are out: by then every alert has been looked at.
	var now []alert
	get(t, api+"/api/v2/alerts", &now)
	state := make(map[string]string)
	for _, a := range now {
		state[fmt.Sprint(a.Labels)] = a.Status.State
	}
	for _, s := range sent {
		if got := state[fmt.Sprint(s.Labels)]; (got == "suppressed") != s.held || got == "" {
			t.Errorf("%v is %q, held back: %v", s.Labels, got, s.held)
		}
	}
}

// startAlertmanager runs it as its container does, and returns its address when it is ready.
func startAlertmanager(t *testing.T, environment ...string) string {
	t.Helper()
	address := freePorts(t, 1)[0]
	dir := t.TempDir()
	cmd := exec.Command("/bin/sh", filepath.Join(root, "deploy/alertmanager/entrypoint.sh"),
		"--storage.path="+filepath.Join(dir, "data"), "--cluster.listen-address=", "--web.listen-address="+address)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "ALERTMANAGER_RUN_DIR=" + filepath.Join(dir, "run")}, environment...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); ; {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("Alertmanager ended: %v\n%s", err, said.String())
		case <-deadline:
			t.Fatal("Alertmanager does not become ready")
		case <-tick.C:
			if answer, err := http.Get("http://" + address + "/-/ready"); err == nil {
				_ = answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					return "http://" + address
				}
			}
		}
	}
}

// get reads an answer in JSON.
func get(t *testing.T, url string, into any) {
	t.Helper()
	answer, err := http.Get(url) //nolint:gosec // an address of this test
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
