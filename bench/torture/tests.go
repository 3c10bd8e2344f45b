package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// suite is a part that consists of Go tests.
type suite struct {
	packages []string
	run      string // the tests, as of go test -run
	count    int    // how often each runs
	timeout  time.Duration
}

// suites by part. What a test counts it logs as "torture: 12 crashes": the summary
// adds up equal words.
var suites = map[string]suite{
	"crash":    {[]string{"./persist/journal", "./persist/snapshot"}, "^(TestCrashAtEveryIO|TestRetentionSurvivesPowerCuts|TestSyncError)$", 1, 2 * time.Hour},
	"embedded": {[]string{"./persist/sqlite"}, "^TestKilledAtRandom$", 10, time.Hour},
	"services": {[]string{"./persist/postgres", "./persist/redis"}, "^Test(Cut.*|HalfOpen|Killed.*|Paused.*|StoppedAndKilled|FlushAll|RestartForgets|RedisComesLater)$", 1, time.Hour},
}

// runTests runs a suite in its long form.
func runTests(ctx context.Context, w io.Writer, s suite, seeds int) (string, error) {
	args := append([]string{"test", "-v", "-run", s.run, "-count", strconv.Itoa(s.count), "-timeout", s.timeout.String()}, s.packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "QCAT_TORTURE=1", "QCAT_TORTURE_SEEDS="+strconv.Itoa(seeds), "QCAT_REQUIRE_SERVICES=1")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	said, err := summarise(out)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(w, "%s: %s in %v\n", strings.Join(s.packages, ", "), said, time.Since(began).Round(time.Second))
	return said, nil
}

var counted = regexp.MustCompile(`\btorture: (\d+) (.+)$`)

// summarise counts the tests of a verbose output, and adds up what they counted.
// Tests that were skipped are an error: nothing was shown then.
func summarise(out []byte) (string, error) {
	passed := 0
	var words []string // in the order they came
	sums := map[string]int{}
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		line := sc.Text()
		switch {
		case strings.HasPrefix(line, "--- PASS"):
			passed++
		case strings.Contains(line, "--- SKIP"):
			return "", fmt.Errorf("a test was skipped: %s", line)
		}
		m := counted.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return "", err
		}
		if _, seen := sums[m[2]]; !seen {
			words = append(words, m[2])
		}
		sums[m[2]] += n
	}
	if passed == 0 {
		return "", fmt.Errorf("no test ran:\n%s", out)
	}
	parts := []string{fmt.Sprintf("%d runs of tests passed", passed)}
	for _, word := range words {
		parts = append(parts, fmt.Sprintf("%d %s", sums[word], word))
	}
	return strings.Join(parts, ", "), nil
}
