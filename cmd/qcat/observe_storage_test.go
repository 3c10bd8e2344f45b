package main

import (
	"testing"
	"time"

	"qcat/persist/store"
)

// TestHealthOfAFollower tells of a store that is behind: not of the few records that
// every start catches up with.
func TestHealthOfAFollower(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		st   store.FollowerStats
		want string
	}{
		{"just started", store.FollowerStats{State: store.CatchingUp, Behind: 11, CatchUpTo: 11, Lag: 1 << 60}, ""},
		{"much to do", store.FollowerStats{State: store.CatchingUp, Behind: 30_000, CatchUpTo: 40_000, Position: store.Position{Seq: 10_000}},
			"journal: catching up, 10000 of 40000 records, 25%"},
		{"follows", store.FollowerStats{State: store.Following, Behind: 3, Lag: time.Second}, ""},
		{"slow", store.FollowerStats{State: store.Following, Behind: 3, Lag: 11 * time.Second}, "journal: 11s behind"},
		{"away", store.FollowerStats{State: store.Retrying, Behind: 3, LastError: "refused"}, "journal: does not answer (refused); 3 records behind"},
		{"given up", store.FollowerStats{State: store.Stopped, Err: store.ErrGone, Position: store.Position{Seq: 7}},
			"journal: stopped at record 7: " + store.ErrGone.Error()},
	} {
		if got := followerTrouble(tt.st); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
