//go:build !race

package auth_test

import (
	"testing"

	"qcat/api/auth"
	"qcat/core/identity"
)

// TestAllocations asserts that what each request asks allocates nothing.
func TestAllocations(t *testing.T) {
	p := first(t)
	id, secret := p.key(nil)
	token := []byte(p.login("ann").Access)
	who, err := p.gate.Bearer(token, here)
	must(t, err)
	r := p.request(id, secret)
	must(t, p.signed(r))
	unknown := p.request("unknown", secret)
	for name, f := range map[string]func(){
		"Bearer":          func() { _, _ = p.gate.Bearer(token, here) },
		"Signed, refused": func() { _, _ = p.gate.Signed(r, here) },
		"Signed, unknown": func() { _, _ = p.gate.Signed(unknown, here) },
		"rights": func() {
			_ = who.Can(identity.Trade) && who.CanAccount("desk1") && who.CanStrategy("desk1", "alpha") && who.Touches("desk1") && who.Require(identity.Read) == nil
		},
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
	requests := make([]func(), 300)
	for i := range requests {
		r := p.request(id, secret)
		requests[i] = func() {
			if p.signed(r) != nil {
				t.Error("refused")
			}
		}
	}
	next := 0
	// The table of nonces is made anew a few times on the way up: less than one in 50.
	if n := testing.AllocsPerRun(len(requests)-1, func() { requests[next](); next++ }); n != 0 {
		t.Errorf("Signed: %v allocations, want 0", n)
	}
}

func BenchmarkBearer(b *testing.B) {
	p := first(b)
	token := []byte(p.login("ann").Access)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.gate.Bearer(token, here); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSigned(b *testing.B) {
	p := first(b)
	id, secret := p.key(nil)
	r := p.request(id, secret)
	must(b, p.signed(r))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.gate.Signed(r, here); err != auth.ErrReplayed { //nolint:errorlint // it is that one
			b.Fatal(err)
		}
	}
}
