package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"qcat/api/hub"
)

// TestBatches: what is due is put together, nothing early, nothing twice, nothing left
// out, and no more at once than wanted.
func TestBatches(t *testing.T) {
	s := newSchedule(100_000, 20*time.Millisecond)
	next, largest := 0, 0
	err := s.runBatches(t.Context(), 64, func(from, to int) error {
		if early := time.Until(s.due(to - 1)); early > 0 {
			t.Errorf("event %d came %v early", to-1, early)
		}
		if from != next || to <= from {
			t.Fatalf("%d to %d after %d", from, to, next)
		}
		if next = to; from == 0 {
			time.Sleep(2 * time.Millisecond) // 200 are late
		}
		largest = max(largest, to-from)
		return nil
	})
	if err != nil || next != 2000 || largest > 64 || largest < 2 {
		t.Errorf("%d events, %d at once: %v", next, largest, err)
	}
}

// TestCPUTime: the name of a program may look like fields.
func TestCPUTime(t *testing.T) {
	const stat = "4242 (a) b (c 1 2) S 1 4242 4242 0 -1 4194560 1 0 0 0 150 25 7 9 20 0 12 0 100 1 2 3"
	if d, err := cpuTime([]byte(stat)); err != nil || d != 1750*time.Millisecond {
		t.Errorf("%v, %v", d, err)
	}
	for _, bad := range []string{"", "1 (x", "1 (x) S 1 2", "1 (x) S 1 2 3 4 5 6 7 8 9 10 x 12"} {
		if d, err := cpuTime([]byte(bad)); err == nil {
			t.Errorf("%q: %v", bad, d)
		}
	}
}

