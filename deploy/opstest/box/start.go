package box

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// initArgument is how a program that uses this package is started as the first process
// of a container or of a host; Main looks for it.
const initArgument = "box-init"

// Box is a container that runs.
type Box struct {
	Spec Spec
	Pid  int // of its first process, as the host sees it

	done chan struct{}
	exit int
}

// Start makes a container's namespaces, lets wire connect them to networks, then starts
// its program, whose output goes to out. It returns once the program has been handed over
// to, or with what hindered that.
func Start(spec Spec, out io.Writer, wire func(pid int) error) (*Box, error) {
	orders, give, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer orders.Close()
	defer give.Close()
	hear, fault, err := os.Pipe() // closed by the exec of the program
	if err != nil {
		return nil, err
	}
	defer hear.Close()

	cmd := exec.Command("/proc/self/exe", initArgument)
	cmd.Args[0] = "box " + spec.Name
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = []*os.File{orders, fault}
	cmd.Env = []string{}
	cmd.WaitDelay = time.Second // of what outlives it in other namespaces: nothing does
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWNS |
		syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC}
	if err := cmd.Start(); err != nil {
		fault.Close()
		return nil, fmt.Errorf("box %s: namespaces: %w", spec.Name, err)
	}
	fault.Close()

	b := &Box{Spec: spec, Pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		b.exit = exitCode(cmd.ProcessState)
		close(b.done)
	}()
	if err := b.begin(spec, give, hear, wire); err != nil {
		b.kill(syscall.SIGKILL)
		<-b.done
		return nil, fmt.Errorf("box %s: %w", spec.Name, err)
	}
	return b, nil
}

// begin connects the networks, hands the specification over and waits for the exec.
func (b *Box) begin(spec Spec, give io.WriteCloser, hear io.Reader, wire func(int) error) error {
	if err := wire(b.Pid); err != nil {
		return err
	}
	if err := json.NewEncoder(give).Encode(spec); err != nil {
		return err
	}
	if err := give.Close(); err != nil {
		return err
	}
	said, err := io.ReadAll(hear)
	if err != nil {
		return err
	}
	if said = bytes.TrimSpace(said); len(said) > 0 {
		return fmt.Errorf("%s", said)
	}
	return nil
}

// exitCode is as a shell has it: 128 and the signal where one ended the process.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() { //nolint:misspell // its name
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// Done is closed when the program has ended.
func (b *Box) Done() <-chan struct{} { return b.done }

// Exit is the program's exit code; valid after Done.
func (b *Box) Exit() int { return b.exit }

// Stop asks the program to end, and kills it after its grace.
func (b *Box) Stop() {
	sig := signals[strings.TrimPrefix(b.Spec.StopSignal, "SIG")]
	if sig == 0 {
		sig = syscall.SIGTERM
	}
	b.kill(sig)
	grace := time.NewTimer(b.Spec.Grace)
	defer grace.Stop()
	select {
	case <-b.done:
	case <-grace.C:
		b.kill(syscall.SIGKILL)
		<-b.done
	}
}

var signals = map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT,
	"QUIT": syscall.SIGQUIT, "KILL": syscall.SIGKILL, "HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1}

// kill sends a signal, unless the process has been waited for.
func (b *Box) kill(sig syscall.Signal) {
	select {
	case <-b.done:
	default:
		_ = syscall.Kill(b.Pid, sig)
	}
}

// ExecArgv is the command that runs another program in the container, as docker exec
// does: with the container's environment, folder and capabilities, and as user, the
// container's own where that is empty.
func (b *Box) ExecArgv(argv, env []string, dir, user string) ([]string, error) {
	if user == "" {
		user = b.Spec.User
	}
	who, err := lookUp(fmt.Sprintf("/proc/%d/root", b.Pid), user)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		dir = b.Spec.Dir
	}
	enter := []string{"nsenter", fmt.Sprintf("--target=%d", b.Pid), "--mount", "--uts", "--ipc", "--net", "--pid",
		"--wdns=" + orRoot(dir), "--", "env", "-i"}
	enter = append(enter, b.Spec.Env...)
	enter = append(enter, env...)
	if !hasKey(b.Spec.Env, "HOME") {
		enter = append(enter, "HOME="+who.home)
	}
	enter = append(enter, who.setpriv(b.Spec)...)
	return append(enter, argv...), nil
}

func hasKey(env []string, key string) bool {
	for _, e := range env {
		if strings.HasPrefix(e, key+"=") {
			return true
		}
	}
	return false
}

func orRoot(dir string) string {
	if dir == "" {
		return "/"
	}
	return dir
}
