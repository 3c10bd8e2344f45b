package compose

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// inOrder are the services of a project, each after those that it depends on.
func inOrder(p *types.Project) []string {
	var order []string
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		s, known := p.Services[name]
		if seen[name] || !known {
			return
		}
		seen[name] = true
		for _, on := range slices.Sorted(maps.Keys(s.DependsOn)) {
			visit(on)
		}
		order = append(order, name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		visit(name)
	}
	return order
}

// wanted are the services that a command names, in order; all where it names none. With
// those that they depend on where deps is set.
func wanted(p *types.Project, named []string, deps bool) ([]string, error) {
	if len(named) == 0 {
		return inOrder(p), nil
	}
	take := map[string]bool{}
	var add func(string)
	add = func(name string) {
		take[name] = true
		if deps {
			for on := range p.Services[name].DependsOn {
				add(on)
			}
		}
	}
	for _, name := range named {
		if _, ok := p.Services[name]; !ok {
			return nil, fmt.Errorf("no such service: %s", name)
		}
		add(name)
	}
	return slices.DeleteFunc(inOrder(p), func(name string) bool { return !take[name] }), nil
}

// up creates what is not there or has changed, and starts what does not run.
func (e *Engine) up(p *types.Project, named []string, noDeps, anew bool, out io.Writer) error {
	names, err := wanted(p, named, !noDeps)
	if err != nil {
		return err
	}
	for _, name := range names {
		s := p.Services[name]
		if !noDeps {
			for on, how := range s.DependsOn {
				if err := e.await(on, e.byService(p.Name, on), how.Condition); err != nil {
					return fmt.Errorf("service %s: %w", name, err)
				}
			}
		}
		if err := e.upOne(p, s, anew, out); err != nil {
			return fmt.Errorf("service %s: %w", name, err)
		}
	}
	return nil
}

func (e *Engine) upOne(p *types.Project, s types.ServiceConfig, anew bool, out io.Writer) error {
	old := e.byService(p.Name, s.Name)
	if old != nil && old.missing == "" {
		im, err := e.imageOf(p, s)
		if err != nil {
			return err
		}
		if !anew && old.sum == sumOf(s, im) {
			if old.running() {
				return nil
			}
			fmt.Fprintf(out, "Container %s  Starting\n", old.name)
			return e.start(old)
		}
		fmt.Fprintf(out, "Container %s  Recreate\n", old.name)
		e.stop(old)
	}
	c, err := e.create(p, s)
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.containers[c.name] = c
	e.mu.Unlock()
	if c.missing != "" {
		fmt.Fprintf(out, "Container %s  not run here: %s\n", c.name, c.missing)
		return nil
	}
	fmt.Fprintf(out, "Container %s  Starting\n", c.name)
	return e.start(c)
}

// byService is the container of a service, or nil.
func (e *Engine) byService(project, name string) *container {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.containers {
		if c.project == project && c.service.Name == name {
			return c
		}
	}
	return nil
}

// byName is a container by its name.
func (e *Engine) byName(name string) (*container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.containers[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("Error response from daemon: No such container: %s", name) //nolint:staticcheck // Docker's words
}

// existing are the containers of services, in order.
func (e *Engine) existing(p *types.Project, named []string) ([]*container, error) {
	names, err := wanted(p, named, false)
	if err != nil {
		return nil, err
	}
	var all []*container
	for _, name := range names {
		if c := e.byService(p.Name, name); c != nil && c.missing == "" {
			all = append(all, c)
		}
	}
	if len(all) == 0 && len(named) > 0 {
		return nil, errors.New("no container found for " + named[0])
	}
	return all, nil
}

func (e *Engine) stopAll(p *types.Project, named []string, out io.Writer) error {
	all, err := e.existing(p, named)
	for _, c := range slices.Backward(all) {
		fmt.Fprintf(out, "Container %s  Stopping\n", c.name)
		e.stop(c)
	}
	return err
}

func (e *Engine) startAll(p *types.Project, named []string, out io.Writer) error {
	all, err := e.existing(p, named)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.running() {
			continue
		}
		if len(named) == 0 {
			for on, how := range c.service.DependsOn {
				if err := e.await(on, e.byService(p.Name, on), how.Condition); err != nil {
					return err
				}
			}
		}
		fmt.Fprintf(out, "Container %s  Starting\n", c.name)
		if err := e.start(c); err != nil {
			return err
		}
	}
	return nil
}

// down removes containers and networks; volumes stay.
func (e *Engine) down(p *types.Project, out io.Writer) error {
	if err := e.stopAll(p, nil, out); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, c := range e.containers {
		if c.project == p.Name {
			delete(e.containers, name)
		}
	}
	for _, n := range p.Networks {
		if of := e.networks[n.Name]; of != nil {
			of.Remove()
			delete(e.networks, n.Name)
		}
	}
	return nil
}

// settle waits until what runs and is checked is healthy: what an operator sees after a while.
func (e *Engine) settle(limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		var waiting []string
		e.mu.Lock()
		for _, c := range e.containers {
			if c.running() && c.health != "" && c.health != "healthy" {
				waiting = append(waiting, c.name+" is "+c.health)
			}
		}
		e.mu.Unlock()
		if len(waiting) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			slices.Sort(waiting)
			return fmt.Errorf("after %s: %v", limit, waiting)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// runOnce runs a service's command, or another, in a container of its own, which is gone
// afterwards. What it depends on is started before, unless --no-deps is said.
func (e *Engine) runOnce(p *types.Project, args []string, out io.Writer) error {
	flags, rest := cut(args)
	if len(rest) == 0 || !slices.Contains(flags, "--rm") {
		return errors.New("docker-compose run needs --rm and a service here")
	}
	name := rest[0]
	s, ok := p.Services[name]
	if !ok {
		return fmt.Errorf("no such service: %s", name)
	}
	if deps := slices.Sorted(maps.Keys(s.DependsOn)); len(deps) > 0 && !slices.Contains(flags, "--no-deps") {
		if err := e.up(p, deps, false, false, out); err != nil {
			return err
		}
	}
	if i := slices.Index(flags, "--entrypoint"); i >= 0 && i+1 < len(flags) {
		s.Entrypoint, s.Command = types.ShellCommand{flags[i+1]}, nil
	}
	if len(rest) > 1 {
		s.Command = rest[1:]
	}
	s.ContainerName, s.Restart, s.Ports = p.Name+"-"+name+"-run", "no", nil
	c, err := e.create(p, s)
	if err != nil {
		return err
	}
	if err := e.start(c); err != nil {
		return err
	}
	b := c.run.Load()
	<-b.Done()
	fmt.Fprint(out, c.lastLines())
	if b.Exit() != 0 {
		return fmt.Errorf("service %s: exit %d", name, b.Exit())
	}
	return nil
}
