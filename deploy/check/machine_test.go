package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnit holds the unit of systemd against systemd, with what it names put where it is not.
func TestUnit(t *testing.T) {
	analyze := installed("systemd-analyze")
	if analyze == "" {
		return
	}
	dir := t.TempDir()
	nothing := write(t, filepath.Join(dir, "qcat"), "#!/bin/sh\n", 0o755)
	unit := replaced(t, file(t, "deploy/systemd/qcat.service"), "=/app/qcat ", "="+nothing+" ", "file:/app/docs", "file:"+dir)
	path := write(t, filepath.Join(dir, "qcat.service"), unit, 0o600)
	out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, path) || strings.Contains(line, "qcat.service") {
			t.Errorf("systemd says: %s", line)
		}
	}
	if err != nil && len(out) == 0 {
		t.Error(err)
	}
	for _, want := range []string{"User=qcat", "LimitNOFILE=65536", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "Restart=on-failure"} {
		if !strings.Contains(unit, want) {
			t.Errorf("the unit says nothing of %s", want)
		}
	}
}

// TestLogrotate rotates twice by each of the files: the log is renamed, then compressed, the new
// one is there for the process, and the process is told.
func TestLogrotate(t *testing.T) {
	logrotate := program(t, "logrotate", "/usr/sbin/logrotate")
	if logrotate == "" {
		return
	}
	if os.Getuid() != 0 {
		t.Log("not root: the owner of the new file is not seen")
	}
	for _, c := range []struct{ name, told string }{{"qcat", "docker exec qcat_app kill -USR1 1"}, {"qcat-systemd", "systemctl kill --kill-who=main -s USR1 qcat.service"}} {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		told := filepath.Join(dir, "told")
		stub := "#!/bin/sh\necho \"$(basename \"$0\") $*\" >>" + told + "\n"
		for _, name := range []string{"docker", "systemctl"} {
			write(t, filepath.Join(dir, "bin", name), stub, 0o755)
		}
		text := replaced(t, file(t, "deploy/logrotate/"+c.name), "/app/logs/", dir+"/logs/", " qcat qcat\n", "\n")
		text = strings.ReplaceAll(text, "/var/log/nginx/", dir+"/nginx/")
		conf := write(t, filepath.Join(dir, "conf"), text, 0o644)
		log := write(t, filepath.Join(dir, "logs/qcat.log"), "first\n", 0o644)
		rotate := func() {
			cmd := exec.Command(logrotate, "-f", "-s", filepath.Join(dir, "state"), conf)
			cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", c.name, err, out)
			}
		}
		rotate()
		if raw, err := os.ReadFile(log + ".1"); err != nil || string(raw) != "first\n" {
			t.Errorf("%s: the last log holds %q, %v", c.name, raw, err)
		}
		if info, err := os.Stat(log); err != nil || info.Size() != 0 {
			t.Errorf("%s: there is no new log: %v", c.name, err)
		}
		write(t, log, "second\n", 0o644)
		rotate()
		if _, err := os.Stat(log + ".2.gz"); err != nil {
			t.Errorf("%s: the log before the last is not compressed: %v", c.name, err)
		}
		if raw, _ := os.ReadFile(told); strings.TrimSpace(string(raw)) != c.told+"\n"+c.told {
			t.Errorf("%s: the process was told %q", c.name, raw)
		}
	}
}

// TestLogrotateIsTheManuals: the part for QCAT's log is what the manual says.
func TestLogrotateIsTheManuals(t *testing.T) {
	const manual = `/app/logs/*.log {
    daily
    missingok
    rotate 30
    compress
    delaycompress
    notifempty
    create 644 qcat qcat
    postrotate
        docker exec qcat_app kill -USR1 1
    endscript
}
`
	if !strings.Contains(file(t, "deploy/logrotate/qcat"), manual) {
		t.Error("deploy/logrotate/qcat is another")
	}
}
