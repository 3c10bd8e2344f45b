// Package compose carries a Compose file out with real programs in boxes: what the file
// says of services, commands, environment, mounts, networks, ports, users, capabilities,
// health checks and start order is what runs. The file is read by Compose's own loader.
//
// Two things are not as in Docker. The programs of images that are pulled are the
// machine's own (Debian's packages), in whose image each finds what it finds in the
// official one: its name, user, folders and entry point (see images.go). And limits of
// memory, CPU and processes are not applied: that needs control groups, which a test has
// no claim to.
//
// An Engine answers the commands docker and docker-compose, which are this same program
// under another name and reach it through a socket (Serve, Client).
//
// # Imports
//
// The standard library, github.com/compose-spec/compose-go/v2, qcat/deploy/opstest/box.
package compose
