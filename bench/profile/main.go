package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"qcat/bench/process"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are what the command line says.
type settings struct {
	binary  string
	debug   string // a server that runs already
	kind    string
	seconds int
	out     string
	top     int
	load    load
}

// kinds of profiles; those of waiting are asked for from the server that is started.
var kinds = []string{"cpu", "heap", "allocs", "goroutine", "block", "mutex"}

// command returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("profile", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.binary, "binary", "bin/qcat", "the server to start")
	flags.StringVar(&s.debug, "debug", "", "the debug-listen address of a server that runs already; it is not loaded")
	flags.StringVar(&s.kind, "kind", "cpu", "which profile: "+strings.Join(kinds, ", "))
	flags.IntVar(&s.seconds, "seconds", 10, "how long it is taken")
	flags.StringVar(&s.out, "out", "bin/profiles", "the folder for the file")
	flags.IntVar(&s.top, "top", 25, "functions to print")
	flags.IntVar(&s.load.clients, "clients", 16, "WebSocket clients")
	flags.IntVar(&s.load.orders, "orders", 500, "orders a second")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	err := s.validate()
	if err == nil {
		err = s.run(ctx, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "profile:", err)
		return 1
	}
	return 0
}

func (s *settings) validate() error {
	switch {
	case !slices.Contains(kinds, s.kind):
		return fmt.Errorf("there is no profile %q: %s", s.kind, strings.Join(kinds, ", "))
	case s.seconds < 1 || s.top < 1:
		return errors.New("-seconds and -top must be positive")
	case s.load.clients < 0 || s.load.orders < 0:
		return errors.New("-clients and -orders must not be negative")
	}
	return nil
}

// run starts a server under load, if none is named, and takes the profile.
func (s *settings) run(ctx context.Context, w io.Writer) error {
	if s.debug != "" {
		return s.take(ctx, w, s.debug)
	}
	p, err := process.Start(ctx, process.Options{Binary: s.binary, Args: demoArgs(s.kind)})
	if err != nil {
		return err
	}
	defer p.Close()
	loading, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.load.run(loading, p.Addr) }()
	err = s.take(ctx, w, p.Debug)
	stop()
	err = errors.Join(err, <-done)
	fmt.Fprintf(w, "load: %d frames to %d clients, %d orders answered, %d of them refused\n",
		s.load.frames.Load(), s.load.clients, s.load.answered.Load(), s.load.refused.Load())
	return err
}

// demoArgs are those of a busy demo. What goroutines wait for is recorded only for a profile of
// that.
func demoArgs(kind string) []string {
	args := []string{"--debug-listen", "127.0.0.1:0", "--sim-rate", "2000"}
	switch kind {
	case "block":
		args = append(args, "--block-profile", "10us")
	case "mutex":
		args = append(args, "--mutex-profile", "10")
	}
	return args
}

// take gets the profile, writes it and prints what it says.
func (s *settings) take(ctx context.Context, w io.Writer, debug string) error {
	if err := os.MkdirAll(s.out, 0o750); err != nil {
		return err
	}
	path, err := filepath.Abs(filepath.Join(s.out, s.kind+time.Now().UTC().Format("-20060102T150405")+".pb.gz"))
	if err != nil {
		return err
	}
	if err := s.fetch(ctx, debug, path); err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(path)))
	}
	args := []string{"tool", "pprof", "-top", "-nodecount=" + strconv.Itoa(s.top)}
	if s.kind == "allocs" {
		args = append(args, "-sample_index=alloc_space")
	}
	out, err := exec.CommandContext(ctx, "go", append(args, path)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go tool pprof: %w\n%s", err, out)
	}
	fmt.Fprintf(w, "%s\nprofile: %s (look closer with: go tool pprof -http=: %s)\n", out, path, path)
	return nil
}

// afterCollection asks for a profile of memory as of now: without a collection it is as
// of the last one, and what was allocated since is not in it.
const afterCollection = "gc=1"

// source is where a server has the profile: of memory what is there at the end, of all
// else what happens meanwhile.
func (s *settings) source() (path, query string) {
	switch s.kind {
	case "cpu":
		return "/debug/pprof/profile", "seconds=" + strconv.Itoa(s.seconds)
	case "heap", "allocs":
		return "/debug/pprof/heap", afterCollection
	}
	return "/debug/pprof/" + s.kind, "seconds=" + strconv.Itoa(s.seconds)
}

// fetch writes the profile that the server takes from now on to a file.
func (s *settings) fetch(ctx context.Context, debug, path string) error {
	at, query := s.source()
	if query == afterCollection {
		select { // what is there counts, once the load has been on for a while
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(s.seconds) * time.Second):
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.seconds)*time.Second+30*time.Second)
	defer cancel()
	from := url.URL{Scheme: "http", Host: debug, Path: at, RawQuery: query}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no profile (is the server's debug-listen %s?): %w", debug, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // the status says enough without it
		return fmt.Errorf("%s: %s: %s", from.String(), resp.Status, text)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}

// ignoreMissing leaves out that there was no file.
func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
