package main

import (
	"strconv"
)

// What follows is Grafana's own form of a dashboard, as version 11 writes it.

type dataSource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type dashboard struct {
	UID           string         `json:"uid"`
	Title         string         `json:"title"`
	Description   string         `json:"description"`
	Tags          []string       `json:"tags"`
	SchemaVersion int            `json:"schemaVersion"`
	Version       int            `json:"version"`
	Editable      bool           `json:"editable"`
	GraphTooltip  int            `json:"graphTooltip"` // 1: one cross hair for all panels
	Refresh       string         `json:"refresh"`
	Timezone      string         `json:"timezone"`
	Time          timeRange      `json:"time"`
	Links         []link         `json:"links"`
	Templating    templating     `json:"templating"`
	Annotations   annotations    `json:"annotations"`
	Panels        []grafanaPanel `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

type templating struct {
	List []templateVariable `json:"list"`
}

type templateVariable struct {
	Name       string     `json:"name"`
	Label      string     `json:"label"`
	Type       string     `json:"type"`
	Datasource dataSource `json:"datasource"`
	Query      any        `json:"query"`
	Definition string     `json:"definition"`
	Refresh    int        `json:"refresh"` // 2: when the time range changes
	Sort       int        `json:"sort"`
	Multi      bool       `json:"multi"`
	IncludeAll bool       `json:"includeAll"`
	AllValue   string     `json:"allValue"`
	Current    any        `json:"current"`
}

type annotations struct {
	List []annotation `json:"list"`
}

type annotation struct {
	Name       string     `json:"name"`
	Datasource dataSource `json:"datasource"`
	Enable     bool       `json:"enable"`
	IconColor  string     `json:"iconColor"`
	Expr       string     `json:"expr"`
	Step       string     `json:"step"`
	TitleFmt   string     `json:"titleFormat"`
}

type grid struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type grafanaPanel struct {
	ID          int         `json:"id"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	GridPos     grid        `json:"gridPos"`
	Collapsed   *bool       `json:"collapsed,omitempty"` // of rows
	Panels      *[]struct{} `json:"panels,omitempty"`    // of rows
	Datasource  *dataSource `json:"datasource,omitempty"`
	Targets     []target    `json:"targets,omitempty"`
	FieldConfig any         `json:"fieldConfig,omitempty"`
	Options     any         `json:"options,omitempty"`
}

type target struct {
	RefID        string     `json:"refId"`
	Datasource   dataSource `json:"datasource"`
	EditorMode   string     `json:"editorMode"`
	Expr         string     `json:"expr"`
	LegendFormat string     `json:"legendFormat"`
	Instant      bool       `json:"instant"`
	Range        bool       `json:"range"`
}

type object = map[string]any

