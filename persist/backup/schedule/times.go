package schedule

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // an image may have no zones of its own

	"github.com/adhocore/gronx"
)

// Times are the times that a cron text names: minute, hour, day of month, month and day
// of the week. The zero value names none.
type Times struct {
	text string // the five fields
	zone *time.Location
}

// zonePrefixes may stand before the fields, with the name of a zone: UTC without one.
var zonePrefixes = []string{"CRON_TZ=", "TZ="}

// Parse reads a cron text such as "0 2 * * *" or "CRON_TZ=Asia/Shanghai 30 2 * * 1-5"; an
// empty one names no time. A time that a change to summer time leaves out is passed over
// that day.
func Parse(text string) (Times, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return Times{}, nil
	}
	t := Times{zone: time.UTC}
	for _, prefix := range zonePrefixes {
		name, ok := strings.CutPrefix(fields[0], prefix)
		if !ok {
			continue
		}
		zone, err := time.LoadLocation(name)
		if err != nil || name == "" || name == "Local" {
			return Times{}, fmt.Errorf("schedule: %q is no time zone", name)
		}
		t.zone, fields = zone, fields[1:]
		break
	}
	if len(fields) != 5 {
		return Times{}, fmt.Errorf("schedule: %q has %d fields instead of five: minute, hour, day of the month, the month, day of the week", text, len(fields))
	}
	t.text = strings.Join(fields, " ")
	if !gronx.IsValid(t.text) {
		return Times{}, fmt.Errorf("schedule: %q cannot be read", text)
	}
	// What can be read may still never come, such as the 30th of February.
	if _, err := gronx.NextTickAfter(t.text, time.Date(2024, 1, 1, 0, 0, 0, 0, t.zone), true); err != nil {
		return Times{}, fmt.Errorf("schedule: %q names no time: %w", text, err)
	}
	return t, nil
}

// None reports whether there is no time at all.
func (t Times) None() bool { return t.text == "" }

// Last is the latest time that is not after now, and false when there is none.
func (t Times) Last(now time.Time) (time.Time, bool) {
	if t.None() {
		return time.Time{}, false
	}
	at, err := gronx.PrevTickBefore(t.text, now.In(t.zone), true)
	return at, err == nil
}

// Next is the first time after now, and false when there is none.
func (t Times) Next(now time.Time) (time.Time, bool) {
	if t.None() {
		return time.Time{}, false
	}
	at, err := gronx.NextTickAfter(t.text, now.In(t.zone), false)
	return at, err == nil
}
