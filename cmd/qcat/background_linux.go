package main

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Of ioprio_set(2).
const (
	ioprioWhoProcess = 1
	ioprioIdle       = 3 << 13
)

// lowest is the nice value of who takes only what others leave.
const lowest = 19

// toBackground gives this process the lowest priority for the processors and the disk: each
// of its threads, which those that come later take over.
func toBackground() error {
	lowered := map[int]bool{}
	for {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("background: %w", err)
		}
		before := len(lowered)
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil || lowered[id] {
				continue
			}
			lowered[id] = true
			if err := unix.Setpriority(unix.PRIO_PROCESS, id, lowest); err != nil {
				return fmt.Errorf("background: %w", err)
			}
			// The scheduler of the disk may know no priorities.
			_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, uintptr(id), ioprioIdle)
		}
		if len(lowered) == before {
			return nil
		}
	}
}
