//go:build !race

package signature

import "testing"

// TestAllocations asserts that what each request costs is not garbage.
func TestAllocations(t *testing.T) {
	for name, k := range verifiers(t) {
		r := order()
		r.Signature = k.sign(r)
		now := order()
		var nonces Nonces
		_ = nonces.Take(r.Nonce, 1, 2)
		for what, f := range map[string]func(){
			"Verify": func() {
				if !k.v.Verify(r) {
					t.Fatal("refused")
				}
			},
			"Stamp": func() { _, _ = now.Stamp() },
			"Take":  func() { _ = nonces.Take(r.Nonce, 1, 2) },
		} {
			if n := testing.AllocsPerRun(200, f); n != 0 {
				t.Errorf("%s, %s: %v allocations, want 0", name, what, n)
			}
		}
	}
}