// grafana lays a board out.
func (b board) grafana() dashboard {
	d := dashboard{
		UID: b.uid, Title: b.title, Description: b.about, Tags: []string{"qcat"}, SchemaVersion: 39, Version: 1,
		GraphTooltip: 1, Refresh: "10s", Timezone: "utc", Time: timeRange{"now-1h", "now"},
		Links: []link{{Title: "QCAT", Type: "dashboards", Tags: []string{"qcat"}, IncludeVars: true, KeepTime: true}},
		Annotations: annotations{List: []annotation{{
			Name: "Starts of QCAT", Datasource: source, Enable: true, IconColor: "blue", Step: "15s", TitleFmt: "{{instance}} started",
			Expr: `changes(process_start_time_seconds{job="qcat", instance=~"$instance"}[1m]) > 0`,
		}}},
		Templating: templating{List: []templateVariable{}},
	}
	for _, v := range b.variables {
		d.Templating.List = append(d.Templating.List, templateVariable{
			Name: v.name, Label: v.label, Type: "query", Datasource: source, Definition: v.ask, Refresh: 2, Sort: 1,
			Query: object{"qryType": 1, "query": v.ask, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
			Multi: true, IncludeAll: true, AllValue: ".*", Current: object{"text": []string{"All"}, "value": []string{"$__all"}},
		})
	}
	d.Panels = layOut(b.sections)
	return d
}

// layOut places panels from left to right, and begins a new line where one does not fit.
func layOut(sections []section) (panels []grafanaPanel) {
	var x, y, line int // line: height of the line being filled
	newLine := func() { x, y, line = 0, y+line, 0 }
	for _, s := range sections {
		newLine()
		if s.title != "" {
			open := false
			panels = append(panels, grafanaPanel{ID: len(panels) + 1, Type: "row", Title: s.title, GridPos: grid{H: 1, W: columns, Y: y}, Collapsed: &open, Panels: &[]struct{}{}})
			y++
		}
		for _, p := range s.panels {
			g := p.grafana()
			if x+g.GridPos.W > columns {
				newLine()
			}
			g.ID, g.GridPos.X, g.GridPos.Y = len(panels)+1, x, y
			x, line = x+g.GridPos.W, max(line, g.GridPos.H)
			panels = append(panels, g)
		}
	}
	return panels
}

func (p panel) grafana() grafanaPanel {
	kind := or(p.kind, "timeseries")
	g := grafanaPanel{Type: kind, Title: p.title, Description: p.about, GridPos: grid{W: or(p.width, 8), H: or(p.height, 7)},
		Datasource: &source, FieldConfig: object{"defaults": p.field(kind), "overrides": []any{}}, Options: options(kind)}
	for i, q := range p.queries {
		g.Targets = append(g.Targets, target{RefID: string(rune('A' + i)), Datasource: source, EditorMode: "code", Expr: q.expr,
			LegendFormat: or(q.legend, "__auto"), Instant: kind != "timeseries", Range: kind == "timeseries"})
	}
	return g
}

// field is how values are shown.
func (p panel) field(kind string) object {
	steps := []object{{"color": "green", "value": nil}}
	if p.below {
		steps = []object{{"color": "red", "value": nil}, {"color": "orange", "value": *p.bad}, {"color": "green", "value": *p.warn}}
	} else if p.warn != nil {
		steps = append(steps, object{"color": "orange", "value": *p.warn}, object{"color": "red", "value": *p.bad})
	}
	f := object{"unit": or(p.unit, "short"), "thresholds": object{"mode": "absolute", "steps": steps}, "mappings": p.mappings(),
		"color": object{"mode": "thresholds"}}
	if p.max != nil {
		f["min"], f["max"] = 0, *p.max
	}
	if kind == "timeseries" {
		f["color"] = object{"mode": "palette-classic"}
		custom := object{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": false,
			"stacking": object{"mode": "none", "group": "A"}, "thresholdsStyle": object{"mode": "off"}}
		if p.stack {
			custom["stacking"], custom["fillOpacity"] = object{"mode": "normal", "group": "A"}, 30
		}
		if p.warn != nil {
			custom["thresholdsStyle"] = object{"mode": "dashed"}
		}
		f["custom"] = custom
		f["min"] = 0
	}
	return f
}

func (p panel) mappings() []object {
	if len(p.states) == 0 {
		return []object{}
	}
	values := object{}
	for v, s := range p.states {
		n, _ := strconv.Atoi(v)
		values[v] = object{"index": n, "text": s.text, "color": s.colour}
	}
	return []object{{"type": "value", "options": values}}
}

// options are those of a type of panel.
func options(kind string) object {
	last := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch kind {
	case "stat":
		return object{"reduceOptions": last, "colorMode": "background", "graphMode": "none", "textMode": "auto", "justifyMode": "center", "orientation": "auto"}
	case "bargauge":
		return object{"reduceOptions": last, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true, "valueMode": "color"}
	case "alertlist":
		return object{"viewMode": "list", "groupMode": "default", "groupBy": []string{}, "maxItems": 20, "sortOrder": 3, "dashboardAlerts": false,
			"alertName": "", "alertInstanceLabelFilter": "", "datasource": "Prometheus", "folder": nil,
			"stateFilter": object{"firing": true, "pending": true, "noData": false, "normal": false, "error": true}}
	}
	return object{"legend": object{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}}, "tooltip": object{"mode": "multi", "sort": "desc"}}
}

// or returns the first of two values that is not zero.
func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
