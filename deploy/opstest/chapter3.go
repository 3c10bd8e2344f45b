package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// monitor is chapter 3: what is measured, and who is told.
func (t *test) monitor() bool {
	ok := t.command("3.1", "curl -fsS http://localhost:9090/-/ready", "Ready")
	ok = t.command("3.1", "curl -fsS http://localhost:9093/-/ready", "OK") && ok
	t.notRun("3.1", "http://localhost:3000", "Grafana is in no package of the distribution; what its panels ask is asked below")
	ok = t.check("3.1", "every target of Prometheus is up", func() error {
		return eventually(20*time.Second, func() error {
			down, err := query("up == 0")
			if err == nil && down > 0 {
				err = fmt.Errorf("%d targets are down", down)
			}
			if up, _ := query("up == 1"); err == nil && up < 5 {
				err = fmt.Errorf("%d targets are up, of five", up)
			}
			return err
		})
	}) && ok
	for _, expr := range []string{`up{job="qcat"}`, `rate(http_requests_total[5m])`,
		`histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m]))`, `pg_stat_database_numbackends`, `redis_memory_used_bytes`} {
		ok = t.check("3.2", expr, func() error { return allHaveData([]string{expr}, 20*time.Second) }) && ok
	}
	ok = t.check("3.3", "the rules are evaluated, and what they look at is there", t.rulesLook) && ok
	boards, _ := filepath.Glob(siteFolder + "/deploy/grafana/dashboards/*.json")
	if len(boards) == 0 {
		ok = t.check("3.1", "dashboards", func() error { return errors.New("there are none") })
	}
	for _, board := range boards {
		ok = t.check("3.1", "every panel's query of "+filepath.Base(board), func() error {
			exprs, err := panelQueries(board)
			if err != nil {
				return err
			}
			return allHaveData(exprs, 15*time.Second)
		}) && ok
	}
	return ok
}

// alarm is the rest of chapter 3, which stops the application for more than a minute.
func (t *test) alarm() bool {
	ok := t.command("3.3", composeFile+"stop qcat")
	ok = t.check("3.3", "the stopped application raises QCATDown, which Alertmanager tells the webhook", func() error {
		return eventually(2*time.Minute, func() error {
			told, err := t.site.hook.find("QCATDown", "firing")
			if err != nil {
				return err
			}
			if told.Labels["severity"] != "critical" || told.Annotations["summary"] == "" || told.Annotations["description"] == "" ||
				!strings.HasSuffix(told.Annotations["runbook_url"], "/docs/operations.md#qcatdown") {
				return fmt.Errorf("it says %v %v", told.Labels, told.Annotations)
			}
			return nil
		})
	}) && ok
	ok = t.command("3.3", composeFile+"start qcat") && ok
	ok = t.check("3.3", "its orders go on, and nothing that was acknowledged is lost", t.goesOn) && ok
	return ok
}

// goesOn waits for the trader to trade again, and checks what it has.
func (t *test) goesOn() error {
	if err := t.site.trader.progresses(90 * time.Second); err != nil {
		return err
	}
	return t.site.trader.nothingLost()
}

func (t *test) rulesLook() error {
	var all []rule
	err := eventually(20*time.Second, func() (err error) {
		if all, err = rules(); err != nil {
			return err
		}
		for _, r := range all {
			if r.Health != "ok" {
				return fmt.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var exprs, names []string
	for _, r := range all {
		if r.Type == "recording" {
			exprs = append(exprs, r.Name)
		} else {
			exprs, names = append(exprs, measured(r.Query)), append(names, r.Name)
		}
	}
	for _, name := range []string{"QCATDown", "QCATHighErrorRate", "QCATSlowResponses", "QCATDatabaseConnections", "QCATMemory"} {
		if !strings.Contains(strings.Join(names, " ")+" ", name+" ") {
			return fmt.Errorf("there is no alert %s", name)
		}
	}
	return allHaveData(exprs, 15*time.Second)
}