func TestMetric(t *testing.T) {
	page := []byte("# HELP a_total 7\na_total_more 1\na_total 2.5e+06\nb{quantile=\"0.5\"} 1\nb{quantile=\"1\"} 0.25 1700000000\n")
	for name, want := range map[string]float64{"a_total": 2.5e6, `b{quantile="1"}`: 0.25} {
		if v, err := metric(page, name); err != nil || v != want {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	if v, err := metric(page, "b"); err == nil {
		t.Errorf("b: %v", v)
	}
}

// TestStatusBytes reads sizes as the kernel writes them.
func TestStatusBytes(t *testing.T) {
	status := []byte("Name:\tqcat\nVmHWM:\t   46456 kB\nVmRSS:\t   12 kB\n")
	if n, err := statusBytes(status, "VmHWM:"); err != nil || n != 46456<<10 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := statusBytes(status, "VmSwap:"); err == nil {
		t.Error("a size that is not there")
	}
}

// TestTickFrames: what a relay sends is what a client reads, and frames may come in
// any pieces.
func TestTickFrames(t *testing.T) {
	stream := appendClientTick(nil, 7, 1, 1700000000000)
	stream = append(stream, hub.OpPing|0x80, 0)
	stream = appendClientTick(stream, 99_999, 123_456_789, 1700000000000)
	for cut := range len(stream) {
		b := stream[:cut]
		var ops []byte
		for {
			op, _, rest, ok := cutFrame(b)
			if !ok {
				break
			}
			ops, b = append(ops, op), rest
		}
		if len(ops) > 2 {
			t.Fatalf("%d frames of %d bytes", len(ops), cut)
		}
	}
	_, first, rest, _ := cutFrame(stream)
	_, _, rest, _ = cutFrame(rest)
	_, last, rest, ok := cutFrame(rest)
	if a, isA := readTick(first); !isA || a != (tick{7, 1, 1}) {
		t.Errorf("%+v of %s", a, first)
	}
	if b, isB := readTick(last); !ok || len(rest) > 0 || !isB || b != (tick{99_999, 123_456_789, 123_456_789}) {
		t.Errorf("%+v of %s", b, last)
	}
	if _, ok := readTick([]byte(`{"id":0,"ok":true,"channels":["trade:binance-usdm:S00007USDT"]}`)); ok {
		t.Error("an answer taken for a trade")
	}
}

// TestCrowdHoldsSequences: a gap is counted, and disorder, a repetition, or a gap of
// the channel's count that is none of the trades', is a fault.
func TestCrowdHoldsSequences(t *testing.T) {
	frame := func(id, seq uint64) []byte {
		s := string(appendClientTick(nil, 0, id, 1)[4:])
		return []byte(strings.Replace(s, fmt.Sprintf(`"seq":%d,`, id), fmt.Sprintf(`"seq":%d,`, seq), 1))
	}
	for _, tc := range []struct {
		name   string
		ids    [][2]uint64 // id, seq
		missed int64
		fault  bool
	}{
		{"in order", [][2]uint64{{5, 9}, {6, 10}, {7, 11}}, 0, false},
		{"a gap", [][2]uint64{{5, 9}, {8, 12}}, 2, false},
		{"a gap that the channel does not show", [][2]uint64{{5, 9}, {8, 10}}, 2, true},
		{"twice", [][2]uint64{{5, 9}, {5, 9}}, 0, true},
		{"backwards", [][2]uint64{{5, 9}, {4, 10}}, 0, true},
	} {
		c, m := &crowd{instruments: 1}, &member{}
		for _, id := range tc.ids {
			c.tick(m, frame(id[0], id[1]), nil, time.Now())
		}
		if (c.err() != nil) != tc.fault || !tc.fault && c.missed.Load() != tc.missed {
			t.Errorf("%s: %d left out, %v", tc.name, c.missed.Load(), c.err())
		}
	}
}

// TestCrowdIsCutOff: a client whose connection the other side ends, with a closing frame
// or without, was cut off.
func TestCrowdIsCutOff(t *testing.T) {
	for name, last := range map[string][]byte{"without a word": nil, "with one": {hub.OpClose | 0x80, 2, 0x0f, 0xa3}} {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		c, err := newCrowd(1)
		if err != nil {
			t.Fatal(err)
		}
		server := sock(pair[1])
		err = errors.Join(c.join(sock(pair[0]), nil), server.write(append(appendClientTick(nil, 0, 7, 1), last...)))
		server.close()
		c.start()
		for end := time.Now().Add(10 * time.Second); err == nil && c.err() == nil && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if c.close(); err != nil || !errors.Is(c.err(), errCut) || c.got.Load() != 1 || last != nil && !strings.Contains(c.err().Error(), "4003") {
			t.Errorf("%s: %v, %v, %d trades", name, err, c.err(), c.got.Load())
		}
	}
}

// TestAnswers: whole and partial answers of both protocols, good and bad.
func TestAnswers(t *testing.T) {
	good := "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n{{}}"
	h := &httpOrders{orderText: orderText{"r", 3}}
	for cut := range len(good) {
		if _, _, _, ok := h.answer([]byte(good[:cut])); ok {
			t.Fatalf("%d bytes are an answer", cut)
		}
	}
	if event, refusal, rest, ok := h.answer([]byte(good + "HTTP")); !ok || event != -1 || refusal != "" || string(rest) != "HTTP" {
		t.Errorf("%d %q %q %v", event, refusal, rest, ok)
	}
	if _, refusal, _, ok := h.answer([]byte(strings.Replace(good, "201", "422", 1))); !ok || !strings.Contains(refusal, "422 {{}}") {
		t.Errorf("%q %v", refusal, ok)
	}
	s := &socketOrders{orderText: orderText{"r", 3}}
	frame := func(text string) []byte { return append([]byte{hub.OpText | 0x80, byte(len(text))}, text...) }
	if event, refusal, _, ok := s.answer(frame(`{"id":42,"ok":true,"seq":7}`)); !ok || event != 42 || refusal != "" {
		t.Errorf("%d %q %v", event, refusal, ok)
	}
	if event, refusal, _, ok := s.answer(frame(`{"id":42,"ok":false}`)); !ok || event != 42 || refusal == "" {
		t.Errorf("%d %q %v", event, refusal, ok)
	}
	if event, _, _, ok := s.answer([]byte{hub.OpPing | 0x80, 0}); !ok || event != notAnAnswer {
		t.Errorf("%d %v", event, ok)
	}
	if text := string(h.appendOrder(nil, 4)); !strings.Contains(text, `"account":"bench1"`) || !strings.HasSuffix(text, `"client_order_id":"r4"}`) {
		t.Errorf("%s", text)
	}
}

// TestNumbers is the flag's syntax.
func TestNumbers(t *testing.T) {
	var ns numbers
	if err := ns.Set("1,20"); err != nil || !slices.Equal(ns, numbers{1, 20}) || ns.String() != "1,20" {
		t.Errorf("%v, %v", ns, err)
	}
	if ns.Set("0") == nil || ns.Set("1,x") == nil {
		t.Error("a wrong number is taken")
	}
}

// TestPingPong: a word takes time to come back.
func TestPingPong(t *testing.T) {
	if p := pingPong(5 * time.Millisecond); p.best <= 0 || p.median < p.best {
		t.Errorf("%+v", p)
	}
}
