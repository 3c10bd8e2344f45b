package schedule_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"qcat/persist/backup"
	"qcat/persist/backup/schedule"
)

// folder is one of backups, and who makes them. It belongs to a bubble of synctest, whose
// clock begins at midnight, 2000-01-01.
type folder struct {
	t     *testing.T
	dir   string
	fails []error // what the next attempts come to; nil: a backup
	takes time.Duration
	tried []string // when, of this keeper's attempts
	clean int
}

// put writes a backup that is verified or not, as the package does.
func (f *folder) put(at time.Time, verified bool) *backup.Manifest {
	f.t.Helper()
	m := &backup.Manifest{Version: 1, Name: "qcat_backup_" + at.UTC().Format("20060102_150405"), Created: at, TookNs: int64(f.takes)}
	m.Dump = backup.File{Name: m.Name + ".sql.gz"}
	raw, err := json.Marshal(m)
	if err != nil {
		f.t.Fatal(err)
	}
	files := map[string][]byte{".sql.gz": nil, ".sql.gz.sha256": nil, ".json": raw}
	if verified {
		sum := sha256.Sum256(raw)
		if files[".verified"], err = json.Marshal(map[string]any{"verified": at, "manifest_sha256": hex.EncodeToString(sum[:])}); err != nil {
			f.t.Fatal(err)
		}
	}
	for suffix, text := range files {
		if err := os.WriteFile(filepath.Join(f.dir, m.Name+suffix), text, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	return m
}

func (f *folder) make(ctx context.Context) (*backup.Manifest, error) {
	at := time.Now()
	f.tried = append(f.tried, at.UTC().Format("02 15:04:05"))
	select {
	case <-time.After(f.takes):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if len(f.fails) > 0 {
		err := f.fails[0]
		f.fails = f.fails[1:]
		if err != nil {
			return nil, err
		}
	}
	return f.put(at, true), nil
}

// runs lets a keeper run while something happens.
func runs(t *testing.T, text string, takes time.Duration, fails []error, during func(f *folder, k *schedule.Keeper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &folder{t: t, dir: t.TempDir(), fails: fails, takes: takes}
		times, err := schedule.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		k := schedule.NewKeeper(schedule.Config{Times: times, Dir: f.dir, Make: f.make, Cleanup: func(context.Context) error { f.clean++; return nil }})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { k.Run(ctx); close(done) }()
		during(f, k)
		cancel()
		<-done
	})
}

// pass lets time pass, and everybody come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (f *folder) wantTried(want ...string) {
	f.t.Helper()
	if !slices.Equal(f.tried, want) {
		f.t.Errorf("tried at %v instead of %v", f.tried, want)
	}
}

// TestEachTime: a missed one is made up for after the start, then one at each time; old ones
// are removed after each.
func TestEachTime(t *testing.T) {
	runs(t, "0 2 * * *", 10*time.Second, nil, func(f *folder, k *schedule.Keeper) {
		pass(72 * time.Hour)
		f.wantTried("01 00:00:05", "01 02:00:00", "02 02:00:00", "03 02:00:00")
		st := k.Stats()
		if st.Made != 4 || st.Failures != 0 || !st.Verified || st.Duration != 10*time.Second || st.Bytes == 0 || f.clean != 4 ||
			!st.Last.Equal(time.Date(2000, 1, 3, 2, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v, %d times cleaned up", st, f.clean)
		}
	})
}

// TestOthersCount: one that somebody else made and verified since the last time leaves
// nothing to do, and its age is told; one that is not verified does not count.
func TestOthersCount(t *testing.T) {
	runs(t, "0 2 * * *", 10*time.Second, nil, func(f *folder, k *schedule.Keeper) {
		f.put(time.Now().Add(-time.Hour), true) // 23:00 the day before: after the last time
		pass(time.Hour)
		f.wantTried()
		if st := k.Stats(); !st.Last.Equal(time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC)) || !st.Verified {
			t.Errorf("%+v", st)
		}
		f.put(time.Now(), false)
		pass(schedule.DefaultEvery + time.Second)
		if st := k.Stats(); st.Verified || st.Last.Hour() != 23 {
			t.Errorf("the newest is not verified: %+v", st)
		}
		pass(2 * time.Hour)
		f.wantTried("01 02:00:00")
	})
}

// TestFailuresAreTriedAgain after 1, 2, 4 … minutes, an hour at most.
func TestFailuresAreTriedAgain(t *testing.T) {
	full := errors.New("no space left on device")
	runs(t, "0 2 1 1 *", 0, []error{full, full, full, full, full, full, full, full, full}, func(f *folder, k *schedule.Keeper) {
		pass(time.Hour)
		f.wantTried("01 00:00:05", "01 00:01:05", "01 00:03:05", "01 00:07:05", "01 00:15:05", "01 00:31:05")
		if st := k.Stats(); st.Failures != 6 || st.Made != 0 || !errors.Is(st.Err, full) || !st.Last.IsZero() || st.Verified {
			t.Errorf("%+v", st)
		}
		pass(5 * time.Hour)
		if st := k.Stats(); len(f.tried) != 10 || st.Failures != 9 || st.Made != 1 || st.Err != nil || f.tried[8] != "01 03:03:05" || f.tried[9] != "01 04:03:05" {
			t.Errorf("%v, %+v", f.tried, st)
		}
	})
}

// TestAnotherIsMadeMeanwhile: one that others make is waited for, and is no failure; once
// it is there nothing is left to do.
func TestAnotherIsMadeMeanwhile(t *testing.T) {
	runs(t, "0 2 1 1 *", 0, []error{backup.ErrBusy, backup.ErrBusy}, func(f *folder, k *schedule.Keeper) {
		pass(70 * time.Second)
		f.put(time.Now(), true)
		pass(time.Hour)
		f.wantTried("01 00:00:05", "01 00:01:05")
		if st := k.Stats(); st.Failures != 0 || st.Made != 0 || !st.Verified {
			t.Errorf("%+v", st)
		}
	})
}

// TestStopped: a keeper that is stopped while it makes one stops that, and calls it no
// failure.
func TestStopped(t *testing.T) {
	runs(t, "0 2 * * *", time.Hour, nil, func(f *folder, k *schedule.Keeper) {
		pass(time.Minute)
		if st := k.Stats(); !st.Running {
			t.Errorf("%+v", st)
		}
		t.Cleanup(func() {
			if st := k.Stats(); st.Running || st.Failures != 0 || st.Made != 0 {
				t.Errorf("%+v", st)
			}
		})
	})
}

// TestNothingScheduled tells of what others make, and makes nothing.
func TestNothingScheduled(t *testing.T) {
	runs(t, "", 10*time.Second, nil, func(f *folder, k *schedule.Keeper) {
		f.put(time.Now(), true)
		pass(2 * schedule.DefaultEvery)
		if st := k.Stats(); !st.Verified || st.Last.Year() != 2000 {
			t.Errorf("%+v", st)
		}
		f.wantTried()
	})
}
