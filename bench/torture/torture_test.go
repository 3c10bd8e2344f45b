package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// binary is the server, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "qcat-torture-bin-")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "qcat")
		if out, err := exec.Command("go", "build", "-o", binary, "qcat/cmd/qcat").CombinedOutput(); err != nil {
			panic(string(out))
		}
		return m.Run()
	}())
}

// TestKills is the fault table's "kill -9 at random under load" in short: every
// acknowledged sequence is there exactly once, without a gap, the state hash is that
// of an independent replay, and the store holds what the logs give.
func TestKills(t *testing.T) {
	var out bytes.Buffer
	err := command(t.Context(), &out, []string{"-parts", "kill", "-binary", binary, "-cycles", "5", "-clients", "4", "-most", "300ms"})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	last := out.String()[strings.LastIndex(strings.TrimSpace(out.String()), "\n")+1:]
	if !strings.HasPrefix(last, "torture held in ") || !strings.Contains(last, "7 kills -9") || !strings.Contains(last, "[always 5, batch 1, os 1]") ||
		strings.Contains(last, " 0 acknowledged") || strings.Contains(last, " 0 ticks") {
		t.Errorf("the summary is %q", last)
	}
}

// TestAuditFails: answers that the journal does not have are noticed, and so is a
// journal that has lost its end.
func TestAuditFails(t *testing.T) {
	r := &run{settings: settings{binary: binary, clients: 2, least: 200 * time.Millisecond, most: 300 * time.Millisecond, sync: "always"},
		dir: t.TempDir(), rng: rand.New(rand.NewPCG(1, 0))}
	if err := r.cycle(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if len(r.acked) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	other := r.acked[0]
	other.order++
	for what, want := range map[string]ack{"another order": other, "a later record": {seq: 1 << 40, order: 1}} {
		fresh := audit{}
		if err := fresh.check(r.dir, []ack{want}); err == nil {
			t.Errorf("%s went unnoticed", what)
		}
	}
	fresh := audit{}
	if err := fresh.check(r.dir, r.acked); err != nil {
		t.Fatal(err)
	}
	r.audit.last++
	if err := r.audit.check(r.dir, nil); err == nil || !strings.Contains(err.Error(), "before") {
		t.Errorf("a journal that lost its end: %v", err)
	}
}

func TestSummarise(t *testing.T) {
	got, err := summarise([]byte("=== RUN TestA\n    a_test.go:1: torture: 12 crashes\n--- PASS: TestA (0.1s)\n    b_test.go:9: torture: 3 kills\n" +
		"    b_test.go:9: torture: 4 crashes\n--- PASS: TestB (1s)\nPASS\nok  \tqcat/x\n"))
	if want := "2 runs of tests passed, 16 crashes, 3 kills"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	for _, out := range []string{"PASS\nok  \tqcat/x [no tests to run]\n", "--- SKIP: TestA (0s)\n--- PASS: TestB (0s)\n"} {
		if got, err := summarise([]byte(out)); err == nil {
			t.Errorf("%q gives %q", out, got)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-cycles", "0"}, {"-parts", "all"}, {"-least", "2s"}, {"-parts", "kill", "-journal-sync", "never"}, {"-seeds", "0"}} {
		if err := command(t.Context(), &bytes.Buffer{}, args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}
