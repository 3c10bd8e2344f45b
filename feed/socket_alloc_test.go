//go:build !race

package feed

import (
	"io"
	"net"
	"strings"
	"testing"

	"qcat/core"
)

// TestFramesDoNotAllocate: frames from a real socket to the lane, short and long, in
// fragments, with a ping that is answered, cost no memory (I1).
func TestFramesDoNotAllocate(t *testing.T) {
	const warm, turns = 250, 500
	text := strings.Repeat("x", 100)
	turn := strings.Repeat(fromVenue(0x81, text), 50) + fromVenue(0x01, text) + fromVenue(0x89, "?") + fromVenue(0x80, text) +
		fromVenue(0x82, strings.Repeat(text, 5))
	const messages = 52
	c := connected(t, 1<<20, func(conn net.Conn) {
		go func() {
			b := []byte(turn)
			for range warm + 1 + turns { // AllocsPerRun takes one more
				if _, err := conn.Write(b); err != nil {
					t.Error(err)
				}
			}
		}()
		_, _ = io.Copy(io.Discard, conn) // the pongs, until the client has enough
	})
	got := 0
	count := func(*connection, []byte, core.Nanos) { got++ }
	one := func() {
		for from := got; got < from+messages; {
			if err := c.readOne(count); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range warm {
		one()
	}
	if n := testing.AllocsPerRun(turns, one); n != 0 {
		t.Errorf("%d messages and a ping allocate %v times", messages, n)
	}
}
