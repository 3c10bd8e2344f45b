package box

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func rootFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\nqcat:x:10001:10001::/app:/usr/sbin/nologin\n",
		"etc/group":  "root:x:0:\ndaemon:x:1:\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLookUp(t *testing.T) {
	dir := rootFolder(t)
	for user, want := range map[string]identity{
		"":            {0, 0, "/root", true},
		"qcat":        {10001, 10001, "/app", true},
		"10001":       {10001, 10001, "/app", true},
		"qcat:daemon": {10001, 1, "/app", false},
		"999:999":     {999, 999, "/", false},
		"65534":       {65534, 0, "/", false},
	} {
		if got, err := lookUp(dir, user); err != nil || got != want {
			t.Errorf("%q is %+v, %v; not %+v", user, got, err, want)
		}
	}
	for _, user := range []string{"nobody-here", "qcat:nobody-here"} {
		if got, err := lookUp(dir, user); err == nil {
			t.Errorf("%q is %+v", user, got)
		}
	}
}

func TestCapabilities(t *testing.T) {
	argv := identity{}.setpriv(Spec{CapDrop: []string{"ALL"}, CapAdd: []string{"CAP_CHOWN"}, NoNewPrivileges: true})
	if !slices.Contains(argv, "--bounding-set=-all,+chown") || !slices.Contains(argv, "--no-new-privs") {
		t.Error(argv)
	}
	if argv := (identity{}).setpriv(Spec{CapDrop: []string{"NET_RAW"}}); strings.Contains(strings.Join(argv, " "), "net_raw") ||
		!strings.Contains(strings.Join(argv, " "), "+net_bind_service") {
		t.Error(argv)
	}
}
