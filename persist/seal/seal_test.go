package seal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"qcat/core/identity"
)

const secretText = "correct horse battery staple"

func newMaster(t testing.TB) *Master {
	t.Helper()
	m, err := ParseMaster(newMasterText())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sealed(t testing.TB, k *KEK, secret string) identity.Sealed {
	t.Helper()
	s, err := k.Seal("api_keys", "k1", []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// silent requires an error of the kind wanted that tells nothing of the secret.
func silent(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	} else if strings.Contains(err.Error(), "horse") {
		t.Errorf("the error tells the secret: %v", err)
	}
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	k := NewKEK(7)
	for _, secret := range []string{"", "x", secretText, strings.Repeat("z", MaxSecret)} {
		s := sealed(t, k, secret)
		if v, err := Version(s); v != 7 || err != nil {
			t.Errorf("version %d (%v)", v, err)
		}
		if secret != "" && len(secret) > 1 && bytes.Contains(s, []byte(secret)) {
			t.Error("the secret stands in what is sealed")
		}
		if got, err := k.Open("api_keys", "k1", s); string(got) != secret || err != nil {
			t.Errorf("opened %d bytes of %d (%v)", len(got), len(secret), err)
		}
		if bytes.Equal(s, sealed(t, k, secret)) {
			t.Error("the same secret is sealed to the same bytes")
		}
	}
	_, err := k.Seal("t", "r", make([]byte, MaxSecret+1))
	silent(t, err, ErrSize)
}

// TestTampering: no bit can be changed, none lost or added, and no blob moved.
func TestTampering(t *testing.T) {
	t.Parallel()
	k := NewKEK(7)
	s := sealed(t, k, secretText)
	for bit := range len(s) * 8 {
		bad := bytes.Clone(s)
		bad[bit/8] ^= 1 << (bit % 8)
		want := ErrOpen
		switch at := bit / 8; {
		case at < versionAt:
			want = ErrFormat
		case at < wrappedAt:
			want = ErrVersion
		}
		_, err := k.Open("api_keys", "k1", bad)
		silent(t, err, want)
	}
	for n := range s {
		if _, err := k.Open("api_keys", "k1", s[:n]); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrOpen) {
			t.Errorf("%d bytes of %d: %v", n, len(s), err)
		}
	}
	_, err := k.Open("api_keys", "k1", append(bytes.Clone(s), 0))
	silent(t, err, ErrOpen)
	for _, place := range [][2]string{{"api_keys", "k2"}, {"signing_keys", "k1"}, {"api_keysk", "1"}, {"", "api_keysk1"}, {"k1", "api_keys"}} {
		_, err := k.Open(place[0], place[1], s)
		silent(t, err, ErrOpen)
	}
	_, err = NewKEK(7).Open("api_keys", "k1", s)
	silent(t, err, ErrOpen)
	_, err = NewKEK(8).Open("api_keys", "k1", s)
	silent(t, err, ErrVersion)
	other := sealed(t, k, secretText)
	_, err = k.Open("api_keys", "k1", append(bytes.Clone(s[:secretAt]), other[secretAt:]...))
	silent(t, err, ErrOpen) // one's data key with the other's secret
}

func TestRewrap(t *testing.T) {
	t.Parallel()
	one, two := NewKEK(1), NewKEK(2)
	s := sealed(t, one, secretText)
	moved, err := two.Rewrap(one, "api_keys", "k1", s)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(moved[secretAt:], s[secretAt:]) || bytes.Equal(moved[wrappedAt:secretAt], s[wrappedAt:secretAt]) {
		t.Error("a rewrap changes the wrapped data key, and nothing else")
	}
	if got, err := two.Open("api_keys", "k1", moved); string(got) != secretText || err != nil {
		t.Errorf("%q (%v)", got, err)
	}
	_, err = one.Open("api_keys", "k1", moved)
	silent(t, err, ErrVersion)
	_, err = two.Rewrap(one, "api_keys", "k2", s)
	silent(t, err, ErrOpen)
	s[len(s)-1] ^= 1
	_, err = two.Rewrap(one, "api_keys", "k1", s)
	silent(t, err, ErrOpen) // damage gets no new seal
}

func TestKEKUnderMaster(t *testing.T) {
	t.Parallel()
	m, k := newMaster(t), NewKEK(3)
	s := m.SealKEK(k)
	again, err := m.OpenKEK(3, s)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open("api_keys", "k1", sealed(t, k, secretText)); string(got) != secretText || err != nil {
		t.Errorf("%q (%v)", got, err)
	}
	_, err = newMaster(t).OpenKEK(3, s)
	silent(t, err, ErrMaster)
	_, err = m.OpenKEK(4, s)
	silent(t, err, ErrVersion)
	for bit := range len(s) * 8 {
		bad := bytes.Clone(s)
		bad[bit/8] ^= 1 << (bit % 8)
		want := ErrOpen
		switch at := bit / 8; {
		case at < versionAt:
			want = ErrFormat
		case at < masterIDAt:
			want = ErrVersion
		case at < kekAt:
			want = ErrMaster
		}
		_, err := m.OpenKEK(3, bad)
		silent(t, err, want)
	}
	for n := range s {
		_, err := m.OpenKEK(3, s[:n])
		silent(t, err, ErrFormat)
	}
	forged := bytes.Clone(s) // the version in the clear is bound, too
	forged[versionAt+3] = 4
	_, err = m.OpenKEK(4, forged)
	silent(t, err, ErrOpen)
	_, err = NewKEK(3).Open("api_keys", "k1", s)
	silent(t, err, ErrFormat)
}

// TestNothingPrints formats keys in every way: what comes out is their name.
func TestNothingPrints(t *testing.T) {
	t.Parallel()
	m, k := newMaster(t), NewKEK(3)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{m, *m} {
			if got := fmt.Sprintf(verb, v); got != "master key "+m.ID() {
				t.Errorf("%s of a master key: %s", verb, got)
			}
		}
		for _, v := range []any{k, *k} {
			if got := fmt.Sprintf(verb, v); got != "key-encryption key 3" {
				t.Errorf("%s of a key: %s", verb, got)
			}
		}
	}
}

