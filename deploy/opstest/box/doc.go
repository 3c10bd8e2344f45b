// Package box runs a program as a container would have it, with nothing but what the
// kernel has: namespaces of its own for mounts, processes, network, host name and IPC; a
// root that is the machine's own, written to by nobody else; binds, a user, capabilities
// and limits.
//
// A Host is a machine of the test's own around them: another set of namespaces, whose
// first process is the test. When that process ends, however, the kernel ends every other
// one in it and takes mounts, bridges and the folder of all that was written with it,
// which is a tmpfs: there is nothing left that anybody would have to clean up.
//
// Needs root with CAP_SYS_ADMIN and CAP_NET_ADMIN, overlayfs, bridges and veth pairs.
//
// # Imports
//
// The standard library, golang.org/x/sys/unix for mounts and name spaces, and
// golang.org/x/net/dns/dnsmessage for names.
package box
