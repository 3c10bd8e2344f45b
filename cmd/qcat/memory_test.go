package main

import (
	"strings"
	"testing"
)

// TestCollection: what is set is in force, and the runtime's own variables are where
// nothing is set.
func TestCollection(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo")
	if percent, limit := p.metric("go_gc_gogc_percent"), p.metric("go_gc_gomemlimit_bytes"); percent != 100 || limit < 1<<62 {
		t.Errorf("nothing set: %v %%, %v bytes", percent, limit)
	}
	p = serve(t, "--demo", "--gogc", "250", "--memory-limit", "1536MiB")
	if percent, limit := p.metric("go_gc_gogc_percent"), p.metric("go_gc_gomemlimit_bytes"); percent != 250 || limit != 1536<<20 {
		t.Errorf("both set: %v %%, %v bytes", percent, limit)
	}
	if !strings.Contains(p.stderr.String(), `"gogc":"250","memory_limit":"1536MiB"`) {
		t.Errorf("the log does not say so:\n%s", p.stderr.String())
	}
	p = serve(t, "--demo", "--gogc", "off", "--memory-limit", "1GiB")
	if !strings.Contains(p.stderr.String(), `"gogc":"off","memory_limit":"1GiB"`) {
		t.Errorf("the log does not say that it is off:\n%s", p.stderr.String())
	}
}

func TestBadCollection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--gogc", "off"}, "gogc: off without a memory-limit would never collect"},
		{[]string{"--gogc", "0"}, "gogc: \"0\" is neither a percentage"},
		{[]string{"--gogc", "much"}, "neither a percentage"},
		{[]string{"--memory-limit", "10MiB"}, "memory-limit: 10MiB is too small: 64MiB at least"},
		{[]string{"--memory-limit", "much"}, "is not a size"},
	} {
		args := append([]string{"serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, tt.args...)
		if code, out, errs := inProcess(t, args...); code != 2 || !strings.Contains(errs, tt.want) || out != "" {
			t.Errorf("%v: exit code %d, %q, %q", tt.args, code, errs, out)
		}
	}
}
