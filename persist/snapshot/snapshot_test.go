package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"qcat/core"
	"qcat/persist/vfs"
	"qcat/persist/vfs/faultfs"
)

const dir = "/data/snapshots"

var testLog = [16]byte{1, 2, 3, 15: 16}

func metaOf(seq uint64) Meta {
	m := Meta{Log: testLog, Seq: seq, Time: core.Nanos(1_700_000_000_000_000_000 + seq)}
	m.Hash[0], m.Hash[31] = byte(seq), 0xff
	return m
}

// payloadOf is compressible, and of another length for every sequence.
func payloadOf(seq uint64) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "state after %d;", seq), 40+int(seq%7))
}

func write(t testing.TB, fsys vfs.FS, seq uint64) string {
	t.Helper()
	path, _, err := Write(fsys, dir, metaOf(seq), payloadOf(seq))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// newest requires that the newest snapshot to use is that of seq, and returns what
// was passed over.
func newest(t testing.TB, fsys vfs.FS, seq uint64) []error {
	t.Helper()
	m, payload, skipped, err := Newest(fsys, dir, testLog, 1<<62)
	if err != nil || m != metaOf(seq) || !bytes.Equal(payload, payloadOf(seq)) {
		t.Fatalf("newest: %v, of record %d, %d bytes, skipped %v; want record %d", err, m.Seq, len(payload), skipped, seq)
	}
	return skipped
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	noise := make([]byte, 5000)
	rng := rand.NewChaCha8([32]byte{7})
	_, _ = rng.Read(noise)
	for name, payload := range map[string][]byte{"empty": {}, "one byte": {0}, "compressible": payloadOf(3), "zeros": make([]byte, 1<<20), "noise": noise} {
		fsys := faultfs.New()
		path, n, err := Write(fsys, dir, metaOf(9), payload)
		if err != nil {
			t.Fatal(err)
		}
		if size, err := fsys.Stat(path); err != nil || size != n || filepath.Base(path) != "snapshot-00000000000000000009.qsnap" {
			t.Errorf("%s: %s of %d bytes, told %d: %v", name, path, size, n, err)
		}
		if limit := int64(headerLen + len(payload)); n > limit {
			t.Errorf("%s: %d bytes take %d", name, len(payload), n)
		}
		m, got, err := Load(fsys, path)
		if err != nil || m != metaOf(9) || !bytes.Equal(got, payload) {
			t.Errorf("%s: %v, %+v, %d bytes of %d", name, err, m, len(got), len(payload))
		}
		entries, err := List(fsys, dir)
		if err != nil || len(entries) != 1 || entries[0] != (Entry{Meta: metaOf(9), Path: path, Bytes: n}) {
			t.Errorf("%s: listed %+v, %v", name, entries, err)
		}
	}
}

func TestOnTheDiskOfTheMachine(t *testing.T) {
	d := filepath.Join(t.TempDir(), "made", "snapshots")
	for seq := range uint64(4) {
		if _, _, err := Write(vfs.OS{}, d, metaOf(seq), payloadOf(seq)); err != nil {
			t.Fatal(err)
		}
	}
	if removed, err := Prune(vfs.OS{}, d, testLog, 2); err != nil || removed != 2 {
		t.Errorf("%d removed, %v", removed, err)
	}
	m, payload, skipped, err := Newest(vfs.OS{}, d, testLog, 2)
	if err != nil || m.Seq != 2 || !bytes.Equal(payload, payloadOf(2)) || len(skipped) != 1 {
		t.Errorf("%v, record %d, skipped %v", err, m.Seq, skipped)
	}
}

// Fault: bit flip in a snapshot, at every bit; and a file cut or lengthened at
// every byte. It is refused, and the older one used.
func TestDamagedSnapshotIsPassedOver(t *testing.T) {
	fsys := faultfs.New()
	write(t, fsys, 1)
	path := write(t, fsys, 2)
	sound, err := fsys.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, b []byte) {
		t.Helper()
		fsys.WriteFile(path, b)
		if _, _, err := Load(fsys, path); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrVersion) {
			t.Fatalf("%s: %v", what, err)
		}
		if skipped := newest(t, fsys, 1); len(skipped) != 1 || !bytes.Contains([]byte(skipped[0].Error()), []byte(path)) {
			t.Fatalf("%s: skipped %v", what, skipped)
		}
	}
	for bit := range 8 * len(sound) {
		b := bytes.Clone(sound)
		b[bit/8] ^= 1 << (bit % 8)
		refused(fmt.Sprintf("bit %d", bit), b)
	}
	for n := range len(sound) {
		refused(fmt.Sprintf("the first %d bytes", n), sound[:n])
	}
	refused("a byte more", append(bytes.Clone(sound), 0))
	fsys.WriteFile(path, sound)
	if skipped := newest(t, fsys, 2); len(skipped) != 0 {
		t.Errorf("a sound set: skipped %v", skipped)
	}
	if err := fsys.Rename(path, filepath.Join(dir, fileName(3))); err != nil {
		t.Fatal(err)
	}
	newest(t, fsys, 1) // one under another's name is not believed
}

