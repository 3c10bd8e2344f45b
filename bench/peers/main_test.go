package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qcat/bench/peers/contest"
)

// TestRun prints a table and saves what is in it.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	results, err := run(&out, []string{"samples"}, t.TempDir(), contest.Settings{Each: time.Millisecond, Rounds: 2})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| one writer | ns/sample |") {
		t.Errorf("printed:\n%s", out.String())
	}
	path := filepath.Join(t.TempDir(), "peers.json")
	if err := save(path, results); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read []contest.Result
	if err := json.Unmarshal(raw, &read); err != nil || len(read) != 2 || len(read[0].Figures[0].Rounds) != 2 || read[0].Figures[0].Role != contest.Own {
		t.Errorf("%v: read %+v", err, read)
	}
}

func TestUnknownContest(t *testing.T) {
	if _, err := run(&bytes.Buffer{}, []string{"everything"}, t.TempDir(), contest.Settings{Each: 1, Rounds: 1}); err == nil {
		t.Error("an unknown contest is taken")
	}
}
