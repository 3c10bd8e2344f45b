package audit

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"qcat/core/identity"
	"qcat/persist/migrate"
	"qcat/persist/vfs"
)

func (b *bed) anchors() []byte {
	b.t.Helper()
	content, err := os.ReadFile(b.head)
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

func (b *bed) setAnchors(content []byte) {
	b.t.Helper()
	if err := os.WriteFile(b.head, content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// line is where line i of the anchors is, from 1 on.
func line(content []byte, i int) []byte {
	return content[headerSize+(i-1)*lineSize : headerSize+i*lineSize]
}

// without are the anchors without line i.
func without(content []byte, i int) []byte {
	return append(bytes.Clone(content[:headerSize+(i-1)*lineSize]), content[headerSize+i*lineSize:]...)
}

// TestAnchorsTampered: the file is changed by somebody without the key. Nothing is anchored
// on top of it.
func TestAnchorsTampered(t *testing.T) {
	other := bytes.Repeat([]byte{7}, 32)
	for _, tt := range []struct {
		name  string
		do    func(b *bed, content []byte)
		wants string
		alarm error
	}{
		{"removed", func(b *bed, _ []byte) { os.Remove(b.head) }, "no_anchors 0-0", ErrNoHead},
		{"empty", func(b *bed, _ []byte) { b.setAnchors(nil) }, "anchor_broken 0-0", ErrHeadBroken},
		{"no anchor", func(b *bed, c []byte) { b.setAnchors(c[:headerSize]) }, "anchor_broken 0-0", ErrHeadBroken},
		{"another header", func(b *bed, c []byte) { b.setAnchors(bytes.Replace(c, []byte("head 1"), []byte("head 2"), 1)) }, "anchor_broken 0-0", ErrHeadBroken},
		{"another key", func(b *bed, _ []byte) {
			k, _ := anchorKey(other)
			b.setAnchors(render(&k, []anchor{{}}))
		}, "anchors_key 0-0", ErrHeadKey},
		{"another key under our name", func(b *bed, _ []byte) {
			k, _ := anchorKey(other)
			ours, _ := anchorKey(master)
			k.id = ours.id
			b.setAnchors(render(&k, []anchor{{}}))
		}, "anchor_broken 1-1", ErrHeadBroken},
		{"another hash", func(b *bed, c []byte) { copy(line(c, 3)[42:], line(c, 2)[42:106]); b.setAnchors(c) }, "anchor_broken 3-3", ErrHeadBroken},
		{"another number", func(b *bed, c []byte) { line(c, 3)[19]++; b.setAnchors(c) }, "anchor_broken 3-3", ErrHeadBroken},
		{"another time", func(b *bed, c []byte) { line(c, 3)[40]++; b.setAnchors(c) }, "anchor_broken 3-3", ErrHeadBroken},
		{"another seal", func(b *bed, c []byte) { copy(line(c, 3)[lineSize-65:], line(c, 2)[lineSize-65:]); b.setAnchors(c) }, "anchor_broken 3-3; anchor_broken 4-4", ErrHeadBroken},
		{"no line", func(b *bed, c []byte) { copy(line(c, 3), "nonsense"); b.setAnchors(c) }, "anchor_broken 3-3; anchor_broken 4-4", ErrHeadBroken},
		{"the first removed", func(b *bed, c []byte) { b.setAnchors(without(c, 1)) }, "anchor_broken 1-1", ErrHeadBroken},
		{"one removed", func(b *bed, c []byte) { b.setAnchors(without(c, 3)) }, "anchor_broken 3-3", ErrHeadBroken},
		{"one twice", func(b *bed, c []byte) { b.setAnchors(append(c, line(c, 6)...)) }, "anchor_broken 7-7", ErrHeadBroken},
		{"two exchanged", func(b *bed, c []byte) {
			second := bytes.Clone(line(c, 2))
			copy(line(c, 2), line(c, 3))
			copy(line(c, 3), second)
			b.setAnchors(c)
		}, "anchor_broken 2-2; anchor_broken 3-3; anchor_broken 4-4", ErrHeadBroken},
		{"the last removed, as a crash may leave it", func(b *bed, c []byte) { b.setAnchors(without(c, 6)) }, "", nil},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			b := newBed(t, migrate.SQLite)
			l := b.open()
			b.fill(l, 5)
			tt.do(b, b.anchors())
			before, _ := os.ReadFile(b.head)
			if got := found(b.verify()); got != tt.wants {
				t.Errorf("found %q, want %q", got, tt.wants)
			}
			if err := b.open().Alarm(); !errors.Is(err, tt.alarm) {
				t.Errorf("a start says %v", err)
			}
			e := sample(1)
			if err := l.Audit(t.Context(), &e); err != nil || !errors.Is(l.Alarm(), tt.alarm) {
				t.Errorf("%v, alarm %v", err, l.Alarm())
			}
			if after, _ := os.ReadFile(b.head); tt.alarm != nil && !bytes.Equal(before, after) {
				t.Error("what was tampered with was written to")
			}
		})
	}
}

// TestAnchorsTorn: a crash while a line is written is no damage, whatever it left.
func TestAnchorsTorn(t *testing.T) {
	b := newBed(t, migrate.SQLite)
	l := b.open()
	b.fill(l, 3)
	sound := b.anchors()
	for cut := range lineSize {
		for _, tail := range [][]byte{line(sound, 4)[:cut], make([]byte, cut)} {
			b.setAnchors(append(bytes.Clone(sound[:headerSize+3*lineSize]), tail...))
			r := b.verify()
			if whole(t, r, 3); r.AnchoredTo != 2 {
				t.Fatalf("after %d bytes of a line: anchored to %d", cut, r.AnchoredTo)
			}
		}
	}
	e := sample(1)
	if err := errors.Join(l.Audit(t.Context(), &e), l.Alarm()); err != nil {
		t.Fatal(err)
	}
	if r := b.verify(); !r.Whole() || r.Anchors != 4 || r.AnchoredTo != 4 {
		t.Errorf("%+v", r)
	}
}

// TestAnchorsThinned: the file stays small, and keeps anchors of all ages.
func TestAnchorsThinned(t *testing.T) {
	k, err := anchorKey(master)
	if err != nil {
		t.Fatal(err)
	}
	f := newHeadFile(filepath.Join(t.TempDir(), HeadFile), k)
	list := []anchor{{}}
	var n int64
	for range 6 {
		for len(list) < maxAnchors {
			n++
			list = append(list, anchor{link: link{n: n, hash: hash{byte(n)}}})
		}
		if err := f.replace(list); err != nil {
			t.Fatal(err)
		}
		n++
		if err := f.add(t.Context(), anchor{link: link{n: n, hash: hash{byte(n)}}}); err != nil {
			t.Fatal(err)
		}
		h, err := f.load()
		if err != nil || h.err() != nil {
			t.Fatal(err, h.err())
		}
		list = h.anchors
		if len(list) != keepAnchors+(maxAnchors-keepAnchors)/2+1 || list[0].n != 0 || list[len(list)-1].n != n || list[len(list)-keepAnchors].n != n-keepAnchors+1 {
			t.Fatalf("%d anchors from %d to %d", len(list), list[0].n, n)
		}
	}
	early := 0
	for _, a := range list {
		if a.n < n/2 {
			early++
		}
	}
	if early < 50 {
		t.Errorf("%d anchors of the first half are left", early)
	}
}

// TestRekey: killed before or after, it is called again and done.
func TestRekey(t *testing.T) {
	b := newBed(t, migrate.SQLite)
	old := b.open()
	b.fill(old, 3)
	next := bytes.Repeat([]byte{9}, 32)
	for range 2 {
		if err := Rekey(t.Context(), b.head, master, next); err != nil {
			t.Fatal(err)
		}
	}
	if got := found(b.verify()); got != "anchors_key 0-0" {
		t.Errorf("under the old key: %q", got)
	}
	e := sample(1)
	if err := old.Audit(t.Context(), &e); err != nil || !errors.Is(old.Alarm(), ErrHeadKey) {
		t.Errorf("a process with the old key: %v, %v", err, old.Alarm())
	}
	cfg := b.config()
	cfg.Master = next
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.fill(l, 1)
	r := verify(t, l)
	if whole(t, r, 5); r.Anchors != 5 {
		t.Errorf("%d anchors", r.Anchors)
	}
	if err := Rekey(t.Context(), b.head, master, bytes.Repeat([]byte{1}, 32)); !errors.Is(err, ErrHeadKey) {
		t.Errorf("with neither key: %v", err)
	}
	b.setAnchors(without(b.anchors(), 2))
	if err := Rekey(t.Context(), b.head, next, master); !errors.Is(err, ErrHeadBroken) {
		t.Errorf("a file that was changed is sealed anew: %v", err)
	}
	if err := Rekey(t.Context(), b.head, master[:31], next); err == nil {
		t.Error("a short key is taken")
	}
}

// TestReanchor: an operator accepts what is found, and the log says so.
func TestReanchor(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		b.fill(b.open(), 6)
		b.disarm()
		b.exec("DELETE FROM audit_log WHERE n > 4")
		b.fixHead()
		if b.dialect == migrate.Postgres { // its links come from a trigger, which is needed again
			b.exec("CREATE TRIGGER audit_log_link AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION qcat_audit_link()")
		}
		l := b.open()
		for i := range 2 {
			by := identity.AuditEntry{Actor: "root@host", Role: "admin", Via: "cli", Detail: "restored the backup of last night"}
			if err := l.Reanchor(t.Context(), &by); err != nil {
				t.Fatal(err)
			}
			if by.N != int64(5+i) || by.Action != ReanchorAction || !strings.HasPrefix(by.Before, `{"anchors":"audit.head.2023`) {
				t.Errorf("%+v", by)
			}
		}
		b.fill(l, 1)
		r := b.verify()
		if whole(t, r, 7); r.AnchoredFrom != 6 {
			t.Errorf("anchored from %d", r.AnchoredFrom)
		}
		kept, err := filepath.Glob(b.head + ".2*")
		if err != nil || len(kept) != 2 {
			t.Errorf("moved aside: %v, %v", kept, err)
		}
	})
}

