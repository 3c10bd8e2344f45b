//go:build !linux

package postgres

import "syscall"

// controlSocket leaves it to keep-alives and deadlines to find a peer that vanished.
func controlSocket(_, _ string, _ syscall.RawConn) error { return nil }
