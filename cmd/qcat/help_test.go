package main

import (
	"strings"
	"testing"
)

// TestHelpIsFound holds that whoever types what other programs take finds the help, and that
// what cannot be understood says where to look.
func TestHelpIsFound(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args           string
		code           int
		stdout, stderr string // what each begins with
	}{
		{"", 2, "", "Usage: qcat <command>"},
		{"help", 0, "Usage: qcat <command>", ""},
		{"--help", 0, "Usage: qcat <command>", ""},
		{"help watch", 0, "Usage: qcat watch <channel>", ""},
		{"help limits show", 0, "Usage: qcat limits show", ""},
		{"version", 0, version + "\n", ""},
		{"serv", 2, "", "qcat: unexpected argument serv, did you mean \"serve\"?\nRun \"qcat --help\" for"},
		{"help nothing", 2, "", "qcat: unexpected argument nothing\nRun \"qcat --help\" for"},
		{"limits nothing", 2, "", "qcat: unexpected argument nothing\nRun \"qcat limits --help\" for"},
		{"halt", 2, "", "qcat: missing flags: --reason=STRING\nRun \"qcat halt --help\" for"},
		{"transfer demo USDT -10 --reason x", 2, "", "qcat: unknown flag -1, did you mean \"-h\"?\nA negative number stands behind --, and flags before that: -- -10\nRun"},
		{"accounts --nothing", 2, "", "qcat: unknown flag --nothing\nRun \"qcat accounts --help\" for"},
	} {
		code, stdout, stderr := inProcess(t, strings.Fields(tc.args)...)
		if code != tc.code || !strings.HasPrefix(stdout, tc.stdout) || !strings.HasPrefix(stderr, tc.stderr) {
			t.Errorf("qcat %s: %d, %.80q and %.120q, want %d, %q… and %q…", tc.args, code, stdout, stderr, tc.code, tc.stdout, tc.stderr)
		}
		if (tc.stdout == "") != (stdout == "") || (tc.stderr == "") != (stderr == "") {
			t.Errorf("qcat %s writes %.80q to stdout and %.80q to stderr", tc.args, stdout, stderr)
		}
	}
}

// TestNoServer holds that a command that reaches nobody says which server it meant, and one
// that was to stop trading what stops it all the same.
func TestNoServer(t *testing.T) {
	t.Parallel()
	const nobody = "qcat: no server at 127.0.0.1:1 (is `qcat serve` running? --addr names another): dial tcp"
	for _, tc := range []struct {
		args string
		code int
		want string
		file bool // the signal file is named
	}{
		{"accounts --addr 127.0.0.1:1", 1, nobody, false},
		{"limits show --addr 127.0.0.1:1", 1, nobody, false},
		{"resume --reason x --addr 127.0.0.1:1", 1, nobody, false},
		{"halt --reason x --addr 127.0.0.1:1", 1, nobody, true},
		{"reduce --reason x --addr 127.0.0.1:1", 1, nobody, true},
		{"accounts --addr 127.0.0.1:port", 2, `qcat: addr: "127.0.0.1:port" is no HOST:PORT`, false},
	} {
		code, _, stderr := inProcess(t, strings.Fields(tc.args)...)
		if code != tc.code || !strings.HasPrefix(stderr, tc.want) || strings.Contains(stderr, "KILL") != tc.file {
			t.Errorf("qcat %s: %d, %q, want %d, %q…", tc.args, code, stderr, tc.code, tc.want)
		}
	}
}
