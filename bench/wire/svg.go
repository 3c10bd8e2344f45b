package main

import (
	"fmt"
	"html"
	"os"
	"slices"
	"strings"
)

// The plot: one panel a load, latency over the offered rate, both logarithmic. A line
// a percentile, the floor's dashed; a rate that was too much is a cross.
const (
	panelWide, panelHigh         = 560, 380
	marginLeft, marginRight      = 70, 20
	marginTop, marginBottom      = 44, 48
	legendHigh, panelsAcross     = 64, 2
	plotFont, plotInk, plotFaint = "font-family='sans-serif' font-size='12'", "#222", "#e3e3e3"
)

// plotLines are the percentiles that are drawn, and their colours from calm to hot.
var plotLines = []struct{ percentile, colour string }{
	{"p50", "#1b6ca8"}, {"p90", "#2a9d8f"}, {"p99", "#e09f1f"}, {"p99.9", "#e76f51"}, {"p99.99", "#9d1f3f"},
}

// writeSVG plots the ladder into a file.
func (r *results) writeSVG(file string) error {
	plot, err := plotLadder(r.of("ladder"))
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(plot), 0o600)
}

// panel is one load and its floor.
type panel struct {
	title, floor string
	rows, floors []figure
}

// panels pairs every load with the floor that stands before it.
func panels(figures []figure) (ps []panel) {
	for i := 1; i < len(figures); i++ {
		under, f := figures[i-1], figures[i]
		if f.Floor || f.Offered == 0 {
			continue
		}
		at := slices.IndexFunc(ps, func(p panel) bool { return p.title == f.What })
		if at < 0 {
			at = len(ps)
			ps = append(ps, panel{title: f.What, floor: under.What})
		}
		ps[at].rows = append(ps[at].rows, f)
		if under.Floor && under.Offered > 0 {
			ps[at].floors = append(ps[at].floors, under)
		}
	}
	return ps
}

// plotLadder is the SVG of a ladder's figures.
func plotLadder(figures []figure) (string, error) {
	ps := panels(figures)
	if len(ps) == 0 {
		return "", fmt.Errorf("nothing to plot: the ladder has no rows")
	}
	across := min(panelsAcross, len(ps))
	wide, high := across*panelWide, legendHigh+(len(ps)+across-1)/across*panelHigh
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' %s fill='%s'>\n", wide, high, wide, high, plotFont, plotInk)
	fmt.Fprintf(&b, "<rect width='%d' height='%d' fill='#fff'/>\n", wide, high)
	legend(&b)
	for i, p := range ps {
		fmt.Fprintf(&b, "<g transform='translate(%d %d)'>\n", i%across*panelWide, legendHigh+i/across*panelHigh)
		p.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String(), nil
}

// legend says what lines and marks mean.
func legend(b *strings.Builder) {
	fmt.Fprintf(b, "<text x='%d' y='22' font-size='15' font-weight='bold'>Latency from the scheduled time, over the offered rate</text>\n", marginLeft)
	x := marginLeft
	for _, l := range plotLines {
		fmt.Fprintf(b, "<line x1='%d' x2='%d' y1='44' y2='44' stroke='%s' stroke-width='2'/><text x='%d' y='48'>%s</text>\n", x, x+22, l.colour, x+27, l.percentile)
		x += 80
	}
	fmt.Fprintf(b, "<line x1='%d' x2='%d' y1='44' y2='44' stroke='%s' stroke-width='1.2' stroke-dasharray='5 4'/><text x='%d' y='48'>floor</text>\n", x, x+22, plotInk, x+27)
	x += 72
	fmt.Fprintf(b, "%s<text x='%d' y='48'>breaks</text>\n", cross(float64(x+6), 44, plotInk), x+16)
}

// draw draws a panel with its corner at 0, 0.
func (p *panel) draw(b *strings.Builder) {
	x, y := p.scales()
	fmt.Fprintf(b, "<text x='%d' y='18' font-weight='bold'>%s</text>\n", marginLeft, html.EscapeString(p.title))
	fmt.Fprintf(b, "<text x='%d' y='34' fill='#666'>floor: %s</text>\n", marginLeft, html.EscapeString(p.floor))
	for _, v := range x.minor() {
		fmt.Fprintf(b, "<line x1='%.1f' x2='%.1f' y1='%d' y2='%d' stroke='%s'/>\n", x.at(v), x.at(v), marginTop, panelHigh-marginBottom, plotFaint)
	}
	for _, v := range y.minor() {
		fmt.Fprintf(b, "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' stroke='%s'/>\n", marginLeft, panelWide-marginRight, y.at(v), y.at(v), plotFaint)
	}
	for _, v := range x.decades() {
		fmt.Fprintf(b, "<line x1='%.1f' x2='%.1f' y1='%d' y2='%d' stroke='#b5b5b5'/><text x='%.1f' y='%d' text-anchor='middle'>%s</text>\n",
			x.at(v), x.at(v), marginTop, panelHigh-marginBottom, x.at(v), panelHigh-marginBottom+17, rateLabel(v))
	}
	for _, v := range y.decades() {
		fmt.Fprintf(b, "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' stroke='#b5b5b5'/><text x='%d' y='%.1f' text-anchor='end'>%s</text>\n",
			marginLeft, panelWide-marginRight, y.at(v), y.at(v), marginLeft-7, y.at(v)+4, timeLabel(v))
	}
	fmt.Fprintf(b, "<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='%s'/>\n", marginLeft, marginTop,
		panelWide-marginLeft-marginRight, panelHigh-marginTop-marginBottom, plotInk)
	fmt.Fprintf(b, "<text x='%d' y='%d' text-anchor='middle'>offered a second</text>\n", (marginLeft+panelWide-marginRight)/2, panelHigh-marginBottom+36)
	for _, l := range plotLines {
		curve(b, p.floors, l.percentile, "stroke-width='1.2' stroke-dasharray='5 4' stroke-opacity='0.75' stroke='"+l.colour+"'", x, y)
		curve(b, p.rows, l.percentile, "stroke-width='2' stroke='"+l.colour+"'", x, y)
		for _, f := range p.rows {
			at, up := x.at(f.Offered), y.at(float64(f.Latency[l.percentile]))
			if f.Broken != "" {
				b.WriteString(cross(at, up, l.colour))
				continue
			}
			fmt.Fprintf(b, "<circle cx='%.1f' cy='%.1f' r='2.6' fill='%s'/>\n", at, up, l.colour)
		}
	}
}

// curve draws one percentile of rows.
func curve(b *strings.Builder, rows []figure, percentile, style string, x, y scale) {
	var points []string
	for _, f := range rows {
		if d := f.Latency[percentile]; d > 0 {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x.at(f.Offered), y.at(float64(d))))
		}
	}
	if len(points) > 0 {
		fmt.Fprintf(b, "<polyline fill='none' %s points='%s'/>\n", style, strings.Join(points, " "))
	}
}

func cross(x, y float64, colour string) string {
	const r = 5
	return fmt.Sprintf("<path d='M%.1f %.1fl%d %dm0 %dl%d %d' stroke='%s' stroke-width='2' fill='none'/>\n", x-r, y-r, 2*r, 2*r, -2*r, -2*r, 2*r, colour)
}
