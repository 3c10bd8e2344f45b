package replay

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"qcat/core"
	"qcat/feed"
)

// maxProbe is how many frames a Bind may look at before the capture counts as
// none of its venue's.
const maxProbe = 4096

// Binding is how the frames of a capture are read.
type Binding struct {
	Decoder    feed.Decoder
	Continuity feed.Continuity
	// Instrument is what the capture is of, and what its REST snapshots belong to.
	Instrument core.InstrumentID
}

// Bind looks at the first frames of a capture, one a call, in order, until it
// can tell how they are read. It returns false while it cannot; it may keep what
// it learned, but not the frame itself.
//
// Errors: any ends the reading of the capture.
type Bind func(frame []byte) (Binding, bool, error)

// heldFrame is a frame that was read before the binding was known.
type heldFrame struct {
	rx    core.Nanos
	line  int
	frame []byte
}

// probe reads until bind knows, and returns the frames read with their times.
func probe(r *Reader, bind Bind) (Binding, []heldFrame, error) {
	var held []heldFrame
	for len(held) < maxProbe {
		rx, frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Binding{}, nil, err
		}
		held = append(held, heldFrame{rx, r.Line(), slices.Clone(frame)})
		b, ok, err := bind(frame)
		if err != nil {
			return Binding{}, nil, fmt.Errorf("%s:%d: %w", r.name, r.Line(), err)
		}
		if ok {
			return b, held, nil
		}
	}
	return Binding{}, nil, fmt.Errorf("%w: %s: none of the first %d frames tells what it is of", ErrCapture, r.name, len(held))
}

// Probe reads the beginning of the capture at path until bind knows how it is
// read.
func Probe(path string, bind Bind) (Binding, error) {
	r, err := Open(path)
	if err != nil {
		return Binding{}, err
	}
	defer r.Close()
	b, _, err := probe(r, bind)
	return b, err
}
