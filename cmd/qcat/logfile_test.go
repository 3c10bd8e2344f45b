package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/zap"
)

// loggerTo opens loggers that write to a file and to a buffer in stderr's place.
func loggerTo(t *testing.T, change func(*logFlags)) (l *logs, stderr *output, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "logs", "qcat.log")
	f := logFlags{LogLevel: "info", LogFormat: "auto", LogFile: path, LogSampling: "off"}
	if change != nil {
		change(&f)
	}
	stderr = &output{}
	l, err := f.open(stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
	})
	return l, stderr, path
}

// linesOf are the lines of a file, each of which must be whole.
func linesOf(t *testing.T, path string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		t.Errorf("%s ends in the middle of a line", path)
	}
	for line := range strings.Lines(string(text)) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%s: a torn line: %q", path, line)
		}
		lines = append(lines, line)
	}
	return lines
}

// While many goroutines log, the file is renamed and reopened again and again: every line
// is in one of the files, once and whole.
func TestReopeningLosesNoLine(t *testing.T) {
	t.Parallel()
	l, _, path := loggerTo(t, nil)
	stop := reopenOnSignal(nil, zap.NewNop()) // the file is reopened here: signals of parallel tests change nothing
	defer stop()
	const writers, each, turns = 8, 2000, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				l.Info("line", zap.Int("writer", w), zap.Int("i", i))
			}
		})
	}
	files := []string{path}
	for turn := range turns {
		aside := fmt.Sprintf("%s.%d", path, turn)
		if err := os.Rename(path, aside); err != nil {
			t.Fatal(err)
		}
		files = append(files, aside)
		if err := l.file.reopen(); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	seen := map[[2]int]int{}
	for _, f := range files {
		for _, text := range linesOf(t, f) {
			var line struct{ Writer, I int }
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
			seen[[2]int{line.Writer, line.I}]++
		}
	}
	for w := range writers {
		for i := range each {
			if n := seen[[2]int{w, i}]; n != 1 {
				t.Fatalf("line %d of writer %d is there %d times", i, w, n)
			}
		}
	}
	if n, again := l.file.lines.Load(), l.file.reopened.Load(); n != writers*each || again != turns || l.file.failures.Load() != 0 {
		t.Errorf("counted %d lines, %d reopenings, %d failures", n, again, l.file.failures.Load())
	}
}

// A real process: its file is renamed, SIGUSR1 makes it go on in a new one, what stderr has
// is in the two files together, and the modes are those that are promised.
func TestSignalReopensTheLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "qcat.log")
	p := serve(t, "--demo", "--log-file", path, "--sim-rate", "20", "--log-sampling", "off")
	for i := range 3 {
		p.newOrder(t, fmt.Sprintf("before-%d", i))
	}
	eventually(t, "calls are in the file", func() bool { return count(path, `"API call"`) == 3 })
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the file is there again", func() bool { return count(path, "the log file was reopened") == 1 })
	p.newOrder(t, "after")
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	both := append(linesOf(t, path+".1"), linesOf(t, path)...)
	of := slices.Collect(strings.Lines(p.stderr.String()))
	slices.Sort(of) // two goroutines that log at once may come in either order
	if slices.Sort(both); !slices.Equal(both, of) {
		t.Errorf("the files have\n%s\nand stderr\n%s", strings.Join(both, ""), strings.Join(of, ""))
	}
	if n := count(path, `"API call"`); n != 1 {
		t.Errorf("%d calls in the new file, want 1", n)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != logFileMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// newOrder sends one order.
func (p *process) newOrder(t *testing.T, id string) {
	t.Helper()
	a := p.ask("POST", "/api/v1/orders", map[string]string{"account": "demo", "instrument": "sim:BTCUSDT", "side": "buy", "type": "limit",
		"time_in_force": "gtc", "price": "1.00", "qty": "0.010", "client_order_id": id}) // far from the market: refused, and logged all the same
	if a.status != 422 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
}

// count is how many lines of a file have a text; 0 if there is none.
func count(path, text string) (n int) {
	all, _ := os.ReadFile(path)
	for line := range bytes.Lines(all) {
		if bytes.Contains(line, []byte(text)) {
			n++
		}
	}
	return n
}

// Without a file, the signal changes nothing.
func TestSignalWithoutAFile(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo", "--sim-rate", "20")
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	p.newOrder(t, "x")
}

// A disk that is full stops nothing: lines go to stderr, failures are counted, stderr is
// told once, and when there is room again whole lines follow.
func TestFullDisk(t *testing.T) {
	l, stderr, path := loggerTo(t, nil)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	room := l.file.file
	l.file.file = full
	for range 100 {
		l.Info("no room for it")
	}
	l.file.file, l.file.torn = room, true // as after a part of a line
	l.Error("room again")
	if n := l.file.failures.Load(); n != 100 {
		t.Errorf("%d failures counted, want 100", n)
	}
	if n := strings.Count(stderr.String(), "the log file cannot be written"); n != 1 {
		t.Errorf("stderr was told %d times", n)
	}
	if n := strings.Count(stderr.String(), "no room for it"); n != 100 {
		t.Errorf("stderr has %d lines", n)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "\n{") || !strings.Contains(string(text), `"level":"ERROR"`) {
		t.Errorf("the file has %q, %v", text, err)
	}
	if err := full.Close(); err != nil {
		t.Fatal(err)
	}
}

// What cannot be reopened goes on in the old file.
func TestReopenFails(t *testing.T) {
	l, _, path := loggerTo(t, nil)
	if err := os.Rename(filepath.Dir(path), filepath.Dir(path)+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := l.file.reopen(); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("reopen: %v", err)
	}
	l.Info("still here")
	if n := count(filepath.Join(filepath.Dir(path)+".gone", "qcat.log"), "still here"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestLogSettings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*logFlags)
		want   string
	}{
		{"sampling", func(f *logFlags) { f.LogSampling = "100" }, "log-sampling"},
		{"sampling of nothing", func(f *logFlags) { f.LogSampling = "0/1" }, "log-sampling"},
		{"negative", func(f *logFlags) { f.LogAPICalls = -1 }, "log-api-calls"},
		{"a folder", func(f *logFlags) { f.LogFile = "/" }, "log-file"},
		{"no folder", func(f *logFlags) { f.LogFile = "/dev/null/qcat.log" }, "log-file"},
	} {
		f := logFlags{LogLevel: "info", LogFormat: "auto", LogSampling: "1/1"}
		tt.change(&f)
		if _, err := f.open(&output{}); err == nil || !strings.HasPrefix(err.Error(), tt.want+": ") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Of a line that comes over and over some are left out and counted; both formats have the
// level as a word that is looked for.
func TestSamplingAndFormats(t *testing.T) {
	l, stderr, path := loggerTo(t, func(f *logFlags) { f.LogSampling, f.LogFormat = "3/1000000", "console" })
	for range 10 {
		l.Error("over and over")
	}
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A second may have ended meanwhile, and three more be kept.
	if n := strings.Count(string(all), "\tERROR\tover and over\n"); uint64(n)+l.sampled.Load() != 10 || n < 3 || n > 6 || string(all) != stderr.String() {
		t.Errorf("%d lines, %d left out: %q", n, l.sampled.Load(), all)
	}
}
