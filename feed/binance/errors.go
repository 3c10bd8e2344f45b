package binance

import (
	"errors"
	"fmt"
	"strconv"
)

// Errors of Decode. They are preallocated: a flood of bad frames makes no
// garbage. Which frame was bad is for the caller to record, who has it.
var (
	// ErrSyntax is a frame that is not JSON, or that repeats a key we read.
	ErrSyntax = errors.New("binance: frame is not well-formed JSON")
	// ErrShape is a well-formed frame which is none that the venue documents: a
	// missing key, a value of another type, ids in the wrong order.
	ErrShape = errors.New("binance: frame of unknown shape")
	// ErrNumber is a price or quantity that is not a plain decimal, is negative,
	// does not fit, or has more decimals than the instrument.
	ErrNumber = errors.New("binance: price or quantity does not fit the instrument")
	// ErrSnapshotInstrument is a depth snapshot for an instrument that the decoder
	// was not given.
	ErrSnapshotInstrument = errors.New("binance: depth snapshot for an unknown instrument")
)

// VenueError is a refusal by the venue, over WebSocket or REST.
type VenueError struct {
	// Code is the venue's error number (negative on REST, small on WebSocket).
	Code int64  `json:"code"`
	Msg  string `json:"msg"`
}

// Error returns the code and the venue's own words.
func (e *VenueError) Error() string {
	return "binance: venue refused: " + strconv.FormatInt(e.Code, 10) + " " + e.Msg
}

// StatusError is a REST answer other than 2xx, and other than 418 and 429,
// which are a *feed.RateLimitError.
type StatusError struct {
	Status int
	// Venue is what the body says, zero when it says nothing readable.
	Venue VenueError
}

// Error returns the status and the venue's own words.
func (e *StatusError) Error() string {
	return fmt.Sprintf("binance: HTTP status %d: %d %s", e.Status, e.Venue.Code, e.Venue.Msg)
}

// Unwrap returns the venue's refusal.
func (e *StatusError) Unwrap() error { return &e.Venue }
