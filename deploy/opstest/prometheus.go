package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// query asks Prometheus and returns how many series it answers.
func query(expr string) (int, error) {
	var answer struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     []json.RawMessage
		}
	}
	resp, err := http.PostForm("http://localhost:9090/api/v1/query", url.Values{"query": {expr}})
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s: %s", expr, answer.Error)
	}
	return len(answer.Data.Result), nil
}

// hasData is nil where a query returns something.
func hasData(expr string) error {
	n, err := query(expr)
	if err == nil && n == 0 {
		err = fmt.Errorf("no data: %s", expr)
	}
	return err
}

// allHaveData asks every expression until each has returned something, and returns those
// that did not.
func allHaveData(exprs []string, limit time.Duration) error {
	missing := exprs
	deadline := time.Now().Add(limit)
	for {
		var still []string
		var errs []error
		for _, e := range missing {
			if err := hasData(e); err != nil {
				still, errs = append(still, e), append(errs, err)
			}
		}
		if len(still) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d:\n%w", len(still), len(exprs), errors.Join(errs...))
		}
		missing = still
		time.Sleep(time.Second)
	}
}

// panelQueries are the expressions of a dashboard, with its variables at their widest.
func panelQueries(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var board any
	if err := json.Unmarshal(text, &board); err != nil {
		return nil, err
	}
	var found []string
	var walk func(any, bool)
	walk = func(node any, marks bool) {
		switch n := node.(type) {
		case map[string]any:
			expr, asks := n["expr"].(string)
			if marks { // which are there only when something happened
				expr = measured(expr)
			}
			if asks {
				found = append(found, withVariables(expr))
			}
			for name, child := range n {
				walk(child, marks || name == "annotations")
			}
		case []any:
			for _, child := range n {
				walk(child, marks)
			}
		}
	}
	walk(board, false)
	if len(found) == 0 {
		return nil, fmt.Errorf("%s asks nothing", filepath.Base(file))
	}
	return found, nil
}

var variable = regexp.MustCompile(`\$\{?([A-Za-z_]+)(:[a-z]+)?\}?`)

// withVariables fills in what Grafana does.
func withVariables(expr string) string {
	return variable.ReplaceAllStringFunc(expr, func(v string) string {
		switch name := strings.Trim(v, "${}"); {
		case name == "__rate_interval":
			return "1m"
		case name == "__interval":
			return "15s"
		case name == "__range":
			return "5m"
		case strings.HasPrefix(name, "__"):
			return v
		}
		return ".*"
	})
}

// rule of Prometheus, as it says itself.
type rule struct {
	Name, Query, Health, LastError, Type, State string
}

func rules() ([]rule, error) {
	resp, err := http.Get("http://localhost:9090/api/v1/rules")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []rule
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	var all []rule
	for _, g := range answer.Data.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		return nil, errors.New("Prometheus has no rules") //nolint:staticcheck // its name
	}
	return all, nil
}

// threshold is the comparison with a number by which an alert's expression is empty while
// all is well.
var threshold = regexp.MustCompile(`(==|!=|>=|<=|<|>)\s*(bool\s+)?-?[0-9][0-9.e+]*(\s*\*\s*[0-9.]+)*`)

// measured is what an alert looks at, without its thresholds: that must be there, or the
// alert could never be raised.
func measured(expr string) string { return threshold.ReplaceAllString(expr, "") }