func TestParseMaster(t *testing.T) {
	t.Parallel()
	text := "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	for _, good := range []string{text, text + "\n", " " + strings.TrimRight(text, "=") + "\r\n"} {
		if m, err := ParseMaster([]byte(good)); err != nil || len(m.ID()) != 16 {
			t.Errorf("%q: %v", good, err)
		}
	}
	zeros := strings.Repeat("A", 43) + "="
	for _, bad := range []string{"", "x", zeros, text[4:], text + "AAAA", "change-me-" + text[10:], strings.Repeat("0", 64)} {
		if _, err := ParseMaster([]byte(bad)); !errors.Is(err, ErrMasterKey) {
			t.Errorf("%q is a master key: %v", bad, err)
		} else if len(bad) > 8 && strings.Contains(err.Error(), bad[:8]) {
			t.Errorf("the error quotes the text: %v", err)
		}
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	m, err := ParseMaster([]byte(keyText))
	again, _ := ParseMaster([]byte(keyText))
	if err != nil {
		t.Fatal(err)
	}
	a := m.Derive("a")
	if len(a) != 32 || !bytes.Equal(a, again.Derive("a")) {
		t.Error("a key that is derived twice is another one")
	}
	for name, other := range map[string][]byte{"purpose": m.Derive("b"), "master key": newMaster(t).Derive("a"), "root": m.root[:]} {
		if bytes.Equal(a, other) {
			t.Errorf("another %s has the same key", name)
		}
	}
}

// FuzzOpen: whatever stands in a column, it opens to what was sealed, or not at all.
func FuzzOpen(f *testing.F) {
	k, m := NewKEK(1), newMaster(f)
	good := sealed(f, k, secretText)
	f.Add([]byte(good), "api_keys", "k1")
	f.Add([]byte(good[:secretAt]), "api_keys", "k1")
	f.Add([]byte(m.SealKEK(k)), "", "")
	f.Add([]byte{formatSecret}, "a", "b")
	f.Fuzz(func(t *testing.T, b []byte, table, row string) {
		secret, err := k.Open(table, row, b)
		if err == nil && !(bytes.Equal(b, good) && table == "api_keys" && row == "k1" && string(secret) == secretText) {
			t.Errorf("opened %q", secret)
		}
		if _, err := m.OpenKEK(1, b); err == nil {
			if _, err := Version(b); err == nil {
				t.Error("one text is a secret and a key")
			}
		}
	})
}
