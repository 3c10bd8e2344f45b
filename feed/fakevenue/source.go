package fakevenue

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"qcat/core"
	"qcat/feed/binance"
)

// Source is what a Server plays: the instruments, the book each begins with, and
// the frames in order. It is immutable once made; several servers may share one.
type Source struct {
	Market      binance.Market
	Instruments []core.Instrument // without ids
	Initial     map[string]Book   // by symbol
	Frames      []Frame
}

// Book is the state of a book: best levels first.
type Book struct {
	LastUpdateID uint64
	Millis       int64 // venue's time of it, 0 on spot, which does not tell
	Bids, Asks   []core.Level
}

// Frame is one message of a stream.
type Frame struct {
	Stream  string // btcusdt@trade
	Symbol  string // BTCUSDT
	Payload []byte // as a raw stream sends it
	Wrapped []byte // as a combined stream sends it
	// Depth is what a depth update changes; nil for all other frames.
	Depth *Depth
}

// Depth is a depth update, as the truth needs it.
type Depth struct {
	Last       uint64 // u
	Millis     int64  // E
	Bids, Asks []core.Level
}

// ErrNoSnapshot is a capture whose symbol's book is never told.
var ErrNoSnapshot = errors.New("fakevenue: the capture holds no depth snapshot")

// NewFrame returns the frame of a stream's payload, reading it if it is depth.
func NewFrame(stream string, payload []byte, in *core.Instrument) (Frame, error) {
	f := Frame{Stream: stream, Symbol: in.Symbol, Payload: payload,
		Wrapped: wrap(stream, payload)}
	if !strings.Contains(stream, "@depth") {
		return f, nil
	}
	// encoding/json matches keys of any case where the exact one has no field:
	// all single letters that occur are named.
	var d struct {
		E  int64       `json:"E"`
		E2 string      `json:"e"`
		T  int64       `json:"T"`
		S  string      `json:"s"`
		U  uint64      `json:"U"`
		U2 uint64      `json:"u"`
		PU uint64      `json:"pu"`
		B  [][2]string `json:"b"`
		A  [][2]string `json:"a"`
	}
	if err := json.Unmarshal(payload, &d); err != nil {
		return f, fmt.Errorf("fakevenue: depth frame: %w", err)
	}
	f.Depth = &Depth{Last: d.U2, Millis: d.E}
	var err error
	if f.Depth.Bids, err = parseLevels(d.B, in); err == nil {
		f.Depth.Asks, err = parseLevels(d.A, in)
	}
	return f, err
}

// wrap returns a payload as combined streams carry it.
func wrap(stream string, payload []byte) []byte {
	return fmt.Appendf(nil, `{"stream":%q,"data":%s}`, stream, payload)
}

func parseLevels(list [][2]string, in *core.Instrument) ([]core.Level, error) {
	out := make([]core.Level, len(list))
	for i, l := range list {
		p, err := core.ParseDecimal([]byte(l[0]), in.PriceScale)
		if err != nil {
			return nil, fmt.Errorf("fakevenue: price %q: %w", l[0], err)
		}
		q, err := core.ParseDecimal([]byte(l[1]), in.QtyScale)
		if err != nil {
			return nil, fmt.Errorf("fakevenue: quantity %q: %w", l[1], err)
		}
		out[i] = core.Level{Price: core.Price(p), Qty: core.Qty(q)}
	}
	return out, nil
}

// CaptureOf reads a capture (plain or gzip) of one instrument with a REST
// snapshot inside. limit bounds the frames kept, 0 keeps all.
func CaptureOf(m binance.Market, r io.Reader, limit int) (*Source, error) {
	lines, err := captureLines(r)
	if err != nil {
		return nil, err
	}
	found, err := binance.Discover(m.Venue(), slices.Values(lines[:min(len(lines), 1000)]))
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("fakevenue: the capture holds %d instruments, want 1", len(found))
	}
	in := &found[0]
	src := &Source{Market: m, Instruments: found, Initial: map[string]Book{}}
	at := slices.IndexFunc(lines, isSnapshot)
	if at < 0 {
		return nil, ErrNoSnapshot
	}
	initial, err := readSnapshot(lines[at], in)
	if err != nil {
		return nil, err
	}
	src.Initial[in.Symbol] = initial
	begun := false
	for _, line := range lines {
		if isSnapshot(line) {
			continue
		}
		f, err := unwrap(line, in)
		if err != nil {
			return nil, err
		}
		// The first depth message that is news to the snapshot begins the script.
		begun = begun || (f.Depth != nil && f.Depth.Last > initial.LastUpdateID)
		if begun {
			src.Frames = append(src.Frames, f)
		}
		if limit > 0 && len(src.Frames) == limit {
			break
		}
	}
	return src, nil
}

// captureLines returns the frames of a capture without their receive times.
func captureLines(r io.Reader) ([][]byte, error) {
	br := bufio.NewReader(r)
	r = br
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("fakevenue: capture: %w", err)
		}
		r = z
	}
	var lines [][]byte
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		_, frame, ok := bytes.Cut(sc.Bytes(), []byte(" "))
		if !ok {
			return nil, fmt.Errorf("fakevenue: capture: line %d has no receive time", len(lines)+1)
		}
		lines = append(lines, bytes.Clone(frame))
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("fakevenue: capture: %w", err)
	}
	return lines, nil
}

func isSnapshot(line []byte) bool { return bytes.HasPrefix(line, []byte(`{"lastUpdateId"`)) }

func readSnapshot(body []byte, in *core.Instrument) (Book, error) {
	var s struct {
		LastUpdateID uint64      `json:"lastUpdateId"`
		Millis       int64       `json:"E"`
		Bids         [][2]string `json:"bids"`
		Asks         [][2]string `json:"asks"`
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return Book{}, fmt.Errorf("fakevenue: snapshot: %w", err)
	}
	bids, err := parseLevels(s.Bids, in)
	if err != nil {
		return Book{}, err
	}
	asks, err := parseLevels(s.Asks, in)
	return Book{LastUpdateID: s.LastUpdateID, Millis: s.Millis, Bids: bids, Asks: asks}, err
}

// unwrap takes a frame of a combined stream apart, by its text: a capture holds
// the venue's own frames, and only depth is read further.
func unwrap(line []byte, in *core.Instrument) (Frame, error) {
	rest, isStream := bytes.CutPrefix(line, []byte(`{"stream":"`))
	stream, data, hasData := bytes.Cut(rest, []byte(`","data":`))
	payload, closed := bytes.CutSuffix(data, []byte(`}`))
	if !isStream || !hasData || !closed {
		return Frame{}, fmt.Errorf("fakevenue: not a frame of a combined stream: %.80q", line)
	}
	return NewFrame(string(stream), payload, in)
}
