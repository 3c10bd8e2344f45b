package schedule_test

import (
	"strings"
	"testing"
	"time"

	"qcat/persist/backup/schedule"
)

// TestTimes names the time before and the time after a moment.
func TestTimes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, now, last, next string }{
		{"0 2 * * *", "2024-12-01T02:00:00Z", "2024-12-01T02:00:00Z", "2024-12-02T02:00:00Z"},
		{"0 2 * * *", "2024-12-01T01:59:59Z", "2024-11-30T02:00:00Z", "2024-12-01T02:00:00Z"},
		{"0 2 * * *", "2024-12-01T02:00:31Z", "2024-12-01T02:00:00Z", "2024-12-02T02:00:00Z"},
		{"*/15 * * * *", "2024-12-01T10:44:59Z", "2024-12-01T10:30:00Z", "2024-12-01T10:45:00Z"},
		{" 30  4 1 * * ", "2024-12-15T00:00:00Z", "2024-12-01T04:30:00Z", "2025-01-01T04:30:00Z"},
		{"0 2 * * 1-5", "2024-12-01T12:00:00Z", "2024-11-29T02:00:00Z", "2024-12-02T02:00:00Z"}, // a Sunday
		{"0 0 29 2 *", "2025-01-01T00:00:00Z", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"CRON_TZ=Asia/Shanghai 0 2 * * *", "2024-12-01T00:00:00Z", "2024-11-30T18:00:00Z", "2024-12-01T18:00:00Z"},
		{"TZ=Europe/Berlin 30 2 * * *", "2024-07-01T12:00:00Z", "2024-07-01T00:30:00Z", "2024-07-02T00:30:00Z"},
		{"TZ=Europe/Berlin 0 12 * * *", "2024-03-31T00:00:00Z", "2024-03-30T11:00:00Z", "2024-03-31T10:00:00Z"}, // summer time begins
	} {
		times, err := schedule.Parse(tt.text)
		if err != nil || times.None() {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		last, ok := times.Last(now)
		next, also := times.Next(now)
		if got := last.UTC().Format(time.RFC3339Nano); !ok || got != tt.last {
			t.Errorf("%q at %s: the last is %s instead of %s", tt.text, tt.now, got, tt.last)
		}
		if got := next.UTC().Format(time.RFC3339Nano); !also || got != tt.next {
			t.Errorf("%q at %s: the next is %s instead of %s", tt.text, tt.now, got, tt.next)
		}
	}
}

func TestTimesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0 2 * *":                       "has 4 fields",
		"0 0 2 * * *":                   "has 6 fields",
		"@daily":                        "has 1 fields",
		"61 2 * * *":                    "cannot be read",
		"0 25 * * *":                    "cannot be read",
		"x 2 * * *":                     "cannot be read",
		"0 0 30 2 *":                    "names no time",
		"CRON_TZ=Moon/Crater 0 2 * * *": `"Moon/Crater" is no time zone`,
		"TZ= 0 2 * * *":                 "is no time zone",
		"TZ=Local 0 2 * * *":            "is no time zone",
	} {
		if _, err := schedule.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"", "  "} {
		times, err := schedule.Parse(text)
		if _, some := times.Last(time.Now()); err != nil || !times.None() || some {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzParse: what is taken names times that a server can wait for.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"0 2 * * *", "*/5 1-3,7 1 JAN MON-FRI", "CRON_TZ=UTC 0 0 29 2 *", "? L W # ,", "*/0 * * * *", "0-99 * * * *", "0 0 L * *", "0 0 * * 5#5"} {
		f.Add(text)
	}
	now := time.Date(2024, 12, 1, 2, 0, 30, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		times, err := schedule.Parse(text)
		if err != nil || times.None() {
			return
		}
		if last, ok := times.Last(now); ok && last.After(now) {
			t.Errorf("%q: the last is %v", text, last)
		}
		if next, ok := times.Next(now); ok && !next.After(now) {
			t.Errorf("%q: the next is %v", text, next)
		}
	})
}
