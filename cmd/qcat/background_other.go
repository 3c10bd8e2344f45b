//go:build !linux

package main

import "golang.org/x/sys/unix"

// toBackground gives this process the lowest priority for the processors.
func toBackground() error { return unix.Setpriority(unix.PRIO_PROCESS, 0, 19) }
