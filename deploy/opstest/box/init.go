package box

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Main is to be called first of all by a program that uses this package. It returns at
// once, unless the program has been started as the first process of a container.
func Main() {
	if len(os.Args) != 2 || os.Args[1] != initArgument {
		return
	}
	fault := os.NewFile(4, "fault")
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	fmt.Fprintln(fault, becomeBox())
	os.Exit(125) // as docker run has it where the container could not be made
}

// becomeBox turns this process, alone in its namespaces, into the program of a container.
// It returns only with an error.
func becomeBox() error {
	var s Spec
	if err := json.NewDecoder(os.NewFile(3, "orders")).Decode(&s); err != nil {
		return fmt.Errorf("nothing to do: %w", err)
	}
	for _, step := range []func(Spec) error{names, root, mounts, writeFiles, enter, limits} {
		if err := step(s); err != nil {
			return err
		}
	}
	who, err := lookUp("/", s.User)
	if err != nil {
		return err
	}
	env := s.Env
	if !hasKey(env, "HOME") {
		env = append(slices.Clone(env), "HOME="+who.home)
	}
	for _, e := range env { // what is looked for is looked for in the container's PATH
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			if err := os.Setenv("PATH", path); err != nil {
				return err
			}
		}
	}
	if _, err := exec.LookPath(s.Argv[0]); err != nil {
		return err
	}
	if err := os.Chdir(orRoot(s.Dir)); err != nil {
		return err
	}
	argv := append(who.setpriv(s), s.Argv...)
	return fmt.Errorf("setpriv: %w", syscall.Exec("/usr/bin/setpriv", argv, env))
}

func names(s Spec) error {
	for key, value := range s.Sysctls {
		path := "/proc/sys/" + strings.ReplaceAll(key, ".", "/")
		if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
			return err
		}
	}
	return unix.Sethostname([]byte(s.Hostname))
}

// root makes the overlay, on which everything else is mounted.
func root(s Spec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts of its own: %w", err)
	}
	return overlay(s.Layer)
}

// overlay mounts a layer at its Merged.
func overlay(l Layer) error {
	options := "lowerdir=" + l.Lower + ",upperdir=" + l.Upper + ",workdir=" + l.Work
	if err := unix.Mount("overlay", l.Merged, "overlay", 0, options); err != nil {
		return fmt.Errorf("overlay of %s: %w", l.Lower, err)
	}
	return nil
}

// devices are those of every container.
var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// mounts makes the kernel's file systems and the binds below the new root.
func mounts(s Spec) error {
	at := func(p string) string { return filepath.Join(s.Layer.Merged, p) }
	shm := s.ShmSize
	if shm == 0 {
		shm = 64 << 20
	}
	for _, m := range []struct {
		kind, target, options string
		flags                 uintptr
	}{
		{"proc", "/proc", "", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{"sysfs", "/sys", "", unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{"tmpfs", "/dev", "mode=755,size=64k", unix.MS_NOSUID},
		{"tmpfs", "/dev/shm", fmt.Sprintf("mode=1777,size=%d", shm), unix.MS_NOSUID | unix.MS_NODEV},
	} {
		if err := os.MkdirAll(at(m.target), 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, at(m.target), m.kind, m.flags, m.options); err != nil {
			return fmt.Errorf("%s at %s: %w", m.kind, m.target, err)
		}
	}
	for _, d := range devices {
		if err := bind("/dev/"+d, at("/dev/"+d), false); err != nil {
			return err
		}
	}
	for link, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0",
		"stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(target, at("/dev/"+link)); err != nil {
			return err
		}
	}
	for _, m := range s.Mounts {
		if err := mountOne(m, at(m.Target)); err != nil {
			return err
		}
	}
	return nil
}

func mountOne(m Mount, target string) error {
	if m.Source != "" {
		return bind(m.Source, target, m.ReadOnly)
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, m.Options); err != nil {
		return fmt.Errorf("tmpfs at %s: %w", m.Target, err)
	}
	return nil
}

// bind makes the file or folder source visible at target, which it creates.
func bind(source, target string, readOnly bool) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(target), 0o755); err == nil {
		var f *os.File
		if f, err = os.OpenFile(target, os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
			err = f.Close()
		} else if errors.Is(err, os.ErrPermission) || errors.Is(err, unix.ETXTBSY) {
			err = nil // it is there
		}
	}
	if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	if !readOnly {
		return nil
	}
	return unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

func writeFiles(s Spec) error {
	for name, text := range s.Files {
		path := filepath.Join(s.Layer.Merged, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err // may be a link to what the host has
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// enter makes the overlay the root, and what was there before unreachable.
func enter(s Spec) error {
	if err := os.Chdir(s.Layer.Merged); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("what was there before: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if !s.ReadOnly {
		return nil
	}
	return unix.Mount("", "/", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

var resources = map[string]int{"nofile": unix.RLIMIT_NOFILE, "nproc": unix.RLIMIT_NPROC, "core": unix.RLIMIT_CORE,
	"memlock": unix.RLIMIT_MEMLOCK, "stack": unix.RLIMIT_STACK, "rtprio": unix.RLIMIT_RTPRIO, "nice": unix.RLIMIT_NICE}

// HardLimit is the most that this process may have of a resource, such as
// unix.RLIMIT_NOFILE, where it may not raise it (CAP_SYS_RESOURCE).
func HardLimit(resource int) uint64 {
	var now unix.Rlimit
	if unix.Getrlimit(resource, &now) != nil {
		return 0
	}
	return now.Max
}

// mayRaise says whether this process may have more than its hard limits.
func mayRaise() bool {
	var now unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &now) != nil {
		return false
	}
	raised := unix.Rlimit{Cur: now.Cur, Max: now.Max + 1}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) != nil {
		return false
	}
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &now) == nil
}

// limits sets what a container asks for, or the most that there is.
func limits(s Spec) error {
	for name, l := range s.Limits {
		resource, ok := resources[name]
		if !ok {
			return fmt.Errorf("limit %s is not known here", name)
		}
		if l.Hard > HardLimit(resource) && !mayRaise() {
			l.Hard = HardLimit(resource)
			l.Soft = min(l.Soft, l.Hard)
		}
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: l.Soft, Max: l.Hard}); err != nil {
			return fmt.Errorf("limit %s: %w", name, err)
		}
	}
	return nil
}
