package postgres

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"qcat/core"
	"qcat/core/history"
)

// TestCopyReaderWithAnyBuffer: what is sent does not depend on how much is asked for at once.
func TestCopyReaderWithAnyBuffer(t *testing.T) {
	rows := make([]history.RiskEvent, 50)
	for i := range rows {
		rows[i] = history.RiskEvent{Seq: uint64(i), Note: strings.Repeat("x", i*i*3)} // up to several buffers
	}
	source := func() io.Reader {
		return &copyReader[history.RiskEvent]{t: riskEvents, e: &encoder{scales: &scales{}}, rows: rows}
	}
	want, err := io.ReadAll(iotest.OneByteReader(source()))
	if err != nil || !bytes.HasPrefix(want, []byte(copyHeader)) || !bytes.HasSuffix(want, []byte{0xff, 0xff}) {
		t.Fatalf("%d bytes (%v)", len(want), err)
	}
	for _, n := range []int{1, 2, 19, 20, 21, 100, maxRow, maxRow + 1, 4096, 65536} {
		var got bytes.Buffer
		// io.CopyBuffer without the short cuts of its ends.
		if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{source()}, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("a buffer of %d bytes gives other bytes", n)
		}
	}
	if err := iotest.TestReader(source(), want); err != nil {
		t.Error(err)
	}
}

// TestRowThatCannotBeStored: a row whose numbers have no scale ends the COPY.
func TestRowThatCannotBeStored(t *testing.T) {
	r := &copyReader[history.Trade]{t: trades, e: &encoder{scales: &scales{}}, rows: []history.Trade{{Instrument: 9}}}
	if _, err := io.ReadAll(r); !errors.Is(err, errInstrument) {
		t.Errorf("a trade of an unknown instrument: %v", err)
	}
	wide := &copyReader[history.Trade]{t: trades, e: &encoder{scales: &scales{directory: core.NewDirectory()}}, rows: []history.Trade{{ID: 1 << 63}}}
	if _, err := io.ReadAll(wide); err == nil {
		t.Error("an id beyond 63 bits is taken")
	}
}
