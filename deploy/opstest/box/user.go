package box

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// identity is a user of a container.
type identity struct {
	uid, gid int
	home     string
	named    bool // has a line in /etc/passwd, and so may have further groups
}

// lookUp finds USER[:GROUP] in the files below root, as Docker does: a number needs no
// line there.
func lookUp(root, user string) (identity, error) {
	if user == "" {
		user = "0"
	}
	name, group, _ := strings.Cut(user, ":")
	id := identity{home: "/"}
	line, err := entry(filepath.Join(root, "etc/passwd"), name)
	if err != nil {
		return id, err
	}
	switch number, bad := strconv.Atoi(name); {
	case len(line) >= 6:
		id.uid, _ = strconv.Atoi(line[2])
		id.gid, _ = strconv.Atoi(line[3])
		id.home, id.named = line[5], true
	case bad != nil:
		return id, fmt.Errorf("there is no user %s in the container", name)
	default:
		id.uid = number
	}
	if group == "" {
		return id, nil
	}
	id.named = false // a group that is named is the only one
	if number, err := strconv.Atoi(group); err == nil {
		id.gid = number
		return id, nil
	}
	line, err = entry(filepath.Join(root, "etc/group"), group)
	if err != nil {
		return id, err
	}
	if len(line) < 3 {
		return id, fmt.Errorf("there is no group %s in the container", group)
	}
	id.gid, _ = strconv.Atoi(line[2])
	return id, nil
}

// entry is the line of a name or number in a file like /etc/passwd; nil where there is none.
func entry(file, name string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) > 2 && (fields[0] == name || fields[2] == name) {
			return fields, nil
		}
	}
	return nil, nil
}

// usual are the capabilities of a Docker container that asks for nothing.
var usual = []string{"chown", "dac_override", "fsetid", "fowner", "mknod", "net_raw", "setgid", "setuid",
	"setfcap", "setpcap", "net_bind_service", "sys_chroot", "kill", "audit_write"}

// setpriv is the command before a program that makes it who it is to be.
func (id identity) setpriv(s Spec) []string {
	kept := map[string]bool{}
	for _, c := range usual {
		kept[c] = true
	}
	for _, c := range s.CapDrop {
		if c = capability(c); c == "all" {
			clear(kept)
		}
		delete(kept, c)
	}
	for _, c := range s.CapAdd {
		kept[capability(c)] = true
	}
	bounds := "-all"
	for _, c := range append(usual, "sys_nice", "ipc_lock", "sys_resource", "net_admin", "sys_ptrace", "dac_read_search") {
		if kept[c] {
			bounds += ",+" + c
		}
	}
	argv := []string{"setpriv", fmt.Sprintf("--reuid=%d", id.uid), fmt.Sprintf("--regid=%d", id.gid),
		"--inh-caps=-all", "--bounding-set=" + bounds}
	if id.named {
		argv = append(argv, "--init-groups")
	} else {
		argv = append(argv, "--clear-groups")
	}
	if s.NoNewPrivileges {
		argv = append(argv, "--no-new-privs")
	}
	return append(argv, "--")
}

func capability(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ToUpper(name), "CAP_"))
}
