package main

// columns is the width of Grafana's grid.
const columns = 24

// source is the data source of deploy/grafana/provisioning.
var source = dataSource{Type: "prometheus", UID: "qcat-prometheus"}

// panel is one panel as it is written down here.
type panel struct {
	title, about  string // about: what it shows, and when to worry
	kind          string // Grafana's type of panel, "timeseries" if empty
	unit          string // Grafana's name of the unit; seconds are "s"
	width, height int    // in cells of the grid; 0: 8 and 7
	queries       []query
	warn, bad     *float64         // thresholds; a value above is yellow, or red
	below         bool             // thresholds count from above: a value below bad is red
	states        map[string]state // names of values, by value
	stack         bool
	max           *float64
}

// query is one PromQL expression and the legend of its series.
type query struct{ expr, legend string }

// state is how one value of a gauge is shown.
type state struct{ text, colour string }

// section is a heading and what stands below it; without a title there is no heading.
type section struct {
	title  string
	panels []panel
}

// board is one dashboard.
type board struct {
	uid, title, about string
	variables         []variable
	sections          []section
}

// variable is a choice at the top of a dashboard: the values of one label.
type variable struct{ name, label, ask string }

var (
	instances = variable{"instance", "Instance", `label_values(up{job="qcat"}, instance)`}
	feeds     = variable{"feed", "Feed", `label_values(qcat_feed_instruments, feed)`}
	stages    = variable{"stage", "Stage", `label_values(qcat_stage_duration_seconds_count, stage)`}
)

func at(v float64) *float64 { return &v }

// one is a panel's only query.
func one(expr, legend string) []query { return []query{{expr, legend}} }

// stat is a panel of one large number.
func stat(title, about, unit, expr string) panel {
	return panel{title: title, about: about, kind: "stat", unit: unit, width: 3, height: 4, queries: one(expr, "")}
}

// limits gives a panel its thresholds.
func (p panel) limits(warn, bad float64) panel {
	p.warn, p.bad = at(warn), at(bad)
	return p
}

// atLeast gives a panel thresholds below which it is not well.
func (p panel) atLeast(warn, bad float64) panel {
	p.warn, p.bad, p.below = at(warn), at(bad), true
	return p
}

// wide gives a panel its width.
func (p panel) wide(cells int) panel {
	p.width = cells
	return p
}

// named shows values as words.
func (p panel) named(states map[string]state) panel {
	p.states = states
	return p
}

// ratio has a panel end at 100%.
func (p panel) ratio() panel {
	p.unit, p.max = "percentunit", at(1)
	return p
}
