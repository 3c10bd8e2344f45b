package journal

import (
	"testing"
	"time"
)

// TestNoSyncIsForgotten: whenever between two syncs a batch is written, by the appending
// goroutine and while the other one is about to sleep or asleep, it becomes durable by
// itself.
func TestNoSyncIsForgotten(t *testing.T) {
	l := openMemory(t, Options{Sync: SyncBatch, BatchInterval: 10 * time.Microsecond})
	rnd := newRand(t)
	for seq := uint64(1); seq <= 4000; seq++ {
		for end := time.Now().Add(time.Duration(rnd.IntN(20_000))); time.Now().Before(end); {
		}
		mustAppend(t, l, seq, seq)
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		for late := time.Now().Add(10 * time.Second); l.Durable() < seq; {
			if time.Now().After(late) {
				t.Fatalf("record %d never became durable", seq)
			}
		}
	}
}
