package box

import "time"

// Spec is a container: what runs in it, as whom, and what it sees. It is handed to the
// first process of the container as JSON.
type Spec struct {
	Name     string
	Hostname string

	Argv []string // what runs as process 1
	Env  []string // KEY=VALUE; nothing is inherited
	Dir  string   // where it starts; / where empty
	User string   // USER[:GROUP], names or numbers; root where empty

	Layer  Layer             // its root
	Mounts []Mount           // in the order in which they are made
	Files  map[string]string // what Docker itself writes, such as /etc/resolv.conf

	ReadOnly        bool // the root, not the mounts
	NoNewPrivileges bool
	CapAdd, CapDrop []string
	Limits          map[string]Limit // by the name that Compose uses, such as nofile
	Sysctls         map[string]string
	ShmSize         int64 // of /dev/shm in bytes; 64 MiB where 0

	StopSignal string        // SIGTERM where empty
	Grace      time.Duration // from the signal until it is killed
}

// Layer is an overlay: Lower is read, Upper is written.
type Layer struct{ Lower, Upper, Work, Merged string }

// Mount is a bind of Source, or a tmpfs where there is none.
type Mount struct {
	Source, Target string
	ReadOnly       bool
	Options        string // of a tmpfs, such as size=64m,mode=1777
}

// Limit is a resource limit.
type Limit struct{ Soft, Hard uint64 }
