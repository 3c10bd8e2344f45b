package check

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

// example is env.example as Compose reads it.
func example(t *testing.T) map[string]string {
	t.Helper()
	vars, err := dotenv.UnmarshalWithLookup(file(t, "deploy/env.example"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return vars
}

// TestEnvironmentIsComplete: every variable that the deployment uses is in env.example, with
// the default that it has where it is not set, and every one there is used.
func TestEnvironmentIsComplete(t *testing.T) {
	vars := example(t)
	used := regexp.MustCompile(`\$\{([A-Z_0-9]+)(:[-?]([^}]*))?\}`).FindAllStringSubmatch(file(t, composeFile), -1)
	if len(used) < 20 {
		t.Fatalf("%d variables are used", len(used))
	}
	seen := map[string]bool{}
	for _, m := range used {
		name, fallback, value := m[1], m[2], vars[m[1]]
		seen[name] = true
		switch _, there := vars[name]; {
		case !there:
			t.Errorf("%s is not in env.example", name)
		case strings.HasPrefix(fallback, ":-") && fallback[2:] != value && fallback != ":-":
			t.Errorf("%s is %q in env.example and %q without it", name, value, fallback[2:])
		case !strings.HasPrefix(fallback, ":-") && value != "CHANGE_ME":
			t.Errorf("%s has to be given, and env.example says %q", name, value)
		}
	}
	for name, value := range vars {
		if !seen[name] {
			t.Errorf("env.example has %s, which nothing uses", name)
		}
		if secretName.MatchString(name) && value != "CHANGE_ME" && value != "" {
			t.Errorf("env.example has a secret in %s", name)
		}
	}
}

// TestEnvironmentIsAShellsToo: the manual's commands with $REDIS_PASSWORD read the same file by
// a shell, which must come to the same.
func TestEnvironmentIsAShellsToo(t *testing.T) {
	out, err := exec.Command("env", "-i", "sh", "-c", "set -a; . "+root+"/deploy/env.example; exec /usr/bin/env").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(out), "\n")
	for name, value := range example(t) {
		if !slices.Contains(lines, name+"="+value) {
			t.Errorf("a shell does not read %s as %q", name, value)
		}
	}
}
