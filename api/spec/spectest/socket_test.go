package spectest_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"qcat/api/spec/spectest"
)

const (
	head = `,"seq":7,"ets":1,"rts":2,"data":`
	node = `"scope":{"level":"firm"}`
)

// TestMessages: each message that is not as the document says is found.
func TestMessages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ sent, received, want string }{
		{`{"op":"ping","id":1}`, `{"id":1,"ok":true,"time":7}`, ""},
		{`{"op":"ping","id":1}`, `{"id":1,"ok":true,"time":"7"}`, "/time"},
		{`{"op":"ping","id":1}`, `{"id":1,"ok":true,"enabled":true}`, "time"},
		{`{"op":"ping","id":1,"qty":"1"}`, `{"id":1,"ok":true,"time":7}`, "the request was carried out"},
		{`{"op":"fly","id":1}`, `{"id":1,"ok":true}`, `no operation "fly"`},
		{`{"op":"fly","id":1}`, `{"id":1,"ok":false,"error":{"code":"ws.unknown_op","detail":"x"}}`, ""},
		{`{"op":"fly","id":1}`, `{"id":1,"ok":false,"error":{"code":"ws.strange","detail":"x"}}`, "/error/code"},
		{``, `{"id":null,"ok":true,"enabled":true}`, ""},
		{``, `{"id":null,"ok":true,"strange":true}`, "no such answer"},
		{``, `{"ch":"bbo:sim:X"` + head + `{"bp":null,"bq":null,"ap":"1.0","aq":"2"}}`, ""},
		{``, `{"ch":"bbo:sim:X"` + head + `{"bp":1.0,"bq":null,"ap":"1.0","aq":"2"}}`, "/data/bp"},
		{``, `{"ch":"bbo:sim:X"` + head + `{"bp":null,"bq":null,"ap":"1.0","aq":"2","x":1}}`, "/data/x is not in the document"},
		{``, `{"ch":"weather"` + head + `{}}`, `no channel "weather"`},
		{``, `{"ch":"depth:sim:X"` + head + `{"snapshot":true,"b":[["1.0","2"]],"a":[]}}`, ""},
		{``, `{"ch":"depth:sim:X"` + head + `{"snapshot":true,"b":[["1.0"]],"a":[]}}`, "/data/b/0"},
		{``, `{"ch":"orders"` + head + `{"snapshot":true,"more":false,"orders":[]}}`, ""},
		{``, `{"ch":"orders"` + head + `{"snapshot":true,"more":false}}`, "orders"},
		{``, `{"ch":"risk"` + head + `{"kind":"state",` + node + `,"state":"halted","reason":""}}`, ""},
		{``, `{"ch":"risk"` + head + `{"kind":"state",` + node + `,"reason":""}}`, "state"},
		{``, `{"ch":"risk"` + head + `{"kind":"weather"}}`, `kind "weather"`},
		{``, `{"ch":"risk"` + head + `{"snapshot":true,"more":false,"risk":[]}}`, ""},
	} {
		var s spectest.Socket
		s.Sent([]byte(tt.sent))
		err := s.Received([]byte(tt.received))
		if got := ""; err != nil {
			got = err.Error()
			if tt.want == "" || !strings.Contains(got, tt.want) {
				t.Errorf("%s, %s: %s, want %q", tt.sent, tt.received, got, tt.want)
			}
		} else if tt.want != "" {
			t.Errorf("%s, %s: nothing is wrong, want %q", tt.sent, tt.received, tt.want)
		}
	}
}

// recorder is a test that takes note of its errors.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Errorf(string, ...any) { r.errors++ }

// TestWatch: messages are found however they are cut into reads, in both directions.
func TestWatch(t *testing.T) {
	t.Parallel()
	long := `{"id":1,"ok":true,"time":7,"x":"` + strings.Repeat("y", 300) + `"}`
	for _, tt := range []struct {
		sent, received string
		wrong          int
	}{
		{`{"op":"ping","id":1}`, `{"id":1,"ok":true,"time":7}`, 0},
		{`{"op":"ping","id":1}`, `{"id":1,"ok":true}`, 1},
		{`{"op":"ping","id":1}`, long, 1},
	} {
		server, client := net.Pipe()
		r := &recorder{TB: t}
		nc := spectest.Watch(r, client)
		go func() {
			defer server.Close()
			answer := append([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 0x89, 0)
			answer = append(answer, 0x81)
			if n := len(tt.received); n < 126 {
				answer = append(answer, byte(n))
			} else {
				answer = append(answer, 126, byte(n>>8), byte(n))
			}
			answer = append(answer, tt.received...)
			if _, err := io.ReadFull(server, make([]byte, 18+6+len(tt.sent))); err != nil {
				t.Error(err)
			}
			for _, b := range answer {
				if _, err := server.Write([]byte{b}); err != nil {
					t.Error(err)
				}
			}
		}()
		key := []byte{1, 2, 3, 4}
		frame := append([]byte{0x81, 0x80 | byte(len(tt.sent))}, key...)
		for i := range len(tt.sent) {
			frame = append(frame, tt.sent[i]^key[i%4])
		}
		for _, part := range [][]byte{[]byte("GET / HTTP/1.1\r\n\r\n"), frame[:3], frame[3:]} {
			if _, err := nc.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		all, err := io.ReadAll(nc)
		if err != nil || !bytes.HasSuffix(all, []byte(tt.received)) {
			t.Fatalf("%v: %q", err, all)
		}
		if r.errors != tt.wrong {
			t.Errorf("%s: %d errors, want %d", tt.received, r.errors, tt.wrong)
		}
	}
}
