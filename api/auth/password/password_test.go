package password

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

const good = "correct horse battery"

func TestHashAndVerify(t *testing.T) {
	t.Parallel()
	h, ctx := NewHasher(2, 8), t.Context()
	stored, err := h.Hash(ctx, good)
	if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(stored, good) {
		t.Fatal(stored, err)
	}
	if again, _ := h.Hash(ctx, good); again == stored {
		t.Error("two hashes have one salt")
	}
	for _, tt := range []struct {
		stored, password string
		want             bool
		err              error
	}{
		{stored, good, true, nil},
		{stored, good + " ", false, nil},
		{stored, "", false, nil},
		{stored, good + strings.Repeat("x", MaxLength), false, nil},
		{"", good, false, nil},
		{"", "", false, nil},
		{"plain", "plain", false, ErrHash},
	} {
		if got, err := h.Verify(ctx, tt.stored, tt.password); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q, %.30q: %v, %v", tt.stored, tt.password, got, err)
		}
	}
}

// TestCutShort: a stored hash that lost its end is an error, not a password that does not
// match, whatever its last bits are.
func TestCutShort(t *testing.T) {
	t.Parallel()
	for fill := range 256 {
		h := fresh()
		for i := range h.sum {
			h.sum[i] = byte(fill)
		}
		whole := h.String()
		if _, err := parse(whole); err != nil {
			t.Fatalf("%q: %v", whole, err)
		}
		for n := range len(whole) {
			if _, err := parse(whole[:n]); !errors.Is(err, ErrHash) {
				t.Errorf("%q: %v", whole[:n], err)
			}
		}
	}
}

// TestKnownAnswer is what the reference implementation's command prints for the same
// input: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1.
func TestKnownAnswer(t *testing.T) {
	t.Parallel()
	const stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, err := NewHasher(1, 0).Verify(t.Context(), stored, "password")
	if !ok || err != nil {
		t.Error(ok, err)
	}
}

// TestSameWork: what answers nobody uses the parameters of what answers somebody.
func TestSameWork(t *testing.T) {
	t.Parallel()
	d, f := NewHasher(1, 0).decoy, fresh()
	if d.memory != f.memory || d.passes != f.passes || d.threads != f.threads || len(d.sum) != len(f.sum) || len(d.salt) != len(f.salt) {
		t.Errorf("decoy %+v, fresh %+v", d, f)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	h := NewHasher(1, 1)
	leave, err := h.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan func())
	go func() {
		second, err := h.enter(context.Background())
		if err != nil {
			t.Error(err)
		}
		entered <- second
	}()
	deadline := time.Now().Add(10 * time.Second)
	for len(h.queue) < 2 && time.Now().Before(deadline) { // until it waits
		runtime.Gosched()
	}
	if _, err := h.Verify(t.Context(), "", good); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	leave()
	(<-entered)()
	if _, err := h.Verify(t.Context(), "", good); err != nil {
		t.Errorf("when all have left: %v", err)
	}
}

func TestWaitingEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	h := NewHasher(1, 1)
	leave, _ := h.enter(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, good); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	leave()
	if len(h.queue)+len(h.work) != 0 {
		t.Error("a place is not given back")
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		user, password string
		ok             bool
	}{
		{"ann", good, true},
		{"ann", "twelve chars", true},
		{"ann", "eleven char", false},
		{"ann", "十二個字的密碼也是可以的", true},
		{"ann", "不到十二個字", false},
		{"annabella.smith", "AnnaBella.Smith", false},
		{"ann", strings.Repeat("x", 20), false},
		{"ann", strings.Repeat("xy", 512), true},
		{"ann", strings.Repeat("xy", 512) + "z", false},
		{"ann", "not utf-8 \xff\xfe...", false},
		{"ann", "", false},
	} {
		err := Check(tt.user, tt.password)
		if (err == nil) != tt.ok || (err != nil && !errors.Is(err, ErrPolicy)) {
			t.Errorf("%.20q: %v", tt.password, err)
		}
		if err != nil && tt.password != "" && strings.Contains(err.Error(), tt.password) {
			t.Error("the error shows the password")
		}
	}
}

// FuzzParse: what is read is written the same, and is within bounds.
func FuzzParse(f *testing.F) {
	h := fresh()
	f.Add(h.String())
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parse(text)
		if err != nil {
			return
		}
		if h.memory > maxMemory || h.passes < 1 || h.threads < 1 {
			t.Fatalf("%q: %+v", text, h)
		}
		if again, err := parse(h.String()); err != nil || again.String() != h.String() {
			t.Fatalf("%q is written as %q", text, h.String())
		}
	})
}