// Fault: crash at every I/O of writing a snapshot and of pruning, on a file system
// that loses a random part of what was not synced. What is left is the old set or
// the new one, every file of it whole; a snapshot whose writing was confirmed is
// there; and the next one is written as if nothing had been.
//
// QCAT_TORTURE_SEEDS is how many seeds it takes at each I/O, 20 unless it is more.
func TestCrashAtEveryIO(t *testing.T) {
	seeds, _ := strconv.ParseUint(os.Getenv("QCAT_TORTURE_SEEDS"), 10, 16) // 0 when it is not set
	crashes := 0
	before := faultfs.New()
	write(t, before, 1)
	write(t, before, 2)
	for nth := 1; ; nth++ {
		fsys := before.Clone()
		fsys.CrashAt(nth)
		_, _, err := Write(fsys, dir, metaOf(3), payloadOf(3))
		confirmed := err == nil
		if confirmed {
			_, _ = Prune(fsys, dir, testLog, 2)
		}
		if !fsys.Crashed() {
			if nth < 8 {
				t.Fatalf("%d I/Os only", nth)
			}
			t.Logf("torture: %d crashes of snapshots", crashes)
			return
		}
		for seed := range max(seeds, 20) {
			crashes++
			checkCrashed(t, fsys.Crash(seed), fmt.Sprintf("I/O %d, seed %d", nth, seed), confirmed)
		}
	}
}

func checkCrashed(t *testing.T, disk *faultfs.FS, where string, confirmed bool) {
	t.Helper()
	entries, err := List(disk, dir)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	var seqs []uint64
	for _, e := range entries {
		m, payload, err := Load(disk, e.Path)
		if err != nil || m != metaOf(e.Seq) || !bytes.Equal(payload, payloadOf(e.Seq)) {
			t.Fatalf("%s: %s: %v", where, e.Path, err)
		}
		seqs = append(seqs, e.Seq)
	}
	if len(seqs) < 2 || !slices.Contains(seqs, 2) || (confirmed && seqs[0] != 3) {
		t.Fatalf("%s: left are %d; confirmed: %v", where, seqs, confirmed)
	}
	write(t, disk, 4)
	newest(t, disk, 4)
	if _, err := Prune(disk, dir, testLog, 2); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	names, err := disk.List(dir)
	if err != nil || len(names) != 2 {
		t.Fatalf("%s: after the next one and a prune: %q, %v", where, names, err)
	}
}

// Fault: fsync returns EIO; disk full; every other call that fails. The snapshot is
// not there under its name, the older one is used, nothing is in the way of the
// next.
func TestWriteThatFails(t *testing.T) {
	for name, inject := range map[string]func(*faultfs.FS){
		"sync":           func(f *faultfs.FS) { f.Inject(faultfs.FailSync(1, syscall.EIO)) },
		"write":          func(f *faultfs.FS) { f.Inject(faultfs.Fail(faultfs.Write, 1, syscall.EIO)) },
		"rename":         func(f *faultfs.FS) { f.Inject(faultfs.Fail(faultfs.Rename, 1, syscall.EIO)) },
		"create":         func(f *faultfs.FS) { f.Inject(faultfs.Fail(faultfs.Create, 1, syscall.EIO)) },
		"directory sync": func(f *faultfs.FS) { f.Inject(faultfs.Fail(faultfs.SyncDir, 1, syscall.EIO)) },
		"disk full":      func(f *faultfs.FS) { f.SetCapacity(600) },
	} {
		fsys := faultfs.New()
		write(t, fsys, 1)
		inject(fsys)
		_, _, err := Write(fsys, dir, metaOf(2), payloadOf(2))
		if want := map[bool]error{true: syscall.ENOSPC, false: syscall.EIO}[name == "disk full"]; !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		fsys.Inject(nil)
		fsys.SetCapacity(0)
		if name != "directory sync" { // which may have taken place
			newest(t, fsys, 1)
		}
		write(t, fsys, 2)
		newest(t, fsys, 2)
	}
}

func TestNewestUsesWhatBelongsToTheLog(t *testing.T) {
	fsys := faultfs.New()
	if _, _, skipped, err := Newest(fsys, dir, testLog, 10); !errors.Is(err, ErrNone) || len(skipped) != 0 {
		t.Errorf("without a directory: %v, %v", err, skipped)
	}
	for seq := range uint64(6) {
		write(t, fsys, seq)
	}
	foreign := metaOf(4)
	foreign.Log[0]++
	if _, _, err := Write(fsys, dir, foreign, payloadOf(4)); err != nil {
		t.Fatal(err)
	}
	fsys.WriteFile(filepath.Join(dir, "notes.txt"), []byte("not a snapshot"))
	m, _, skipped, err := Newest(fsys, dir, testLog, 4)
	if err != nil || m.Seq != 3 || len(skipped) != 2 || !errors.Is(skipped[1], ErrOtherLog) {
		t.Errorf("%v, record %d, skipped %v", err, m.Seq, skipped)
	}
	if _, _, skipped, err := Newest(fsys, dir, [16]byte{9}, 4); !errors.Is(err, ErrNone) || len(skipped) != 6 {
		t.Errorf("of another log: %v, skipped %v", err, skipped)
	}
	if _, _, _, err := Newest(unlisted{fsys}, dir, testLog, 4); errors.Is(err, ErrNone) || err == nil {
		t.Errorf("a directory that cannot be read: %v", err)
	}
}

