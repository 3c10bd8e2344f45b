package main

import (
	"context"
	"testing"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/engine"
	"qcat/persist/journal"
	"qcat/persist/snapshot"
	"qcat/persist/vfs"
)

// TestRetentionKeepsWhatAStartNeeds is a data directory whose only snapshot is damaged:
// the start replays the whole journal, and retention must leave it alone until there is
// a snapshot that can be read, or the next start would have nothing.
func TestRetentionKeepsWhatAStartNeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := journal.Open(journal.Options{Dir: journalDir(dir), Name: journalName, SegmentBytes: 128 << 10})
	if err != nil {
		t.Fatal(err)
	}
	cfg := stateConfig()
	cfg.Clock, cfg.Journal = core.SystemClock(), log
	e := engine.New(cfg)
	for i := range int64(10_000) {
		if _, err := e.DefineRate("EUR", 1_000_000+i); err != nil {
			t.Fatal(err)
		}
		if i%100 == 0 {
			if err := e.Settle(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	path, _, err := snapshot.Write(vfs.OS{}, snapshotDir(dir), snapshot.Meta{Log: log.ID(), Seq: e.Seq(), Hash: e.StateHash()}, e.AppendSnapshot(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	flip(t, path, -10)
	started := func(what string, first bool) {
		t.Helper()
		c, e := mustParse(t, "serve", "--demo", "--data-dir", dir, "--no-tick-log",
			"--journal-segment=128KiB", "--journal-buffer=64KiB", "--journal-retention=1ns")
		c.Serve.Feed = []string{defaultFeed}
		c.Serve.DatabaseURL, c.Serve.RedisURL = "", "" // those of the tests are not its own
		s := c.Serve.newServer(zap.NewNop())
		if err := s.build(t.Context(), e.file.sections); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		s.journal.Hold(holdName).Advance(s.journal.Committed()) // the store has it all
		if err := s.journal.Retain(); err != nil {
			t.Error(err)
		}
		if got := s.journal.First(); (got == 1) != first {
			t.Errorf("%s: the journal begins at record %d", what, got)
		}
		if err := s.close(); err != nil { // which makes a snapshot
			t.Error(err)
		}
	}
	started("only snapshot damaged", true)
	started("a sound one beside it", false)
}
