// Package check holds what is deployed against those who will read it: the Compose
// specification, Docker's own parser of Dockerfiles, nginx, systemd, logrotate, Prometheus's
// parser and promtool, a real Alertmanager; and against one another: that what is mounted is
// there, that a variable which is used is in env.example, that rules and dashboards ask only for
// metrics which docs/metrics.md or an exporter has. Its command dashboards writes those of Grafana.
//
// It is a module of its own, so that the product depends on none of this. A program that is not
// installed is not asked, unless QCAT_REQUIRE_SERVICES is set; nothing here starts a container.
//
// # Imports
//
// Nothing of ours: the files alone are looked at.
package check
