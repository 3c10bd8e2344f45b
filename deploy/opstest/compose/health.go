package compose

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"qcat/deploy/opstest/box"
)

// startInterval is the time between two checks of a container that has not been healthy
// yet, shorter than Docker's so that a run takes less.
const startInterval = 200 * time.Millisecond

// checkHealth runs a container's health check until it ends.
func (e *Engine) checkHealth(c *container, b *box.Box) {
	h := c.service.HealthCheck
	interval, timeout := duration(h.Interval, 30*time.Second), duration(h.Timeout, 30*time.Second)
	grace := time.Now().Add(duration(h.StartPeriod, 0))
	retries := uint64(3)
	if h.Retries != nil {
		retries = *h.Retries
	}
	argv := []string(h.Test[1:])
	if h.Test[0] == "CMD-SHELL" {
		argv = []string{"/bin/sh", "-c", h.Test[1]}
	}
	failed, wait := uint64(0), startInterval
	for {
		select {
		case <-b.Done():
			return
		case <-time.After(wait):
		}
		ok := probe(b, argv, timeout)
		e.mu.Lock()
		switch {
		case ok:
			failed, wait, c.health = 0, interval, "healthy"
		case c.health == "starting" && time.Now().Before(grace):
		default:
			if failed++; failed >= retries {
				c.health = "unhealthy"
			}
		}
		e.mu.Unlock()
	}
}

func probe(b *box.Box, argv []string, timeout time.Duration) bool {
	enter, err := b.ExecArgv(argv, nil, "", "")
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return exec.CommandContext(ctx, enter[0], enter[1:]...).Run() == nil
}

func duration(d *types.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return time.Duration(*d)
}

// await waits until a dependency is as a service asks for it.
func (e *Engine) await(name string, c *container, condition string) error {
	if c == nil {
		return fmt.Errorf("dependency %s does not exist", name)
	}
	if c.missing != "" {
		return nil
	}
	limit := time.After(3 * time.Minute)
	for {
		e.mu.Lock()
		runs, health, b := c.running(), c.health, c.run.Load()
		e.mu.Unlock()
		switch {
		case b == nil:
			return fmt.Errorf("dependency %s was not started", name)
		case condition == types.ServiceConditionStarted:
			return nil
		case condition == types.ServiceConditionCompletedSuccessfully && !runs:
			if b.Exit() != 0 {
				return fmt.Errorf("service %q didn't complete successfully: exit %d\n%s", name, b.Exit(), c.lastLines())
			}
			return nil
		case condition == types.ServiceConditionHealthy && health == "healthy":
			return nil
		case condition == types.ServiceConditionHealthy && health == "unhealthy",
			condition == types.ServiceConditionHealthy && !runs && c.service.Restart == "no":
			return fmt.Errorf("dependency failed to start: container %s is unhealthy\n%s", c.name, c.lastLines())
		}
		select {
		case <-limit:
			return fmt.Errorf("container %s is not %s after three minutes\n%s", c.name, condition, c.lastLines())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lastLines of what a container printed.
func (c *container) lastLines() string {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}
