// Opstest starts the deployment of deploy/docker-compose.prod.yml without Docker, on a host
// of its own (see box and compose), and runs the operations manual against it, chapter by
// chapter:
//
//	make ops-test
//	bin/opstest [-checkout DIR] [-only 3,4]
//
// The manual's commands run as they are written, with docker and docker-compose in PATH;
// each prints one line, passed or failed. One that cannot work as it is written is shown
// with the reason, and what docs/operations.md has instead runs. What no test of this kind
// can show is said, too. The exit status is 1 where anything failed.
//
// It needs root, and Debian's packages of the programs, which it installs where they are
// missing. Nothing on the machine is touched otherwise, two may run at once, and nothing is
// left however it ends.
//
// # Imports
//
// box and compose, qcat/api/client as a client of the deployment would, and
// github.com/fasthttp/websocket, golang.org/x/sys/unix, go.yaml.in/yaml/v4.
package main
