package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"qcat/api/client"
	"qcat/persist/vfs/faultfs"
)

// TestPowerCutInBatchMode is a power cut that the store survives and the end of the
// journal does not: the store is never ahead of what the journal
// keeps, so that the next start goes on, time after time.
func TestPowerCutInBatchMode(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 5))
			disk, dir := faultfs.New(), t.TempDir()
			lost := uint64(0)
			for range 3 {
				s, p, stop := onDisk(t, disk, "--data-dir", dir, "--journal-sync=batch", "--journal-batch-interval=20ms")
				disk.CrashAt(disk.Ops() + 20 + rng.IntN(60))
				for s.journal.Err() == nil {
					p.ask("POST", "/api/v1/orders", client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.001"})
				}
				committed := s.journal.Committed()
				_ = stop() // on a dead disk
				disk = disk.Crash(rng.Uint64())
				s, _, stop = onDisk(t, disk, "--data-dir", dir, "--journal-sync=batch", "--no-cancel-on-shutdown")
				lost += committed - min(committed, s.journal.Opened().Last)
				if err := stop(); err != nil {
					t.Error(err)
				}
			}
			t.Logf("%d records lost", lost)
		})
	}
}
