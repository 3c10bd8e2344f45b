package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// says runs a command of `qcat limits` and wants an exit code and some words.
func (p *process) says(code int, words string, args ...string) string {
	p.t.Helper()
	args = append([]string{"limits"}, args...)
	got, stdout, stderr := qcat(p.t, append(args, "--addr", p.addr)...)
	if got != code || !strings.Contains(stdout+stderr, words) {
		p.t.Errorf("qcat %s: exit %d, want %d and %q:\n%s%s", strings.Join(args, " "), got, code, words, stdout, stderr)
	}
	return stdout
}

const limitsConfig = `
firm:
  limits: {max_exposure_gross: "20000000", message_rate: "5000/1s"}
  instruments:
    sim:BTCUSDT: {rolling_collar_up: "5%", rolling_collar_window: 1m}
accounts:
  - name: demo
    limits: {max_notional: "1000000.00", price_collar_buy_up: 200bp, permitted_only: true}
    instruments:
      sim:BTCUSDT: {max_qty: "10.50", permitted: true}
    strategies:
      - name: alpha
        limits: {max_open_orders: "5"}
  - name: away
    limits: {max_notional: "1"}
`

// TestLimitsAsCode takes the limits of a running server out, changes them, and puts
// them back: through a second person where they loosen, and over a restart.
func TestLimitsAsCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := yamlFile(t, limitsConfig)
	p := serveIn(t, dir, "--demo", "--config", config)
	exported := filepath.Join(t.TempDir(), "limits.yaml")
	p.says(0, "", "export", "-o", exported)
	first, err := os.ReadFile(exported)
	if err != nil || !strings.HasPrefix(string(first), "firm:\n") || !strings.Contains(string(first), "max_reference_age: 10s") {
		t.Fatalf("%v:\n%s", err, first)
	}
	p.says(0, "", "diff", exported)
	p.says(0, "", "diff", config) // written in other ways, the same limits
	p.says(0, "nothing to change", "apply", exported, "--by", "anna")
	if again := p.says(0, "", "export"); again != string(first) {
		t.Errorf("exported again:\n%s\nfirst:\n%s", again, first)
	}

	changed := strings.NewReplacer("max_open_orders: \"5\"", "max_open_orders: \"4\"", "max_qty: \"10.5\"", "max_qty: \"12\"").Replace(string(first))
	file := fileWith(t, "changed.yaml", []byte(changed))
	out := p.says(1, "+ max_qty: 12", "diff", file)
	for _, want := range []string{"demo sim:BTCUSDT\n- max_qty: 10.5\n+ max_qty: 12\n", "demo/alpha\n- max_open_orders: 5\n+ max_open_orders: 4\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("the difference lacks %q:\n%s", want, out)
		}
	}
	if dry := p.says(0, "", "apply", file, "--dry-run"); dry != out {
		t.Errorf("a dry run says\n%s, a comparison\n%s", dry, out)
	}
	out = p.says(0, "demo sim:BTCUSDT: waits for another person as proposal 1: max_qty is looser", "apply", file, "--by", "anna", "--reason", "more")
	if !strings.Contains(out, "demo/alpha: applied (proposal 2)") {
		t.Errorf("applied:\n%s", out)
	}
	p.says(0, "max_qty: 10.500 -> 12.000", "proposals")
	p.says(1, "risk.same_person", "approve", "1", "--by", "anna")
	p.says(0, "applied", "approve", "1", "--by", "bert")
	p.says(1, "risk.unknown_proposal", "reject", "1", "--by", "bert")
	p.says(0, "", "diff", file)
	p.says(0, `"max_qty":"12.000"`, "show", "--account", "demo", "--instrument", btc, "--json")
	if shown := p.says(0, "max_open_orders", "show", "--account", "demo", "--strategy", "alpha"); !strings.Contains(shown, "0 (0.0%)") {
		t.Errorf("shown:\n%s", shown)
	}
	p.says(1, "", "show", "--account", "nobody")
	p.says(2, "", "diff", file+".nowhere")
	p.says(2, "", "apply", file, "--until", "tomorrow")
	p.says(0, "until 20", "apply", tighter(t, changed), "--by", "anna", "--until", "1h")
	var got struct{ Proposals []limitProposal }
	if err := json.Unmarshal([]byte(p.says(0, "running", "proposals", "--json")), &got); err != nil || len(got.Proposals) != 1 {
		t.Errorf("%v: %+v", err, got)
	}
	if p.stop() != 0 {
		t.Fatal("stopped badly")
	}

	// A start seeds nothing that is there, and says that the file is another.
	p = serveIn(t, dir, "--demo", "--config", config)
	if p.logged("the limits in force are not those of the configuration, which only seeds them: "+
		"compare with qcat limits diff, change with qcat limits apply").Level != "WARN" {
		t.Errorf("nothing is said of the difference:\n%s", p.stderr.String())
	}
	p.says(1, "- max_qty: 12\n+ max_qty: 10.5", "diff", config)
	p.says(0, "running", "proposals")
}

// tighter is the configuration with one limit tightened.
func tighter(t *testing.T, text string) string {
	t.Helper()
	out := strings.Replace(text, "max_open_orders: \"4\"", "max_open_orders: \"3\"", 1)
	if out == text {
		t.Fatal("there is no such limit")
	}
	return fileWith(t, "tighter.yaml", []byte(out))
}

// TestLimitsFileIsStrict says what a file that cannot be used is answered.
func TestLimitsFileIsStrict(t *testing.T) {
	for name, text := range map[string]string{
		"no such limit":   "firm: {limits: {max_notionall: \"1\"}}",
		"no such setting": "frim: {}",
		"not a value":     "firm: {limits: {max_notional: a lot}}",
	} {
		if _, err := treeInFile(&env{}, yamlFile(t, text)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
