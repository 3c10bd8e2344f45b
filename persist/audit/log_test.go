package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"qcat/core/identity"
)

func TestAppendAndRead(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		whole(t, verify(t, l), 0)
		first := b.clock.Now()
		b.fill(l, 7)
		given := sample(0)
		given.Time, given.Action = 42, "login"
		if err := l.Audit(t.Context(), &given); err != nil || given.N != 8 || given.Time != 42 {
			t.Fatalf("%d at %d: %v", given.N, given.Time, err)
		}
		list, err := l.Entries(t.Context(), identity.AuditQuery{Limit: 100})
		if err != nil || len(list) != 8 {
			t.Fatalf("%d entries: %v", len(list), err)
		}
		if list[0] != given {
			t.Errorf("%+v came back as %+v", given, list[0])
		}
		want := sample(2)
		want.N, want.Time = 3, first+2e9
		if list[5] != want {
			t.Errorf("%+v came back as %+v", want, list[5])
		}
		r := verify(t, l)
		whole(t, r, 8)
		if r.Anchors != 9 || r.AnchoredFrom != 0 || r.AnchoredTo != 8 || r.Unanchored() != 0 || len(r.Hash) != 64 {
			t.Errorf("%+v", r)
		}
		for _, tt := range []struct {
			name string
			q    identity.AuditQuery
			want []int64
		}{
			{"the newest", identity.AuditQuery{Limit: 2}, []int64{8, 7}},
			{"the page before", identity.AuditQuery{Limit: 2, Before: 7}, []int64{6, 5}},
			{"from and to", identity.AuditQuery{From: first + 1e9, To: first + 3e9, Limit: 9}, []int64{3, 2}},
			{"an actor", identity.AuditQuery{Actor: "user1", Limit: 9}, []int64{5, 2}},
			{"an action", identity.AuditQuery{Action: "login", Limit: 9}, []int64{8}},
			{"actions", identity.AuditQuery{Action: "limits.*", Before: 3, Limit: 9}, []int64{2, 1}},
			{"all actions", identity.AuditQuery{Action: "*", Limit: 1}, []int64{8}},
			{"no wildcard but the last", identity.AuditQuery{Action: "l%", Limit: 9}, nil},
			{"everything at once", identity.AuditQuery{Action: "limits.*", Actor: "user0", From: first, To: first + 9e9, Before: 7, Limit: 1}, []int64{4}},
			{"no limit", identity.AuditQuery{}, nil},
			{"NUL", identity.AuditQuery{Actor: "a\x00\xff'", Action: "\x00*", Limit: 1}, nil},
		} {
			rows, err := l.Entries(t.Context(), tt.q)
			var got []int64
			for i := range rows {
				got = append(got, rows[i].N)
			}
			if err != nil || len(got) != len(tt.want) {
				t.Errorf("%s: %v, want %v: %v", tt.name, got, tt.want, err)
				continue
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
				}
			}
		}
	})
}

// TestTextsAsStored: what is hashed is what comes back, whatever was given.
func TestTextsAsStored(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		for _, s := range []string{"", "a\x00b", "\xff\xfe", "'; DROP TABLE audit_log; --", "ü\u2028\r\n\t\x01\x7f", "\U0010ffff\ufffe", "{\"a\":\"\\u0000\"}",
			strings.Repeat("x", maxName), strings.Repeat("ü", maxName), strings.Repeat("€", maxChange), strings.Repeat("\xff", maxChange)} {
			var e identity.AuditEntry
			for i := range texts {
				*texts[i].of(&e) = s
			}
			given := e
			if err := l.Audit(t.Context(), &e); err != nil {
				t.Fatalf("%.20q: %v", s, err)
			}
			if given.Time, given.N = e.Time, e.N; given != e {
				t.Error("the texts of the caller's entry changed")
			}
			rows, err := l.Entries(t.Context(), identity.AuditQuery{Limit: 1})
			if err != nil || len(rows) != 1 {
				t.Fatal(err)
			}
			for i := range texts {
				got := *texts[i].of(&rows[0])
				if !utf8.ValidString(got) || strings.Contains(got, "\x00") || len(got) > texts[i].max {
					t.Errorf("%s is %d bytes: %.40q", texts[i].column, len(got), got)
				}
				if cut := len(cleanText(s)) > texts[i].max; cut != strings.Contains(got, "[cut: it had ") {
					t.Errorf("%s: cut %v, but it ends with %q", texts[i].column, cut, got[max(0, len(got)-40):])
				}
			}
		}
		whole(t, verify(t, l), 11)
	})
}

