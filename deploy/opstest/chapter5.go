package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// logs is chapter 5: what is written where, and that a rotation loses no line.
func (t *test) logs() bool {
	ok := t.follow("5.3", "tail -f /app/logs/qcat.log | grep ERROR", "ERROR", func() error {
		return t.shell("docker stop qcat_postgres && sleep 3 && docker start qcat_postgres")
	})
	ok = t.check("5.3", "orders are acknowledged while the database is away, and it catches up", t.goesOn) && ok
	ok = t.follow("5.3", `tail -f /app/logs/qcat.log | grep "slow query"`, "slow query", func() error {
		hold := `docker exec qcat_postgres psql -U qcat_user -d qcat -c "BEGIN; LOCK TABLE quotes IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(2); COMMIT"`
		return t.shell(hold + " & sleep 0.5; curl -sm 5 http://localhost:8082/health >/dev/null; " + t.signed("quotes/"+instrument) + "; wait")
	}) && ok
	ok = t.command("5.3", `grep "API call" /app/logs/qcat.log | wc -l`, `^[1-9]\d*\s*$`) && ok
	ok = t.command("5.1", "ls /var/log/nginx/ && tail -n1 /var/log/nginx/access.log", `"status":\d+`) && ok
	ok = t.command("5.1", "docker logs qcat_postgres | tail -n 5") && ok
	ok = t.command("5.2", manualRotation) && ok
	ok = t.check("5.2", "under load: logrotate -f /etc/logrotate.d/qcat, three times; no line is lost or torn", t.rotate) && ok
	ok = t.check("5.2", "the file of deploy/logrotate: logrotate -f, nginx's logs too", func() error {
		return t.shell("cp deploy/logrotate/qcat /etc/logrotate.d/qcat && logrotate -f /etc/logrotate.d/qcat && curl -sk https://localhost/health && ls /var/log/nginx/access.log.1 && test -s /var/log/nginx/access.log")
	}) && ok
	return ok
}

// manualRotation is the manual's command, as it stands there.
//
//nolint:dupword // a user and a group
const manualRotation = `cat > /etc/logrotate.d/qcat << EOF
/app/logs/*.log {
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
EOF`

// follow runs a command that does not end by itself until it shows a line, which must be
// there half a minute after something was done.
func (t *test) follow(number, line, want string, do func() error) bool {
	return t.check(number, line, func() error {
		// grep writes in blocks into a pipe, and at once on a terminal, where an operator sits.
		cmd := exec.Command("script", "-qefc", line, "/dev/null")
		cmd.Dir, cmd.Env = siteFolder, slices.Concat(os.Environ(), hostEnv, t.site.env)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		found := make(chan string, 1)
		go func() {
			lines := bufio.NewScanner(out)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				if strings.Contains(lines.Text(), want) {
					found <- lines.Text()
					return
				}
			}
		}()
		defer func() {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
			_ = cmd.Wait()
		}()
		if err := do(); err != nil {
			return err
		}
		select {
		case <-found:
			return nil
		case <-time.After(30 * time.Second):
			return errors.New("it shows no line")
		}
	})
}

// rotate compares what the files hold with what the same program wrote to its standard
// error, which nobody rotates.
func (t *test) rotate() error {
	stop := load()
	defer stop()
	for range 3 {
		if err := t.shell("logrotate -f /etc/logrotate.d/qcat"); err != nil {
			return err
		}
		if err := t.site.trader.progresses(20 * time.Second); err != nil {
			return err
		}
	}
	stop()
	t.site.trader.pause()
	defer t.site.trader.resume()
	return eventually(10*time.Second, func() error {
		kept, err := t.output("ls -tr /app/logs/qcat.log* | while read -r f; do case $f in *.gz) zcat $f ;; *) cat $f ;; esac; done")
		if err != nil {
			return err
		}
		shown, err := t.output("docker logs qcat_app")
		if err != nil {
			return err
		}
		return sameLines(kept, shown)
	})
}

// load asks the API until stop, which may be called twice; each request is a line of the log.
func load() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if resp, err := http.Get("http://localhost:8082/api/v1/accounts"); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// sameLines says whether the end of one text, from the first line that the other has, is
// the other, line by line, whatever their order: two writers are not one.
func sameLines(kept, shown string) error {
	count := map[string]int{}
	for line := range strings.Lines(shown) {
		if strings.HasPrefix(line, "{") {
			count[line]++
		}
	}
	lines := 0
	for line := range strings.Lines(kept) {
		if !strings.HasSuffix(line, "}\n") || !strings.HasPrefix(line, "{") {
			return fmt.Errorf("a torn line: %q", line)
		}
		lines++
		count[line]--
	}
	missing := 0
	var example string
	for line, n := range count {
		if n > 0 {
			missing += n
			example = line
		}
	}
	if missing > 0 || lines < 100 {
		return fmt.Errorf("%d lines are in the files; %d of docker logs are missing, such as\n%s", lines, missing, example)
	}
	return nil
}

// signed is a command that asks the API by the administrator's password.
func (t *test) signed(path string) string {
	return fmt.Sprintf(`token=$(curl -s http://localhost:8082/api/v1/auth/login -d '{"user":"%s","password":"%s"}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/'); curl -fsS -m 5 -H "Authorization: Bearer $token" http://localhost:8082/api/v1/%s >/dev/null`,
		t.site.admin, t.site.password, path)
}
