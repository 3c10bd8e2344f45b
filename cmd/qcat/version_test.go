package main

import (
	"errors"
	"strings"
	"testing"

	"qcat/core/record"
	"qcat/persist/journal"
)

// TestJournalOfAnOlderVersion refuses a data directory in the format of another version,
// and says what to do; nothing of it is changed.
func TestJournalOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := journal.Open(journal.Options{Dir: journalDir(dir), Name: journalName, SegmentBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	r := record.Record{Header: record.Header{Type: record.TypeAccount, Seq: 1, Time: 1}, Account: record.Account{ID: 1, Name: "earlier"}}
	old := r.Append(nil)
	old[0] = record.Version - 1
	if _, err := log.Append(old); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(log.Flush(), log.Close()); err != nil {
		t.Fatal(err)
	}
	before := journalBytes(t, dir)
	errs := refusesToStart(t, dir)
	for _, want := range []string{"the journal was written by another version", journalDir(dir), "unknown version 1, this program reads 2",
		"cannot be converted", "an empty data directory (--data-dir)"} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %q in %q", want, errs)
		}
	}
	if string(journalBytes(t, dir)) != string(before) {
		t.Error("the start that was refused has changed the journal")
	}
	if code, _, errs := qcat(t, "journal", "dump", "--data-dir", dir); code != 1 || !strings.Contains(errs, "unknown version 1, this program reads 2") {
		t.Errorf("dump: exit code %d, %s", code, errs)
	}
}
