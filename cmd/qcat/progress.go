package main

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/api/metrics"
	"qcat/api/rest"
	"qcat/core"
)

// progress is how far something long has come: a start, a restore. It is told of
// by the log every few seconds, by /health and by metrics. Any goroutine.
type progress struct {
	clock core.Clock
	log   *zap.Logger

	mu     sync.Mutex
	phase  string
	unit   string
	done   uint64
	total  uint64 // 0: not known
	began  core.Nanos
	logged core.Nanos
}

// progressEvery is the pause between two lines of the log.
const progressEvery = core.Nanos(2 * time.Second)

func newProgress(clock core.Clock, log *zap.Logger) *progress {
	return &progress{clock: clock, log: log, phase: "starting"}
}

// begin starts a phase of total units.
func (p *progress) begin(phase, unit string, total uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	p.phase, p.unit, p.done, p.total, p.began, p.logged = phase, unit, 0, total, now, now
}

// step says how many units of the phase are done.
func (p *progress) step(done uint64) {
	p.mu.Lock()
	total := p.total
	p.mu.Unlock()
	p.stepOf(done, total)
}

// stepOf says it where the total is found on the way.
func (p *progress) stepOf(done, total uint64) {
	if phase, text := p.note(done, total); text != "" {
		p.log.Info(phase, zap.String("progress", text)) // a slow log does not keep /health waiting
	}
}

// note returns what is to be logged, "" when it is not time yet.
func (p *progress) note(done, total uint64) (phase, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = done, total
	now := p.clock.Now()
	if now-p.logged < progressEvery {
		return p.phase, ""
	}
	p.logged = now
	return p.phase, p.describe(now)
}

// describe says how far the phase is and how long it may still take.
func (p *progress) describe(now core.Nanos) string {
	if p.total == 0 {
		return fmt.Sprintf("%d %s", p.done, p.unit)
	}
	text := fmt.Sprintf("%d of %d %s, %d%%", p.done, p.total, p.unit, percent(p.done, p.total))
	if spent := time.Duration(now - p.began); p.done > 0 && p.done < p.total && spent > time.Second {
		left := time.Duration(float64(spent) / float64(p.done) * float64(p.total-p.done))
		text += fmt.Sprintf(", about %v left", left.Round(time.Second))
	}
	return text
}

func percent(part, whole uint64) uint64 {
	if whole == 0 {
		return 100
	}
	return uint64(float64(part) * 100 / float64(whole))
}

// check is the component of /health while the server starts.
func (p *progress) check() (rest.Status, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unit == "" {
		return rest.Down, p.phase
	}
	return rest.Down, p.phase + ": " + p.describe(p.clock.Now())
}

// register puts the recovery on /metrics.
func (p *progress) register(r *metrics.Registry) {
	get := func(v *uint64) func() float64 {
		return func() float64 {
			p.mu.Lock()
			defer p.mu.Unlock()
			return float64(*v)
		}
	}
	r.Gauge("qcat_recovery_done", "Units of the present phase of the start that are done.", nil, get(&p.done))
	r.Gauge("qcat_recovery_expected", "Units of the present phase of the start.", nil, get(&p.total))
}
