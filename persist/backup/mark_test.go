package backup_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"qcat/persist/backup"
)

// TestVerifiedIsNoted: a backup counts as verified once it was, also without its note's
// being part of it, and no longer when it is another.
func TestVerifiedIsNoted(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindEmbedded)
	m := b.create()
	entry := func() backup.Entry {
		t.Helper()
		all, err := backup.List(b.dir)
		if err != nil || len(all) != 1 || all[0].State != backup.StateComplete || int64(all[0].Took) != m.TookNs {
			t.Fatalf("%+v, %v", all, err)
		}
		return all[0]
	}
	if at := entry().Verified; !at.IsZero() {
		t.Errorf("verified at %v before it was", at)
	}
	for range 2 { // again is no error
		if _, err := backup.Verify(t.Context(), b.dir, m.Name); err != nil {
			t.Fatal(err)
		}
	}
	if at := entry().Verified; time.Since(at) > time.Minute {
		t.Errorf("verified at %v", at)
	}
	if _, err := b.target().restore(m.Name); err != nil {
		t.Error(err)
	}
	manifest := filepath.Join(b.dir, m.Name+".json")
	raw, err := os.ReadFile(manifest)
	b.must(err)
	b.must(os.WriteFile(manifest, append(raw, ' '), 0o600))
	if at := entry().Verified; !at.IsZero() {
		t.Errorf("a manifest that was changed counts as verified at %v", at)
	}
	if _, err := backup.Verify(t.Context(), b.dir, m.Name); err != nil {
		t.Fatal(err)
	}
	removed, err := backup.Cleanup(b.dir, 0, time.Now().Add(time.Hour))
	if err != nil || len(removed) != 0 {
		t.Errorf("removed %v, %v", removed, err)
	}
}
