// Package fanout is the contest of servers that send every message to many WebSocket
// clients: QCAT's hub beside lxzan/gws and fasthttp/websocket with messages prepared
// once, and a bare loop of writes.
//
// Server and clients share the process and talk over real loopback connections. The
// publisher goes as fast as the slowest client takes it, at most window messages
// ahead, so that every server must deliver every message: the bytes that each client
// read are hashed, and must be those of all messages in their order.
package fanout

import (
	"fmt"
	"time"

	"qcat/bench/peers/contest"
)

const (
	// window is how many messages the publisher may be ahead of the slowest client:
	// half of what the hub keeps for a client before it conflates.
	window = 1024
	// lookEvery is how many messages the publisher sends between two looks at the
	// clients.
	lookEvery = 64
)

var makers = []struct {
	name  string
	role  contest.Role
	start func(m *messages, clients int) (server, error)
}{
	{"qcat hub", contest.Own, startHub},
	{"gws", contest.Peer, startGWS},
	{"fasthttp/websocket", contest.Peer, startWebsocket},
	{"bare write loop", contest.Floor, startLoop(1)},
	{"bare loop, 64 a write", contest.Floor, startLoop(lookEvery)},
}

// server sends messages to all its connections.
type server interface {
	// addr is where clients connect, and handshake what they send first; what is
	// answered to it ends with end.
	addr() string
	handshake() (request string, end string)
	// ready waits until all connections are served.
	ready() error
	// publish sends message i to everybody. flush is called when the publisher
	// pauses; a server that has kept messages back sends them.
	publish(i int) error
	flush() error
	close() error
}

// Contest returns the contest.
func Contest() *contest.Contest {
	c := &contest.Contest{Name: "fanout", Title: "Fan-out, saturated",
		Workload: fmt.Sprintf("best bids and offers of some 170 bytes, encoded once each and sent to all; at most %d messages ahead of the slowest client; "+
			"all bytes of all clients are checked.", window)}
	for _, clients := range []int{1, 100, 400} {
		k := contest.Case{Name: Clients(clients), Unit: "deliveries/s", Higher: true}
		for _, m := range makers {
			k.Entrants = append(k.Entrants, contest.Entrant{Name: m.name, Role: m.role, Run: func(d time.Duration) (float64, error) {
				msgs, err := newMessages()
				if err != nil {
					return 0, err
				}
				s, err := m.start(msgs, clients)
				if err != nil {
					return 0, err
				}
				return measure(s, msgs, clients, d)
			}})
		}
		c.Cases = append(c.Cases, k)
	}
	return c
}

// Clients is the name of a case.
func Clients(n int) string {
	if n == 1 {
		return "1 client"
	}
	return fmt.Sprintf("%d clients", n)
}
