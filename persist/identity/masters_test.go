package identity_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	stored "qcat/persist/identity"
	"qcat/persist/seal"
)

// TestMastersFrom: the file of a data directory is made at the first need, and never when
// there is something that it could not open.
func TestMastersFrom(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		dir := t.TempDir()
		file := filepath.Join(dir, seal.FileName)
		from := b.MastersFrom(seal.Source{Dir: dir})
		for range 2 {
			_, err := stored.OpenKeys(ctx, b.Store, from)
			b.must(err)
		}
		former := filepath.Join(dir, "former")
		b.must(os.Rename(file, former))
		_, err := stored.OpenKeys(ctx, b.Store, from)
		b.refused(err, seal.ErrNoMaster)
		if err == nil || !strings.Contains(err.Error(), "the database has secrets") {
			t.Error(err)
		}
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a master key was made that opens nothing: %v", err)
		}

		b.must(seal.MakeFile(file))
		_, err = stored.OpenKeys(ctx, b.Store, from)
		b.refused(err, seal.ErrMaster)
		_, err = stored.OpenKeys(ctx, b.Store, b.MastersFrom(seal.Source{Dir: dir}, seal.Source{File: former + "x"}))
		b.refused(err, fs.ErrNotExist)
		k, err := stored.OpenKeys(ctx, b.Store, b.MastersFrom(seal.Source{Dir: dir}, seal.Source{File: former}))
		b.must(err)
		out, err := k.Rotate(ctx, nil)
		b.must(err)
		if out.Resealed != 1 {
			t.Errorf("%+v", out)
		}
		_, err = stored.OpenKeys(ctx, b.Store, from)
		b.must(err)
	})
}
