package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"qcat/deploy/opstest/compose"
)

// test is one run: what it has found so far, and the site that it works on.
type test struct {
	out    io.Writer
	engine *compose.Engine
	only   []string
	// onFailure is a command that shows more where a line fails.
	onFailure string

	passed, failed, notes int
	site                  site
}

func newTest(engine *compose.Engine, only string) *test {
	t := &test{out: os.Stdout, engine: engine}
	if only != "" {
		t.only = strings.Split(only, ",")
	}
	return t
}

// run goes through the manual's chapters and returns the exit status.
func (t *test) run() int {
	began := time.Now()
	for _, c := range chapters {
		if c.number != "2" && len(t.only) > 0 && !slices.Contains(t.only, c.number) {
			continue
		}
		if !c.do(t) && c.number == "2" {
			fmt.Fprintln(t.out, "nothing else can be tried while chapter 2 does not pass")
			break
		}
	}
	fmt.Fprintf(t.out, "\n%d passed, %d failed, %d not run here; %s\n", t.passed, t.failed, t.notes, time.Since(began).Round(time.Second))
	if t.failed > 0 {
		return 1
	}
	return 0
}

// chapter of the manual.
type chapter struct {
	number string
	do     func(*test) bool // whether all of it passed
}

// check runs something and prints its line.
func (t *test) check(number, what string, do func() error) bool {
	began := time.Now()
	err := do()
	word := "passed"
	if err != nil {
		word = "FAILED"
		t.failed++
	} else {
		t.passed++
	}
	fmt.Fprintf(t.out, "%s  %-4s %s   %.1f s\n", word, number, oneLine(what), time.Since(began).Seconds())
	if err != nil && t.onFailure != "" {
		more, _ := t.output(t.onFailure)
		err = fmt.Errorf("%w\n%s", err, more)
	}
	if err != nil {
		for line := range strings.Lines(strings.TrimSpace(err.Error())) {
			fmt.Fprintf(t.out, "             %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return err == nil
}

// notRun says that something is not shown by this test, and why.
func (t *test) notRun(number, what, why string) {
	t.notes++
	fmt.Fprintf(t.out, "not run %-4s %s: %s\n", number, what, why)
}

// oneLine is a command as it is printed: a script's lines beside each other.
func oneLine(text string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return l == "" }), " ⏎ ")
}

// command runs a command of the manual as it is written, on the host, in the clone, with
// the variables of .env in the shell; its output must match every one of says.
func (t *test) command(number, line string, says ...string) bool {
	return t.check(number, line, func() error { return t.shell(line, says...) })
}

// corrected is a command that cannot work as the manual has it; ours has instead.
func (t *test) corrected(number, original, instead, why string, says ...string) bool {
	fmt.Fprintf(t.out, "corrected %s %s\n             %s\n", number, oneLine(original), why)
	return t.command(number, instead, says...)
}

// shell runs a command and holds what it prints against patterns.
func (t *test) shell(line string, says ...string) error {
	out, err := t.output(line)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	for _, pattern := range says {
		if !regexp.MustCompile("(?s)" + pattern).MatchString(out) {
			return fmt.Errorf("%q is not in what it says:\n%s", pattern, out)
		}
	}
	return nil
}

// output of a command of the host, which may take five minutes.
func (t *test) output(line string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", line)
	cmd.Dir = siteFolder
	if _, err := os.Stat(cmd.Dir); err != nil {
		cmd.Dir = "/srv"
	}
	cmd.Env = slices.Concat(os.Environ(), hostEnv, t.site.env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.New("it has not ended after five minutes")
	}
	return string(out), err
}

// eventually asks until there is no error any more, for so long.
func eventually(limit time.Duration, do func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := do()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s: %w", limit, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
