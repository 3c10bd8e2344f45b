package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestOS writes, reads, renames and deletes on the machine's file system.
func TestOS(t *testing.T) {
	var fsys OS
	dir := filepath.Join(t.TempDir(), "a", "b")
	must(t, fsys.MkdirAll(dir, 0o700))
	name, other := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	must(t, err)
	parts := [][]byte{[]byte("ab"), nil, []byte("cde"), {}}
	if n, err := f.WriteV(parts, 3); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	must(t, f.Datasync())
	must(t, f.Truncate(10))
	if size, err := f.Size(); size != 10 || err != nil {
		t.Fatal(size, err)
	}
	got := make([]byte, 12)
	if n, err := f.ReadAt(got, 0); n != 10 || !errors.Is(err, io.EOF) || string(got[:10]) != "\x00\x00\x00abcde\x00\x00" {
		t.Fatalf("%d %v %q", n, err, got)
	}
	must(t, f.Close())
	must(t, fsys.Rename(name, other))
	must(t, fsys.SyncDir(dir))
	if names, err := fsys.List(dir); err != nil || !slices.Equal(names, []string{"two"}) {
		t.Fatal(names, err)
	}
	if size, err := fsys.Stat(other); size != 10 || err != nil {
		t.Fatal(size, err)
	}
	must(t, fsys.Remove(other))
	for _, err := range []error{
		fsys.Remove(other), fsys.Rename(name, other), fsys.SyncDir(name),
		second(fsys.Stat(other)), second(fsys.List(name)), second(fsys.OpenFile(other, os.O_RDONLY, 0)),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of what is not there: %v", err)
		}
	}
	if err := f.Datasync(); err == nil {
		t.Error("a closed file was synced")
	}
	if _, err := f.WriteV(parts, 0); err == nil {
		t.Error("a closed file was written")
	}
}

// TestWriteVOfManyBuffers writes more buffers than one system call takes, of sizes
// that it splits anywhere.
func TestWriteVOfManyBuffers(t *testing.T) {
	f, err := OS{}.OpenFile(filepath.Join(t.TempDir(), "f"), os.O_RDWR|os.O_CREATE, 0o600)
	must(t, err)
	defer f.Close()
	var bufs [][]byte
	var want []byte
	for i := range 900 {
		b := bytes.Repeat([]byte{byte(i)}, i*7%50)
		bufs, want = append(bufs, b), append(want, b...)
	}
	if n, err := f.WriteV(bufs, 100); n != len(want) || err != nil {
		t.Fatal(n, err)
	}
	got := make([]byte, len(want))
	if _, err := f.ReadAt(got, 100); err != nil || !bytes.Equal(got, want) {
		t.Fatal("reads differently", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }
