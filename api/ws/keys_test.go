package ws_test

import (
	"crypto/ed25519"
	"net/netip"
	"testing"

	"qcat/core/engine"
)

var (
	here      = netip.MustParseAddr("127.0.0.1")
	allOrders = engine.OrderFilter{}
)

func edKey(t *testing.T) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}
