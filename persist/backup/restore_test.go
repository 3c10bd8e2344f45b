package backup_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"qcat/persist/backup"
	"qcat/persist/journal"
	"qcat/persist/postgres/pgtest"
	"qcat/persist/snapshot"
	"qcat/persist/store"
	"qcat/persist/vfs"
)

// Restore of a backup into an empty machine: the content hash is equal, and the time
// it took is known. The server goes on while the backup is made, and what it does
// afterwards is not in it.
func TestRestoreIntoAnEmptyMachine(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.trade(300)
		b.snapshot()
		b.trade(20)
		want, err := b.store.Digest(t.Context())
		b.must(err)
		m := b.create()
		b.trade(10)

		target := b.target()
		out, err := target.restore(m.Name)
		b.must(err)
		if out.Took <= 0 || len(out.Aside) > 0 || out.Rows < 600 {
			t.Errorf("outcome %+v", out)
		}
		s := b.open(target.dataDir, target.url)
		got, err := s.Digest(t.Context())
		b.must(err)
		if diff := want.Diff(got); len(diff) > 0 {
			t.Errorf("restored content differs in %v", diff)
		}
		p, err := s.Position(t.Context(), store.Journal)
		b.must(err)
		if p.Seq != 3+2*320 || p.Seq != m.Positions["journal"].Seq {
			t.Errorf("restored position %d, manifest %+v", p.Seq, m.Positions)
		}
		b.goesOn(target, m, p)
	})
}

// Another server has none of the roles that rights are granted to.
func TestRestoreOnAnotherServer(t *testing.T) {
	t.Parallel()
	b := newBed(t, backup.KindPostgres)
	b.trade(5)
	m := b.create()
	other := &target{b: b, dataDir: t.TempDir(), url: pgtest.Start(t, "fsync=off").Database(t)}
	_, err := other.restore(m.Name)
	b.must(err)
	if got := psql(t, other.url, "SELECT rolcanlogin, has_table_privilege('qcat_read', 'orders', 'SELECT') FROM pg_roles WHERE rolname = 'qcat_read'"); got != "f|t\n" {
		t.Errorf("the role may log in, and read: %q", got)
	}
}

// goesOn starts on the restored data as a server does: the journal opens without a
// cut, holds the records of the rows, has a snapshot, and takes the next record.
func (b *bed) goesOn(m *target, manifest *backup.Manifest, p store.Position) {
	b.t.Helper()
	log, err := journal.Open(journal.Options{Dir: filepath.Join(m.dataDir, "journal"), SegmentBytes: segmentBytes})
	b.must(err)
	defer func() { b.must(log.Close()) }()
	opened := log.Opened()
	if log.ID() != b.log.ID() || len(opened.Cuts) > 0 || opened.Segments < 3 || opened.Last < p.Seq || opened.Last != manifest.Data.Last {
		b.t.Errorf("restored journal: %+v, manifest %+v", opened, manifest.Data)
	}
	var want, got []string
	for rec, err := range b.log.Records(1, opened.Last) {
		b.must(err)
		want = append(want, string(rec))
	}
	for rec, err := range log.Records(1, 0) {
		b.must(err)
		got = append(got, string(rec))
	}
	if !slices.Equal(want, got) {
		b.t.Error("restored records differ")
	}
	meta, payload, skipped, err := snapshot.Newest(vfs.OS{}, filepath.Join(m.dataDir, "snapshots"), log.ID(), opened.Last)
	b.must(err)
	if len(skipped) > 0 || !strings.HasPrefix(string(payload), "state after") || meta.Seq == 0 {
		b.t.Errorf("restored snapshot %+v %q, skipped %v", meta, payload, skipped)
	}
	for range 400 { // into the next segment
		next := opened.Last + 1
		raw := []byte(want[len(want)-1])
		copy(raw[4:12], []byte{byte(next), byte(next >> 8), 0, 0, 0, 0, 0, 0})
		b.journal(log, raw)
		opened.Last = next
	}
	b.must(log.Flush())
}

// The file of sums is what sha256sum reads, and the dump what gunzip does.
func TestChecksumsOfTheShell(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		m := b.create()
		for _, line := range []string{
			"sha256sum -c " + m.Dump.Name + ".sha256",
			"sha256sum -c " + m.Data.Name + ".sha256",
			"gunzip -t " + m.Dump.Name,
			"tar tzf " + m.Data.Name + " | grep -q '^journal/journal-0000000001.seg$'",
			"[ -z \"$(find . -type f -perm /077)\" ]",
		} {
			cmd := exec.Command("sh", "-c", line)
			cmd.Dir = b.dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v %s", line, err, out)
			}
		}
	})
}

func TestVerify(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.trade(50)
		m := b.create()
		c, err := backup.Verify(t.Context(), b.dir, m.Name)
		b.must(err)
		if c.Manifest.Seq() != m.Seq() || c.Took <= 0 {
			t.Errorf("%+v", c)
		}
		if left, _ := filepath.Glob(filepath.Join(b.dir, ".verify*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}
