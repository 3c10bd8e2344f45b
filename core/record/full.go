package record

import "errors"

// ErrFull is what a journal wraps when it has no room for a record now: the same
// record may be tried again. It stands here because those who write records and
// those who keep them know nothing else of each other.
var ErrFull = errors.New("journal full")