// TestDigest holds the hash against docs/format/audit-log.md.
func TestDigest(t *testing.T) {
	e := identity.AuditEntry{N: 2, Time: 3, Journal: 4, Actor: "anna", Action: "login", Detail: "ü"}
	prev := hash{0: 1, 31: 2}
	var b bytes.Buffer
	b.WriteString("QCATAUD1")
	b.Write(prev[:])
	for _, n := range []byte{2, 3, 4} {
		b.Write([]byte{n, 0, 0, 0, 0, 0, 0, 0})
	}
	for _, s := range []string{"anna", "", "", "", "", "login", "", "", "", "", "ü"} {
		b.Write([]byte{byte(len(s)), 0, 0, 0})
		b.WriteString(s)
	}
	const want = "a7fd98418521005377dd34741ac2007742f2dc33fd0e41a5b90dffcd99ea9ca4"
	got := digest(prev, &e)
	if sum := sum256(b.Bytes()); sum != got {
		t.Errorf("hash %x, by the document %x", got, sum)
	}
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("the format has changed: %x", got)
	}
	for i := range texts { // none may be left out, and none mistaken for its neighbour
		o := e
		*texts[i].of(&o) += "x"
		if digest(prev, &o) == got {
			t.Errorf("%s is not hashed", texts[i].column)
		}
	}
	o := e
	o.Actor, o.Role = "ann", "a"
	if digest(prev, &o) == got {
		t.Error("a byte can move from one text to the next")
	}
}

// TestUnsure: what became of a COMMIT without an answer is found out.
func TestUnsure(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		b.fill(l, 2)
		head, err := l.end(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cause := errors.New("connection lost")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.settle(ended, head, cause); err != nil {
			t.Errorf("it is there: %v", err)
		}
		if err := l.settle(ended, link{3, head.hash}, cause); !errors.Is(err, cause) || errors.Is(err, ErrUnsure) {
			t.Errorf("it is not there: %v", err)
		}
		if err := l.settle(ended, link{2, hash{}}, cause); !errors.Is(err, cause) || errors.Is(err, ErrUnsure) {
			t.Errorf("somebody else's is there: %v", err)
		}
		b.db.Close()
		if err := l.settle(ended, head, cause); !errors.Is(err, ErrUnsure) || !errors.Is(err, cause) {
			t.Errorf("nobody knows: %v", err)
		}
	})
}

// TestAppendFails: an entry that is not there leaves no trace and no gap.
func TestAppendFails(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		l := b.open()
		b.fill(l, 1)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		e := sample(1)
		if err := l.Audit(ended, &e); !errors.Is(err, context.Canceled) || e.N != 0 || e.Time != 0 {
			t.Errorf("%d: %v", e.N, err)
		}
		e.Journal = 1 << 63
		if err := l.Audit(t.Context(), &e); err == nil || e.N != 0 {
			t.Errorf("a journal sequence that no row can have: %v", err)
		}
		one, again := sample(2), sample(3)
		one.Journal, again.Journal = 5, 5
		if err := l.Audit(t.Context(), &one); err != nil {
			t.Fatal(err)
		}
		if err := l.Audit(t.Context(), &again); err == nil {
			t.Error("one journal record has two entries")
		}
		b.fill(l, 1)
		whole(t, verify(t, l), 3)
	})
}
