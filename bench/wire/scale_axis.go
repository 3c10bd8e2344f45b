package main

import (
	"fmt"
	"math"
)

// scale is a logarithmic axis: from low to high lies between the points from and to of
// the picture.
type scale struct{ low, high, from, to float64 }

// around is the scale of all values from least to most, with some room.
func around(least, most, from, to float64) scale {
	return scale{least / 1.3, most * 1.3, from, to}
}

// at is where v is in the picture; what is outside is at the end.
func (s scale) at(v float64) float64 {
	v = min(max(v, s.low), s.high)
	return s.from + (s.to-s.from)*math.Log(v/s.low)/math.Log(s.high/s.low)
}

// decades are the powers of ten of the axis.
func (s scale) decades() (vs []float64) {
	for e := math.Ceil(math.Log10(s.low)); math.Pow(10, e) <= s.high; e++ {
		vs = append(vs, math.Pow(10, e))
	}
	return vs
}

// minor are the multiples of the powers of ten.
func (s scale) minor() (vs []float64) {
	for e := math.Floor(math.Log10(s.low)); math.Pow(10, e) <= s.high; e++ {
		for m := 2.0; m < 10; m++ {
			if v := m * math.Pow(10, e); v >= s.low && v <= s.high {
				vs = append(vs, v)
			}
		}
	}
	return vs
}

// scales are those that hold all points of the panel.
func (p *panel) scales() (x, y scale) {
	lowX, highX, lowY, highY := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, rows := range [][]figure{p.rows, p.floors} {
		for _, f := range rows {
			lowX, highX = min(lowX, f.Offered), max(highX, f.Offered)
			for _, l := range plotLines {
				if d := float64(f.Latency[l.percentile]); d > 0 {
					lowY, highY = min(lowY, d), max(highY, d)
				}
			}
		}
	}
	if highY == 0 {
		lowY, highY = 1e3, 1e6
	}
	return around(lowX, highX, marginLeft, panelWide-marginRight), around(lowY, highY, panelHigh-marginBottom, marginTop)
}

// rateLabel prints a power of ten a second, timeLabel one of nanoseconds.
func rateLabel(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%g M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%g k", v/1e3)
	}
	return fmt.Sprintf("%g", v)
}

func timeLabel(ns float64) string {
	switch {
	case ns >= 1e9:
		return fmt.Sprintf("%g s", ns/1e9)
	case ns >= 1e6:
		return fmt.Sprintf("%g ms", ns/1e6)
	case ns >= 1e3:
		return fmt.Sprintf("%g µs", ns/1e3)
	}
	return fmt.Sprintf("%g ns", ns)
}
