package faultfs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"testing"

	"qcat/persist/vfs"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made returns a disk and an open file /d/f that is durable, name and all.
func made(t *testing.T, content string) (*FS, vfs.File) {
	t.Helper()
	disk := New()
	must(t, disk.MkdirAll("/d", 0o700))
	f, err := disk.OpenFile("/d/f", os.O_RDWR|os.O_CREATE, 0)
	must(t, err)
	_, err = f.WriteAt([]byte(content), 0)
	must(t, err)
	must(t, f.Datasync())
	must(t, disk.SyncDir("/d"))
	return disk, f
}

// outcomes are the contents of /d/f that crashes of many seeds leave; a file that is
// not there counts as "-".
func outcomes(disk *FS) map[string]int {
	left := map[string]int{}
	for seed := range uint64(400) {
		data, err := disk.Crash(seed).ReadFile("/d/f")
		if err != nil {
			data = []byte("-")
		}
		left[string(data)]++
	}
	return left
}

func TestSyncedDataSurvives(t *testing.T) {
	disk, _ := made(t, "kept")
	if left := outcomes(disk); len(left) != 1 || left["kept"] != 400 {
		t.Fatal(left)
	}
}

// TestUnsyncedDataIsLostInPart: each sector on its own, in any of its versions.
func TestUnsyncedDataIsLostInPart(t *testing.T) {
	sector := func(c string) string { return string(bytes.Repeat([]byte(c), Sector)) }
	disk, f := made(t, sector("a")+sector("a"))
	for _, w := range []struct {
		c  string
		at int64
	}{{"b", 0}, {"c", 0}, {"d", Sector}} {
		_, err := f.WriteAt([]byte(sector(w.c)), w.at)
		must(t, err)
	}
	left := outcomes(disk)
	for _, first := range []string{"a", "b", "c"} {
		for _, second := range []string{"a", "d"} {
			if left[sector(first)+sector(second)] == 0 {
				t.Errorf("never %s%s", first, second)
			}
		}
	}
	if len(left) != 6 {
		t.Errorf("%d outcomes", len(left))
	}
	must(t, f.Datasync())
	if left := outcomes(disk); len(left) != 1 || left[sector("c")+sector("d")] == 0 {
		t.Error("a sync did not settle it")
	}
}

func TestUnsyncedSizeIsAny(t *testing.T) {
	disk, f := made(t, "abc")
	must(t, f.Truncate(5))
	left := outcomes(disk)
	if left["abc"] == 0 || left["abc\x00\x00"] == 0 || left["abc\x00"] == 0 || len(left) != 3 {
		t.Fatal(left)
	}
}

// TestNamesNeedSyncDir: creating, renaming and removing are lost or not, and a
// renaming is one step.
func TestNamesNeedSyncDir(t *testing.T) {
	disk, _ := made(t, "old")
	f, err := disk.OpenFile("/d/new", os.O_RDWR|os.O_CREATE, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("new"), 0)
	must(t, err)
	must(t, f.Datasync())
	must(t, disk.Rename("/d/new", "/d/f"))
	if left := outcomes(disk); left["old"] == 0 || left["new"] == 0 || len(left) != 2 {
		t.Fatal(left)
	}
	must(t, disk.SyncDir("/d"))
	if left := outcomes(disk); len(left) != 1 || left["new"] == 0 {
		t.Fatal(left)
	}
	must(t, disk.Remove("/d/f"))
	if left := outcomes(disk); left["new"] == 0 || left["-"] == 0 || len(left) != 2 {
		t.Fatal(left)
	}
}

// TestFailedSyncLies: what a sync failed to write reads on, and a second sync that
// succeeds does not make it durable; to write it again does.
func TestFailedSyncLies(t *testing.T) {
	disk, f := made(t, "old")
	disk.Inject(FailSync(2, syscall.EIO))
	write := func() {
		_, err := f.WriteAt([]byte("new"), 0)
		must(t, err)
	}
	write()
	if err := f.Datasync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	disk.Inject(nil)
	must(t, f.Datasync())
	if data, _ := disk.ReadFile("/d/f"); string(data) != "new" {
		t.Fatalf("reads as %q", data)
	}
	if left := outcomes(disk); left["old"] != 400 {
		t.Fatal(left)
	}
	write()
	must(t, f.Datasync())
	if left := outcomes(disk); left["new"] != 400 {
		t.Fatal(left)
	}
}

