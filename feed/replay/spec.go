package replay

import (
	"errors"
	"fmt"
	"strings"

	"qcat/core"
)

// Speed is how fast a capture is played, in thousandths of real time. Zero is as
// fast as it goes.
type Speed int64

// Speeds.
const (
	MaxSpeed Speed = 0
	RealTime Speed = 1000
)

// fastest bounds a speed that is given as a number: above it, max is meant.
const fastest = 1_000_000 * RealTime

// String returns the speed as a specification spells it: "10x", "0.5x", "max".
func (s Speed) String() string {
	if s == MaxSpeed {
		return "max"
	}
	t := core.FormatDecimal(int64(s), 3)
	return strings.TrimSuffix(strings.TrimRight(t, "0"), ".") + "x"
}

// ErrSpec is wrapped by the errors of ParseSpeed and ParseSpec.
var ErrSpec = errors.New("replay specification")

// ParseSpeed reads "max" or a positive factor of real time with up to three
// decimals: "1x", "10x", "0.5x".
func ParseSpeed(s string) (Speed, error) {
	if s == "max" {
		return MaxSpeed, nil
	}
	digits, ok := strings.CutSuffix(s, "x")
	v, err := core.ParseDecimal([]byte(digits), 3)
	if !ok || err != nil || v <= 0 || Speed(v) > fastest {
		return 0, fmt.Errorf("%w: speed %q is neither max nor a factor like 10x", ErrSpec, s)
	}
	return Speed(v), nil
}

// Spec is a parsed feed specification of a capture.
type Spec struct {
	Path  string
	Speed Speed
}

// String returns the specification that parses to s.
func (s Spec) String() string { return "replay:" + s.Path + "@" + s.Speed.String() }

// ParseSpec reads "replay:FILE[@SPEED]"; without a speed it is real time. The
// last @ is the speed's, so that a file name may hold others when a speed is given.
func ParseSpec(s string) (Spec, error) {
	rest, ok := strings.CutPrefix(s, "replay:")
	if !ok {
		return Spec{}, fmt.Errorf("%w: %q is not of the form replay:FILE[@SPEED]", ErrSpec, s)
	}
	spec := Spec{Path: rest, Speed: RealTime}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		speed, err := ParseSpeed(rest[at+1:])
		if err != nil {
			return Spec{}, err
		}
		spec = Spec{Path: rest[:at], Speed: speed}
	}
	if spec.Path == "" {
		return Spec{}, fmt.Errorf("%w: %q names no file", ErrSpec, s)
	}
	return spec, nil
}