// TestAnchorsCannotBeWritten: the entry is there all the same, and the alarm ends by itself.
func TestAnchorsCannotBeWritten(t *testing.T) {
	b := newBed(t, migrate.SQLite)
	l := b.open()
	b.fill(l, 1)
	held, err := vfs.TryLock(b.head+".lock", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := l.head.add(ctx, anchor{link: link{n: 2}}); !errors.Is(err, vfs.ErrHeld) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("another process has the lock: %v", err)
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(b.head)
	l.head.path = filepath.Join(dir, "missing", HeadFile)
	e := sample(1)
	if err := l.Audit(t.Context(), &e); err != nil || l.Alarm() == nil || tampered(l.Alarm()) {
		t.Errorf("%v, alarm %v", err, l.Alarm())
	}
	l.head.path = b.head
	b.fill(l, 1)
	whole(t, b.verify(), 3)
	if _, err := Open(t.Context(), Config{DB: b.db, Dialect: b.dialect, Head: b.head, Master: master[:16]}); err == nil {
		t.Error("a short master key is taken")
	}
	if _, err := Open(t.Context(), Config{DB: b.db}); err == nil {
		t.Error("no dialect is one")
	}
}

// TestHeadIsNotMade: of a log with entries, nobody but an operator begins a new file.
func TestHeadIsNotMade(t *testing.T) {
	b := newBed(t, migrate.SQLite)
	cfg := b.config()
	cfg.Head = ""
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.fill(l, 1)
	late := b.open()
	if !errors.Is(late.Alarm(), ErrNoHead) || !errors.Is(late.Anchor(t.Context()), ErrNoHead) {
		t.Errorf("the alarm is %v", late.Alarm())
	}
	if _, err := os.Stat(b.head); !os.IsNotExist(err) {
		t.Errorf("the file: %v", err)
	}
}

// FuzzHeads feeds anything to the parser of anchors: nothing is taken that was not sealed.
func FuzzHeads(f *testing.F) {
	k, err := anchorKey(master)
	if err != nil {
		f.Fatal(err)
	}
	sound := render(&k, []anchor{{}, {link: link{n: 1, hash: hash{1}}, time: 5}, {link: link{n: 4, hash: hash{4}}, time: 6}})
	f.Add(sound)
	f.Add(sound[:len(sound)-1])
	f.Add(without(sound, 2))
	f.Add(append(bytes.Clone(sound), 0, 0, 0))
	f.Add([]byte("qcat-audit-head 1 \n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		h, err := parseHeads(content, &k)
		if err != nil {
			return
		}
		if h.err() == nil && !bytes.Equal(render(&k, h.anchors), content[:h.size]) {
			t.Errorf("%q is taken for sound", content)
		}
		for _, a := range h.anchors {
			if !bytes.Contains(sound, appendLine(nil, a, seal{})[:lineSize-65]) {
				t.Errorf("%+v was never sealed", a)
			}
		}
	})
}
