package compose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"qcat/deploy/opstest/box"
)

// Socket is where an engine is asked.
const Socket = box.Store + "/engine.sock"

// request is a command line of docker or docker-compose.
type request struct {
	Args []string
	Dir  string
	Env  []string
}

// reply has either what a command printed and its exit code, or a command to run instead.
type reply struct {
	Out, Err string
	Exit     int
	Exec     []string
}

// Serve answers Client until the listener is closed.
func (e *Engine) Serve() error {
	l, err := net.Listen("unix", Socket)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go e.serve(conn)
		}
	}()
	return nil
}

func (e *Engine) serve(conn net.Conn) {
	defer conn.Close()
	var r request
	if json.NewDecoder(conn).Decode(&r) != nil {
		return
	}
	var out, fault strings.Builder
	answer := reply{}
	run, err := e.run(r, &out, &fault)
	if err != nil {
		fmt.Fprintln(&fault, err)
		answer.Exit = 1
	}
	answer.Out, answer.Err, answer.Exec = out.String(), fault.String(), run
	_ = json.NewEncoder(conn).Encode(answer)
}

// Client is docker or docker-compose, by the program's name, and does not return; under
// any other name it returns at once.
func Client() {
	name := filepath.Base(os.Args[0])
	args := os.Args[1:]
	switch name {
	case "docker":
	case "docker-compose":
		args = append([]string{"compose"}, args...)
	default:
		return
	}
	answer, err := ask(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	_, _ = io.WriteString(os.Stdout, answer.Out)
	_, _ = io.WriteString(os.Stderr, answer.Err)
	if len(answer.Exec) > 0 {
		err := syscall.Exec("/usr/bin/"+answer.Exec[0], answer.Exec, os.Environ())
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(126)
	}
	os.Exit(answer.Exit)
}

func ask(args []string) (reply, error) {
	var answer reply
	dir, err := os.Getwd()
	if err != nil {
		return answer, err
	}
	conn, err := net.Dial("unix", Socket)
	if err != nil {
		return answer, err
	}
	defer conn.Close()
	if err := json.NewEncoder(conn).Encode(request{args, dir, os.Environ()}); err != nil {
		return answer, err
	}
	return answer, json.NewDecoder(conn).Decode(&answer)
}

// run carries a command line out, or says which command is to be run instead.
func (e *Engine) run(r request, out, fault io.Writer) ([]string, error) {
	if len(r.Args) == 0 {
		return nil, errors.New("usage: docker COMMAND")
	}
	switch r.Args[0] {
	case "compose":
		return e.compose(r, out, fault)
	case "exec":
		return e.exec(r.Args[1:])
	case "logs":
		return e.logs(r.Args[1:])
	}
	e.command.Lock()
	defer e.command.Unlock()
	switch r.Args[0] {
	case "ps":
		e.ps("", out)
		return nil, nil
	case "stop", "start", "restart":
		for _, name := range r.Args[1:] {
			c, err := e.byName(name)
			if err != nil {
				return nil, err
			}
			if r.Args[0] != "start" {
				e.stop(c)
			}
			if r.Args[0] != "stop" && !c.running() {
				if err := e.start(c); err != nil {
					return nil, err
				}
			}
			fmt.Fprintln(out, name)
		}
		return nil, nil
	}
	return nil, fmt.Errorf("docker %s is not known here", r.Args[0])
}

// load reads the project as docker-compose does: variables of the shell before those of
// .env, in the folder of the shell and in that of the file.
func load(files []string, r request) (*types.Project, error) {
	for i, f := range files {
		if !filepath.IsAbs(f) {
			files[i] = filepath.Join(r.Dir, f)
		}
	}
	var envFiles []string
	for _, dir := range []string{filepath.Dir(files[0]), r.Dir} {
		if f := filepath.Join(dir, ".env"); isFile(f) {
			envFiles = append(envFiles, f)
		}
	}
	options, err := cli.NewProjectOptions(files, cli.WithEnv(r.Env), cli.WithEnvFiles(envFiles...), cli.WithDotEnv,
		cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// Settle waits until every container that is checked is healthy.
func (e *Engine) Settle(limit time.Duration) error { return e.settle(limit) }
