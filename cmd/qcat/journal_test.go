package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// TestJournalCommands looks into the journal of a server that was stopped.
func TestJournalCommands(t *testing.T) {
	t.Parallel()
	dir, _ := lives(t, false)
	data := []string{"--data-dir", dir}
	journal := func(args ...string) string {
		t.Helper()
		return mustRun(t, append(append([]string{"journal"}, args...), data...)...)
	}

	var v verified
	into(t, journal("verify", "--json"), &v)
	if v.First != 1 || v.Records != v.Last || !v.Closed || v.Torn != 0 || v.Snapshots != 2 || len(v.BadSnapshots) != 0 || len(v.Log) != 32 {
		t.Errorf("verify: %+v", v)
	}
	if out := journal("verify"); !strings.Contains(out, "whole") || !strings.Contains(out, "orderly stop") {
		t.Errorf("verify: %s", out)
	}
	hash, seq := hashOf(t, dir)
	if out := journal("hash", "--no-snapshots"); !strings.HasPrefix(out, hash+"  at record "+strconv.FormatUint(seq, 10)+" ") || seq != v.Last {
		t.Errorf("hash: %s, want %s at %d", out, hash, v.Last)
	}
	all := dumped(t, dir, 0)
	if len(all) != int(v.Last) {
		t.Errorf("%d records dumped, there are %d", len(all), v.Last)
	}
	fills := map[string]bool{}
	for i, r := range all {
		if r["seq"] != float64(i+1) || r["record"] == "" {
			t.Fatalf("record %d: %v", i+1, r)
		}
		if id := r["exec_id"]; id != nil {
			fills[string(encoded(t, id))] = true
		}
	}
	if len(fills) != 10 {
		t.Errorf("%d fills dumped", len(fills))
	}
	news := 0
	for line := range strings.Lines(journal("dump", "--type", "new", "--from", "2", "--to", strconv.FormatUint(v.Last, 10))) {
		if !json.Valid([]byte(line)) || !strings.Contains(line, `"record":"new"`) {
			t.Errorf("dump --type new: %s", line)
		}
		news++
	}
	if news != 10 {
		t.Errorf("%d new orders dumped", news)
	}
	if code, out, errs := qcat(t, append([]string{"journal", "dump", "--type", "nosuch"}, data...)...); code != 2 || out != "" || !strings.Contains(errs, "nosuch") {
		t.Errorf("dump of no type: exit code %d, %q, %q", code, out, errs)
	}
	for _, verb := range []string{"dump", "verify", "hash"} {
		if code, _, errs := qcat(t, "journal", verb, "--data-dir", t.TempDir()); code != 2 || !strings.Contains(errs, "holds no journal") {
			t.Errorf("%s of nothing: exit code %d, %q", verb, code, errs)
		}
	}
	flip(t, files(t, dir, "snapshots/*")[1], -10)
	if code, _, errs := qcat(t, append([]string{"journal", "verify"}, data...)...); code != 1 || !strings.Contains(errs, "damaged snapshots: ") {
		t.Errorf("verify of a damaged snapshot: exit code %d, %q", code, errs)
	}
}
