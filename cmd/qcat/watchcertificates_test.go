package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

// TestWatchedCertificate: the one that ends first counts, a new file is seen, and one that
// cannot be read is as one that has ended.
func TestWatchedCertificate(t *testing.T) {
	t.Parallel()
	short, _ := pairFor(t, time.Hour)
	long, key := pairFor(t, 48*time.Hour)
	path := fileWith(t, "chain.crt", []byte(long+key+short))
	w := &watchedCertificate{path: path, log: zap.NewNop()}
	near := func(want time.Duration) {
		t.Helper()
		if got := w.left(time.Now()); got > want || got < want-time.Minute {
			t.Errorf("%v left instead of %v", got, want)
		}
	}
	near(time.Hour)
	replace := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	replace(long)
	near(48 * time.Hour)
	for _, bad := range []string{"", key, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		replace(bad)
		near(0)
	}
	replace(long)
	near(48 * time.Hour)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	near(0)
	if p := serve(t, "--demo", "--watch-certificates="+path); !strings.Contains(string(p.ask("GET", "/metrics", nil).body), `qcat_tls_file_expiry_seconds{file="`+path+`"} 0`) {
		t.Error("it is not on /metrics")
	}
}

// pairFor is a certificate that is good for so long, and its key, in PEM.
func pairFor(t *testing.T, life time.Duration) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	writePair(t, dir+"/c", dir+"/k", 1, life)
	var text [2]string
	for i, name := range []string{"c", "k"} {
		raw, err := os.ReadFile(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(raw)
	}
	return text[0], text[1]
}
