package main

import "testing"

func TestMeasured(t *testing.T) {
	for expr, want := range map[string]string{
		`up{job="qcat"} == 0 or absent(up{job="qcat"})`: `up{job="qcat"}  or absent(up{job="qcat"})`,
		`a > 0.05 and b > 0.1`:                          `a  and b `,
		`time() - x > 36 * 3600`:                        `time() - x `,
		`rate(a[5m]) >= bool 1e3`:                       `rate(a[5m]) `,
		`a / b > c`:                                     `a / b > c`,
	} {
		if got := measured(expr); got != want {
			t.Errorf("%q without its thresholds is %q", expr, got)
		}
	}
}

func TestWithVariables(t *testing.T) {
	const expr = `sum(rate(a{instance=~"$instance", feed=~"${feed:regex}"}[$__rate_interval])) / $__interval`
	const want = `sum(rate(a{instance=~".*", feed=~".*"}[1m])) / 15s`
	if got := withVariables(expr); got != want {
		t.Errorf("%q", got)
	}
}

func TestSameLines(t *testing.T) {
	var all string
	for range 100 {
		all += "{\"a\":1}\n"
	}
	for name, c := range map[string]struct {
		kept, shown string
		same        bool
	}{
		"the same":                   {all, all, true},
		"what others print as well":  {all, "not of the log\n" + all, true},
		"one line is missing":        {all, all + "{\"b\":2}\n", false},
		"a line that is there twice": {all, all + "{\"a\":1}\n", false},
		"torn":                       {all + "{\"b\":", all, false},
	} {
		if err := sameLines(c.kept, c.shown); (err == nil) != c.same {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	got := placeholder.FindAllString("A=CHANGE_ME\nB=x\n# C=CHANGE_ME\nDB_PASSWORD=CHANGE_ME\n", -1)
	if len(got) != 2 || got[0] != "A=CHANGE_ME" || got[1] != "DB_PASSWORD=CHANGE_ME" {
		t.Error(got)
	}
}
