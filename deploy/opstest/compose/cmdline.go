package compose

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// compose is docker-compose.
func (e *Engine) compose(r request, out, fault io.Writer) ([]string, error) {
	var files []string
	args := r.Args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if args[0] != "-f" && args[0] != "--file" || len(args) < 2 {
			return nil, fmt.Errorf("docker-compose %s is not known here", args[0])
		}
		files = append(files, args[1])
		args = args[2:]
	}
	if len(args) == 0 || len(files) == 0 {
		return nil, errors.New("usage: docker-compose -f FILE COMMAND")
	}
	p, err := load(files, r)
	if err != nil {
		return nil, err
	}
	var flags, named []string
	if args[0] != "exec" && args[0] != "run" {
		for _, a := range args[1:] {
			if strings.HasPrefix(a, "-") {
				flags = append(flags, a)
			} else {
				named = append(named, a)
			}
		}
	}
	flag := func(names ...string) bool {
		return slices.ContainsFunc(flags, func(f string) bool { return slices.Contains(names, f) })
	}
	switch args[0] {
	case "exec":
		flags, rest := cut(args[1:])
		if len(rest) == 0 {
			return nil, errors.New("usage: docker-compose exec SERVICE COMMAND")
		}
		c := e.byService(p.Name, rest[0])
		if c == nil {
			return nil, fmt.Errorf("service %q is not running", rest[0])
		}
		return e.exec(slices.Concat(flags, []string{c.name}, rest[1:]))
	case "logs":
		if len(named) != 1 {
			return nil, errors.New("docker-compose logs needs one service here")
		}
		c := e.byService(p.Name, named[0])
		if c == nil {
			return nil, fmt.Errorf("no such service: %s", named[0])
		}
		return e.logs(append(flags, c.name))
	}
	e.command.Lock()
	defer e.command.Unlock()
	switch args[0] {
	case "config":
		return nil, nil // it has been loaded
	case "ps":
		e.ps(p.Name, out)
		return nil, nil
	case "build":
		return nil, e.buildAll(p, named, out)
	case "up":
		if !flag("-d", "--detach") {
			return nil, errors.New("docker-compose up needs -d here")
		}
		if flag("--build") {
			if err := e.buildAll(p, named, out); err != nil {
				return nil, err
			}
		}
		return nil, e.up(p, named, flag("--no-deps"), flag("--force-recreate"), fault)
	case "stop":
		return nil, e.stopAll(p, named, fault)
	case "start":
		return nil, e.startAll(p, named, fault)
	case "restart":
		if err := e.stopAll(p, named, fault); err != nil {
			return nil, err
		}
		return nil, e.startAll(p, named, fault)
	case "run":
		return nil, e.runOnce(p, args[1:], out)
	case "down":
		if flag("-v", "--volumes") {
			return nil, errors.New("docker-compose down -v is not known here")
		}
		return nil, e.down(p, fault)
	}
	return nil, fmt.Errorf("docker-compose %s is not known here", args[0])
}

// cut parts leading flags, of which those that take a value have it behind them, from the rest.
func cut(args []string) (flags, rest []string) {
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			return args[:i], args[i:]
		}
		if slices.Contains([]string{"-u", "--user", "-e", "--env", "-w", "--workdir", "--entrypoint"}, args[i]) {
			i++
		}
	}
	return args, nil
}

// exec is docker exec.
func (e *Engine) exec(args []string) ([]string, error) {
	flags, rest := cut(args)
	if len(rest) < 2 {
		return nil, errors.New("usage: docker exec [FLAGS] CONTAINER COMMAND")
	}
	c, err := e.byName(rest[0])
	if err != nil {
		return nil, err
	}
	if !c.running() {
		return nil, fmt.Errorf("Error response from daemon: container %s is not running", c.name) //nolint:staticcheck // Docker's words
	}
	var user, dir string
	var env []string
	for i := 0; i < len(flags); i++ {
		switch flags[i] {
		case "-i", "-t", "-it", "-ti", "-T", "--interactive", "--tty":
		case "-u", "--user":
			i++
			user = flags[i]
		case "-e", "--env":
			i++
			env = append(env, flags[i])
		case "-w", "--workdir":
			i++
			dir = flags[i]
		default:
			return nil, fmt.Errorf("docker exec %s is not known here", flags[i])
		}
	}
	return c.run.Load().ExecArgv(rest[1:], env, dir, user)
}

// logs is docker logs.
func (e *Engine) logs(args []string) ([]string, error) {
	tail := []string{"tail", "-n", "+1"}
	var name string
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-f", "--follow":
			tail = append(tail, "-f")
		case "--tail", "-n":
			i++
			tail[2] = args[i]
		default:
			name = args[i]
		}
	}
	c, err := e.byName(name)
	if err != nil {
		return nil, err
	}
	if c.missing != "" {
		return nil, fmt.Errorf("container %s is not run here: %s", name, c.missing)
	}
	return append(tail, c.log), nil
}

// ps prints containers; those of one project where it is named.
func (e *Engine) ps(project string, out io.Writer) {
	fmt.Fprintf(out, "%-26s %-18s %s\n", "NAME", "SERVICE", "STATUS")
	e.mu.Lock()
	all := maps.Clone(e.containers)
	e.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if c := all[name]; project == "" || c.project == project {
			fmt.Fprintf(out, "%-26s %-18s %s\n", name, c.service.Name, e.state(c))
		}
	}
}
