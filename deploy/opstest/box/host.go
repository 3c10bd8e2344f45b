package box

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Where a host keeps things. The first two are there in every host; the machine's own
// root, which nobody in it can write, is the lower layer of every container.
const (
	Store = "/box/store" // a tmpfs: layers, volumes, logs
	Lower = "/box/lower"
)

// hostVariable marks the process that is a host's first; it holds the folder on which
// that builds its root.
const hostVariable = "QCAT_BOX_HOST"

// Inside says whether this process is in a host, where InHost will return at once.
func Inside() bool { return os.Getenv(hostVariable) != "" }

// InHost runs the program again, with the same arguments, in a host of its own, and returns
// its exit code. In the program that has been started so, it makes the root and returns
// inside. The host's first process is one between the two, which only waits for orphans:
// the first process of a container is not gone before all of them are.
//
// shared are folders of the machine that are written to: caches. Nothing else of it is.
func InHost(shared []string) (exit int, inside bool, err error) {
	if base := os.Getenv(hostVariable); base != "" {
		if os.Getpid() == 1 {
			os.Exit(reap())
		}
		if err := becomeHost(base, shared); err != nil {
			return 0, true, fmt.Errorf("host: %w", err)
		}
		return 0, true, nil
	}
	base, err := emptyFolder()
	if err != nil {
		return 0, false, err
	}
	alive, held, err := os.Pipe() // read to its end by the host: then we have ended, however
	if err != nil {
		return 0, false, err
	}
	defer held.Close()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{alive}
	cmd.Env = append(os.Environ(), hostVariable+"="+base)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID |
		syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC}
	if err := cmd.Start(); err != nil {
		return 0, false, fmt.Errorf("this machine lets nobody make namespaces (root with CAP_SYS_ADMIN is needed): %w", err)
	}
	alive.Close()
	_ = cmd.Wait()
	return exitCode(cmd.ProcessState), false, nil
}

// reap runs the program once more, waits for it and for every orphan, and returns its exit
// code. It ends when the process outside has ended, however, and with it everything in the
// namespaces.
func reap() int {
	syscall.CloseOnExec(3)
	go func() {
		_, _ = io.Copy(io.Discard, os.NewFile(3, "alive"))
		os.Exit(1)
	}()
	program, err := syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		return 1
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1
		case pid == program && status.Signaled(): //nolint:misspell // its name
			return 128 + int(status.Signal())
		case pid == program:
			return status.ExitStatus()
		}
	}
}

// emptyFolder is one that a tmpfs may hide in the host's own mounts.
func emptyFolder() (string, error) {
	for _, dir := range []string{"/mnt", "/srv", "/media", "/opt"} {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
			return dir, nil
		}
	}
	return "", errors.New("none of /mnt, /srv, /media and /opt is an empty folder, which the host's own files are mounted on")
}

// becomeHost makes the root of a host and enters it.
func becomeHost(base string, shared []string) error {
	_ = os.Unsetenv(hostVariable)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts of its own: %w", err)
	}
	if err := unix.Mount("tmpfs", base, "tmpfs", unix.MS_NOSUID, "mode=755"); err != nil {
		return err
	}
	layer := Layer{Lower: "/", Upper: base + "/host/upper", Work: base + "/host/work", Merged: base + "/host/root"}
	for _, dir := range []string{layer.Upper, layer.Work, layer.Merged, base + "/store"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := hide(layer.Upper, "/tmp", 0o1777); err != nil {
		return err
	}
	if err := overlay(layer); err != nil {
		return err
	}
	at := func(p string) string { return filepath.Join(layer.Merged, p) }
	for source, target := range map[string]string{"/": Lower, base + "/store": Store, "/dev": "/dev", "/sys": "/sys"} {
		if err := os.MkdirAll(at(target), 0o755); err != nil {
			return err
		}
		flags := uintptr(unix.MS_BIND)
		if target != Lower {
			flags |= unix.MS_REC
		}
		if err := unix.Mount(source, at(target), "", flags, ""); err != nil {
			return fmt.Errorf("bind %s: %w", source, err)
		}
	}
	for _, dir := range shared {
		if err := bind(dir, at(dir), false); err != nil {
			return err
		}
	}
	if err := unix.Mount("proc", at("/proc"), "proc", 0, ""); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("qcat-host")); err != nil {
		return err
	}
	return enter(Spec{Layer: layer})
}

// hide leaves an empty folder in an upper layer, whatever the lower one has there.
func hide(upper, dir string, mode os.FileMode) error {
	path := filepath.Join(upper, dir)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(path, mode&0o777|map[bool]os.FileMode{true: os.ModeSticky}[mode&0o1000 != 0]); err != nil {
		return err
	}
	return unix.Setxattr(path, "trusted.overlay.opaque", []byte("y"), 0)
}

// NewLayer makes the layers of a container of that name: the machine's programs, without
// what is the machine's own.
func NewLayer(name string) (Layer, error) {
	dir := filepath.Join(Store, "layers", name)
	if err := os.RemoveAll(dir); err != nil {
		return Layer{}, err
	}
	l := Layer{Lower: Lower, Upper: dir + "/upper", Work: dir + "/work", Merged: dir + "/root"}
	for _, d := range []string{l.Upper, l.Work, l.Merged} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return Layer{}, err
		}
	}
	for _, private := range []string{"/root", "/home", "/work", "/srv", "/mnt", "/media", "/run", "/app", "/var/lib/postgresql",
		"/var/lib/redis", "/var/lib/prometheus", "/var/log", "/etc/prometheus", "/etc/redis", "/etc/alertmanager", "/etc/ssl/private", "/etc/nginx/conf.d", "/box"} {
		if err := hide(l.Upper, private, 0o755); err != nil {
			return Layer{}, err
		}
	}
	return l, hide(l.Upper, "/tmp", 0o1777)
}
