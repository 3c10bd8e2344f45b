// Package order is the contest of acknowledgements over HTTP: POST /api/v1/orders,
// whose 201 means checked, journalled and on its way, beside a bare fasthttp handler
// that answers as many bytes, and beside what the disk allows.
//
// Clients are in the same process and keep a fixed number of connections busy over
// loopback: each sends its next order when it has read the answer to the one before.
// Every answer must be a 201 with the order's own client order id, and afterwards the
// journal must hold exactly the orders that were acknowledged.
package order

import (
	"fmt"
	"time"

	"qcat/bench/peers/contest"
	"qcat/persist/journal"
)

// conns are the numbers of connections.
var conns = []int{1, 8, 32, 64}

// target answers orders.
type target interface {
	addr() string
	// close stops it; acknowledged is how many orders were answered 201.
	close(acknowledged int) error
}

type maker struct {
	name  string
	role  contest.Role
	start func(dir string) (target, error)
}

// modes are what an acknowledgement is worth. With the page cache the best that can
// be is the bare handler, and after it our own with no engine behind it; with the disk,
// one that answers when a bare group commit has its bytes on the disk.
var modes = []struct {
	name   string
	makers []maker
}{
	{PageCache, []maker{
		{"qcat", contest.Own, startServer(journal.SyncOS, false)},
		{"bare fasthttp", contest.Floor, startBare},
		{"handler without an engine", contest.Floor, startServer(journal.SyncOS, true)},
	}},
	{Disk, []maker{
		{"qcat", contest.Own, startServer(journal.SyncAlways, false)},
		{"bare fasthttp", contest.Floor, startBare},
		{"fasthttp and group commit", contest.Floor, startCommitted},
	}},
}

// Modes.
const (
	PageCache = "page cache"
	Disk      = "fdatasync"
)

// Contest returns the contest; journals are written to directories in dir.
func Contest(dir string) *contest.Contest {
	c := &contest.Contest{Name: "orders", Times: 2, Title: "Orders over HTTP",
		Workload: fmt.Sprintf("limit orders (IOC, each with limits asked on four levels), closed loop; the bare handlers answer %d bytes, the group commit appends %d "+
			"and syncs once for all that wait; acknowledgements are held against the journal.", answerSize, recordSize)}
	for _, mode := range modes {
		for _, n := range conns {
			k := contest.Case{Name: Case(mode.name, n), Unit: "orders/s", Higher: true}
			for _, m := range mode.makers {
				k.Entrants = append(k.Entrants, contest.Entrant{Name: m.name, Role: m.role, Run: func(d time.Duration) (float64, error) {
					return measure(m, dir, n, d)
				}})
			}
			c.Cases = append(c.Cases, k)
		}
	}
	return c
}

// Case is the name of a case.
func Case(mode string, conns int) string { return fmt.Sprintf("%s, %d connections", mode, conns) }
