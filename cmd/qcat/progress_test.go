package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"qcat/core"
	"qcat/core/engine"
	"qcat/persist/journal"
)

// hasty is a clock on which every look is three seconds after the one before: each
// step of a progress is worth a line of the log.
type hasty struct {
	core.Clock
	at core.Nanos
}

func (h *hasty) Now() core.Nanos {
	h.at += 3e9
	return h.at
}

// longJournal writes a journal of at least n records.
func longJournal(t *testing.T, dataDir string, n int) {
	t.Helper()
	log, err := journal.Open(journal.Options{Dir: journalDir(dataDir), Name: journalName, Sync: journal.SyncOS})
	if err != nil {
		t.Fatal(err)
	}
	cfg := stateConfig()
	cfg.Directory, cfg.Clock, cfg.Journal = core.NewDirectory(), core.SystemClock(), log
	e := engine.New(cfg)
	for i := range n {
		if _, err := e.DefineRate("EUR", int64(1_000_000+i%2)); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			if err := e.Settle(t.Context()); err != nil { // room for the next ones
				t.Fatal(err)
			}
		}
	}
	if err := e.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestLongRecoveryTellsHowFarItIs stops a recovery in the middle and asks the server,
// which answers: /health and /metrics with how far it is, everything else with 503.
func TestLongRecoveryTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	const records = 200_000
	dir := t.TempDir()
	longJournal(t, dir, records)
	inMiddle, goOn := make(chan struct{}), make(chan struct{})
	lines, logs := observer.New(zapcore.InfoLevel)
	stopOnce := false
	hook := zap.Hooks(func(e zapcore.Entry) error {
		if e.Message == "replaying the journal" && !stopOnce {
			stopOnce = true
			close(inMiddle)
			<-goOn
		}
		return nil
	})
	c, e := mustParse(t, "serve", "--demo", "--data-dir", dir)
	c.Serve.Feed, c.Serve.DatabaseURL, c.Serve.RedisURL = []string{defaultFeed}, "", ""
	s := c.Serve.newServer(zap.New(lines, hook))
	s.progress.clock = &hasty{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	built := make(chan error, 1)
	go func() { built <- s.buildWhileAnswering(t.Context(), e.file.sections, ln) }()
	select {
	case <-inMiddle:
	case err := <-built:
		t.Fatalf("the start has ended: %v", err)
	}
	ask := func(path string) (int, string) {
		resp, err := http.Get(fmt.Sprintf("http://%s%s", ln.Addr(), path))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if status, body := ask("/health"); status != http.StatusServiceUnavailable || !strings.Contains(body, "replaying the journal: 65536 of 200000 records, 32%") {
		t.Errorf("/health: status %d, %s", status, body)
	}
	if status, body := ask("/metrics"); status != http.StatusOK || !strings.Contains(body, "qcat_recovery_done 65536\n") || !strings.Contains(body, "qcat_recovery_expected 200000\n") {
		t.Errorf("/metrics: status %d, %s", status, body)
	}
	for _, path := range []string{"/ready", "/api/v1/positions"} {
		if status, body := ask(path); status != http.StatusServiceUnavailable || !strings.Contains(body, "recovering") {
			t.Errorf("%s: status %d, %s", path, status, body)
		}
	}
	close(goOn)
	if err := <-built; err != nil {
		t.Fatal(err)
	}
	told := logs.FilterMessage("replaying the journal").All()
	if len(told) < 3 || !strings.HasPrefix(told[1].ContextMap()["progress"].(string), "131072 of 200000 records, 65%") {
		t.Errorf("log: %v", told)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx, ln) }()
	eventually(t, "the server answers", func() bool { status, _ := ask("/ready"); return status == http.StatusOK })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestStartIsGivenUp interrupts a recovery: the process says so and keeps what is
// there.
func TestStartIsGivenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	longJournal(t, dir, 1000)
	c, e := mustParse(t, "serve", "--demo", "--data-dir", dir)
	c.Serve.Feed, c.Serve.DatabaseURL, c.Serve.RedisURL = []string{defaultFeed}, "", ""
	s := c.Serve.newServer(zap.NewNop())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.build(ctx, e.file.sections); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("a start that was given up: %v", err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if _, seq := hashOf(t, dir); seq != 1000 {
		t.Errorf("the journal ends at record %d", seq)
	}
}
