package hub

import (
	"encoding/json"
	"net"
	"testing"
	"time"

	"qcat/api/spec/spectest"
)

// received is what the tests look at of a frame.
type received struct {
	Ch  string
	Seq uint64
	Rts int64
}

// frames reads the frames a client is sent.
type frames struct {
	nc     net.Conn
	buf    []byte
	socket spectest.Socket // holds them against the document of the interface
}

func newFrames(nc net.Conn) *frames { return &frames{nc: nc} }

func (f *frames) next(t testing.TB) (r received) {
	t.Helper()
	_ = f.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	for len(f.buf) < 10 || len(f.buf) < frameLen(f.buf) {
		chunk := make([]byte, 2000)
		n, err := f.nc.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		f.buf = append(f.buf, chunk[:n]...)
	}
	n, head := frameLen(f.buf), 2
	if f.buf[1] == 126 {
		head = 4
	}
	if err := json.Unmarshal(f.buf[head:n], &r); err != nil {
		t.Fatalf("%v: %s", err, f.buf[head:n])
	}
	if err := f.socket.Received(f.buf[head:n]); err != nil {
		t.Errorf("not as the document says: %v: %s", err, f.buf[head:n])
	}
	f.buf = f.buf[n:]
	return r
}

// frameLen is the length of the first frame of b.
func frameLen(b []byte) int {
	switch b[1] {
	case 126:
		return 4 + int(b[2])<<8 + int(b[3])
	case 127:
		return 10 + int(b[6])<<24 + int(b[7])<<16 + int(b[8])<<8 + int(b[9])
	}
	return 2 + int(b[1])
}
