package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shellIn returns the shell blocks of a document that hold a text.
func shellIn(t *testing.T, path, holding string) (blocks []string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(string(raw), "```") {
		if text, ok := strings.CutPrefix(part, "sh\n"); ok && i%2 == 1 && strings.Contains(text, holding) {
			blocks = append(blocks, text)
		}
	}
	return blocks
}

// TestDocumentedSignatures runs the examples of docs/security.md as they stand there.
func TestDocumentedSignatures(t *testing.T) {
	t.Parallel()
	examples := shellIn(t, "../../docs/security.md", "X-QCAT-SIGNATURE")
	if len(examples) != 2 {
		t.Fatalf("%d examples", len(examples))
	}
	s := &site{t: t, dir: t.TempDir()}
	dir := t.TempDir()
	run := func(script string, env ...string) string {
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v: %s", script, err, out)
		}
		return string(out)
	}
	run("openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out public.pem")
	s.run(0, "", "create-user", "adam", "--admin")
	secret := s.key("hmac", "--user", "adam", "--permissions", "read,trade")
	pair := s.key("ed25519", "--user", "adam", "--permissions", "read", "--ed25519-public-key", filepath.Join(dir, "public.pem"))
	if pair.Secret != "" || pair.Kind != "ed25519" {
		t.Errorf("%+v", pair)
	}
	p := s.serve()
	for i, want := range []struct {
		key  keyRow
		says string
	}{{secret, `"order_id":`}, {pair, `"account":"demo"`}} {
		got := ""
		eventuallyOr(t, func() string { return "the example is taken: " + got }, func() bool {
			got = run(examples[i], "QCAT_URL=http://"+p.addr, "QCAT_API_KEY="+want.key.ID, "QCAT_API_SECRET="+want.key.Secret)
			return strings.Contains(got, want.says)
		})
		if other := run(strings.Replace(examples[i], "'%s\\n%s\\n", "'%s \\n%s\\n", 1), "QCAT_URL=http://"+p.addr, "QCAT_API_KEY="+want.key.ID, "QCAT_API_SECRET="+want.key.Secret); !strings.Contains(other, "auth.signature") {
			t.Errorf("signed otherwise: %s", other)
		}
	}
}