func TestCapacity(t *testing.T) {
	disk, f := made(t, "")
	disk.SetCapacity(4 * Sector)
	must(t, f.Truncate(100*Sector)) // a hole takes no room
	block := make([]byte, Sector)
	for i := range int64(4) {
		_, err := f.WriteAt(block, 10*i*Sector)
		must(t, err)
	}
	if _, err := f.WriteAt(block, 5*Sector); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_, err := f.WriteAt(block, 0) // in place
	must(t, err)
	must(t, f.Truncate(Sector))
	_, err = f.WriteAt(block, 5*Sector)
	must(t, err)
	must(t, disk.Remove("/d/f"))
	g, err := disk.OpenFile("/d/g", os.O_RDWR|os.O_CREATE, 0)
	must(t, err)
	_, err = g.WriteAt(make([]byte, 4*Sector), 0)
	must(t, err)
}

// TestCrashAt: the call named is the last, and Revive goes on from it.
func TestCrashAt(t *testing.T) {
	disk, f := made(t, "abc")
	disk.CrashAt(disk.Ops() + 2)
	must(t, f.Datasync())
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, ErrCrashed) || !disk.Crashed() {
		t.Fatal(err)
	}
	for _, err := range []error{f.Datasync(), f.Truncate(0), disk.Remove("/d/f"), disk.Rename("/d/f", "/d/g"),
		disk.SyncDir("/d"), disk.MkdirAll("/e", 0)} {
		if !errors.Is(err, ErrCrashed) {
			t.Fatal(err)
		}
	}
	if left := outcomes(disk); left["abc"] == 0 || left["xbc"] == 0 || len(left) != 2 {
		t.Fatal(left)
	}
	disk.Revive()
	if data, _ := disk.ReadFile("/d/f"); string(data) != "xbc" {
		t.Fatalf("%q", data)
	}
	must(t, f.Datasync())
	if left := outcomes(disk); left["xbc"] != 400 {
		t.Fatal(left)
	}
}

// TestClone is what a crash of the process leaves: everything.
func TestClone(t *testing.T) {
	disk, f := made(t, "abc")
	_, err := f.WriteAt([]byte("xy"), 2)
	must(t, err)
	clone := disk.Clone()
	_, err = f.WriteAt([]byte("!"), 0)
	must(t, err)
	if left := outcomes(clone); left["abxy"] != 400 {
		t.Fatal(left)
	}
	if names, err := clone.List("/d"); err != nil || !slices.Equal(names, []string{"f"}) {
		t.Fatal(names, err)
	}
}

func TestHookSeesEveryIO(t *testing.T) {
	disk := New()
	must(t, disk.MkdirAll("/d", 0))
	var seen []Kind
	disk.Inject(func(op Op) error {
		seen = append(seen, op.Kind)
		return nil
	})
	f, err := disk.OpenFile("/d/f", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("x"), 0)
	must(t, err)
	must(t, f.Truncate(7))
	must(t, f.Datasync())
	must(t, disk.Rename("/d/f", "/d/g"))
	must(t, disk.Remove("/d/g"))
	must(t, disk.SyncDir("/d"))
	want := []Kind{Create, Write, Truncate, Sync, Rename, Remove, SyncDir}
	if !slices.Equal(seen, want) || disk.Ops() != len(want) || disk.Count(Sync) != 1 {
		t.Fatal(seen, disk.Ops())
	}
}

func TestErrorsOfNames(t *testing.T) {
	disk, f := made(t, "abc")
	if _, err := disk.OpenFile("/d/f", os.O_CREATE|os.O_EXCL, 0); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	_, noDir := disk.OpenFile("/x/f", os.O_CREATE, 0)
	_, noFile := disk.OpenFile("/d/g", os.O_RDONLY, 0)
	_, noList := disk.List("/x")
	_, noStat := disk.Stat("/d/g")
	for _, err := range []error{noDir, noFile, noList, noStat, disk.Remove("/d/g"), disk.Rename("/d/g", "/d/h")} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	must(t, f.Close())
	if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
}