// unlisted is a file system whose directories cannot be read.
type unlisted struct{ vfs.FS }

func (unlisted) List(string) ([]string, error) { return nil, syscall.EIO }

func TestPrune(t *testing.T) {
	fsys := faultfs.New()
	if removed, err := Prune(fsys, dir, testLog, 2); err != nil || removed != 0 {
		t.Errorf("without a directory: %d, %v", removed, err)
	}
	for seq := range uint64(7) {
		write(t, fsys, seq)
	}
	foreign := metaOf(0)
	foreign.Log[0]++
	if _, _, err := Write(fsys, dir, foreign, nil); err != nil {
		t.Fatal(err)
	}
	for _, seq := range []uint64{1, 6} {
		fsys.WriteFile(filepath.Join(dir, fileName(seq)), []byte("damaged"))
	}
	fsys.WriteFile(filepath.Join(dir, "snapshot-00000000000000000009.qsnap.tmp"), nil)
	fsys.WriteFile(filepath.Join(dir, "notes.txt"), nil)
	removed, err := Prune(fsys, dir, testLog, 2)
	if err != nil || removed != 4 {
		t.Errorf("%d removed, %v", removed, err)
	}
	names, _ := fsys.List(dir)
	if want := []string{"notes.txt", fileName(0), fileName(4), fileName(5), fileName(6)}; !slices.Equal(names, want) {
		t.Errorf("left are %q, want %q", names, want)
	}
	if _, err := Prune(fsys, dir, testLog, 0); err != nil {
		t.Error(err)
	}
	newest(t, fsys, 5) // the newest that can be read stays
	if _, err := fsys.Stat(filepath.Join(dir, fileName(4))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("kept: %v", err)
	}
}

// Fault: bit flip in the payload of a snapshot, whose header is sound. It does not
// count as one of those that are kept: the older one, which a start would use in its
// place, stays until there are enough that can be read.
func TestPruneDoesNotCountDamage(t *testing.T) {
	fsys := faultfs.New()
	write(t, fsys, 1)
	spoilt := write(t, fsys, 2)
	b, err := fsys.ReadFile(spoilt)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	fsys.WriteFile(spoilt, b)
	for _, step := range []struct {
		seq  uint64
		left []uint64
	}{{3, []uint64{3, 2, 1}}, {4, []uint64{4, 3}}} {
		write(t, fsys, step.seq)
		if _, err := Prune(fsys, dir, testLog, 2); err != nil {
			t.Fatal(err)
		}
		entries, err := List(fsys, dir)
		if err != nil {
			t.Fatal(err)
		}
		var left []uint64
		for _, e := range entries {
			left = append(left, e.Seq)
		}
		if !slices.Equal(left, step.left) {
			t.Errorf("after snapshot %d: left are %d, want %d", step.seq, left, step.left)
		}
	}
}

// What the oldest snapshot is that a start can fall back to: the records behind it are
// needed, those before it are not. A damaged one is nothing to fall back to.
func TestOldest(t *testing.T) {
	fsys := faultfs.New()
	want := func(what string, seq uint64) {
		t.Helper()
		if got, err := Oldest(fsys, dir, testLog); err != nil || got != seq {
			t.Errorf("%s: the oldest is %d, %v; want %d", what, got, err, seq)
		}
	}
	want("no directory", 0)
	for seq := range uint64(3) {
		path := write(t, fsys, seq+1)
		want("sound", 1)
		if seq == 0 {
			continue
		}
		b, err := fsys.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)-1] ^= 1
		fsys.WriteFile(path, b)
	}
	if err := fsys.Remove(filepath.Join(dir, fileName(1))); err != nil {
		t.Fatal(err)
	}
	want("all damaged", 0)
	write(t, fsys, 4)
	want("one sound", 4)
	if got, err := Oldest(fsys, dir, [16]byte{9}); err != nil || got != 0 {
		t.Errorf("of another log: %d, %v", got, err)
	}
}

// Fault: kill -9 between the rename and the sync of the directory, and a power cut
// after the next start: records are let go only for a snapshot that stays.
func TestOldestIsThereToStay(t *testing.T) {
	for nth := 1; ; nth++ {
		fsys := faultfs.New()
		fsys.CrashAt(nth)
		_, _, err := Write(fsys, dir, metaOf(1), payloadOf(1))
		if err == nil {
			return
		}
		fsys.Revive()
		seq, err := Oldest(fsys, dir, testLog)
		if err != nil {
			t.Fatalf("I/O %d: %v", nth, err)
		}
		for seed := range uint64(20) {
			_, _, _, err := Newest(fsys.Crash(seed), dir, testLog, 1)
			if seq > 0 && err != nil {
				t.Fatalf("I/O %d, seed %d: the oldest was record %d, and then: %v", nth, seed, seq, err)
			}
		}
	}
}
