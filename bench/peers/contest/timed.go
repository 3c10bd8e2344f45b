package contest

import "time"

// maxRamp is by how much the number of operations grows at most from one attempt to
// the next.
const maxRamp = 16

// Timed calls f with growing numbers of operations until one call has taken d at
// least, or nearly, and returns the nanoseconds an operation of that last call: what
// came before was the warm-up.
func Timed(d time.Duration, f func(n int) (time.Duration, error)) (float64, error) {
	for n := 1; ; {
		took, err := f(n)
		if err != nil {
			return 0, err
		}
		if took >= d*7/8 {
			return float64(took.Nanoseconds()) / float64(n), nil
		}
		grow := float64(maxRamp)
		if took > 0 {
			grow = min(grow, 1.1*float64(d)/float64(took))
		}
		n = max(n+1, int(float64(n)*grow))
	}
}
