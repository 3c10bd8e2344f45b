package compose

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"qcat/deploy/opstest/box"
)

// Engine keeps containers, networks and images. Its commands (up, stop, …) run one at a
// time, each in the goroutine of who asks; a container is started by them and by the
// goroutine that watches it; mu guards what is read beside them.
type Engine struct {
	command sync.Mutex

	mu         sync.Mutex
	containers map[string]*container // by name
	networks   map[string]*box.Network
	built      map[string]image // by reference
	builds     int
	subnets    int
}

// NewEngine is an engine of this host, which has nothing yet.
func NewEngine() *Engine {
	return &Engine{containers: map[string]*container{}, networks: map[string]*box.Network{}, built: map[string]image{}}
}

// container is one from its creation to its removal, over starts and stops.
type container struct {
	name    string
	service types.ServiceConfig
	project string
	sum     string // of what it was made from
	spec    box.Spec
	links   []link
	log     string

	change sync.Mutex // held by who starts it, or decides that it stops

	run atomic.Pointer[box.Box] // nil before the first start

	// Guarded by Engine.mu.
	listeners []net.Listener
	halted    bool // by a command: no policy restarts it
	health    string
	missing   string // why it cannot run here
}

// link is a container's place in a network.
type link struct {
	network *box.Network
	addr    netip.Addr
	aliases []string
}

// create makes a container, without starting it.
func (e *Engine) create(p *types.Project, s types.ServiceConfig) (*container, error) {
	c := &container{name: containerName(p, s), service: s, project: p.Name, health: "starting"}
	if why, gone := notToBeHad[repository(s.Image)]; gone && s.Build == nil {
		c.missing = why
		return c, nil
	}
	im, err := e.imageOf(p, s)
	if err != nil {
		return nil, err
	}
	c.sum = sumOf(s, im)
	if c.spec, err = specOf(p, s, im); err != nil {
		return nil, err
	}
	if c.spec.Layer, err = box.NewLayer(c.name); err != nil {
		return nil, err
	}
	if err := im.unpack(c.spec.Layer.Upper); err != nil {
		return nil, err
	}
	if s.NetworkMode == "" {
		if c.links, err = e.linksOf(p, s); err != nil {
			return nil, err
		}
	}
	for _, l := range c.links {
		c.spec.Files["/etc/hosts"] += l.addr.String() + " " + c.spec.Hostname + "\n"
	}
	c.log = filepath.Join(box.Store, "logs", c.name)
	return c, errors.Join(os.MkdirAll(filepath.Dir(c.log), 0o755), writeFile(c.log, "", 0o644))
}

// sumOf changes when a container must be made anew.
func sumOf(s types.ServiceConfig, im image) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // it came from a file
	}
	sum := sha256.Sum256(append(text, im.id...))
	return hex.EncodeToString(sum[:8])
}

func (e *Engine) linksOf(p *types.Project, s types.ServiceConfig) ([]link, error) {
	var links []link
	for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
		n, err := e.network(p, name)
		if err != nil {
			return nil, err
		}
		addr, err := addressOf(s.Networks[name], n)
		if err != nil {
			return nil, err
		}
		l := link{network: n, addr: addr, aliases: []string{s.Name, containerName(p, s)}}
		if of := s.Networks[name]; of != nil {
			l.aliases = append(l.aliases, of.Aliases...)
		}
		links = append(links, l)
	}
	return links, nil
}

// network is made at its first use.
func (e *Engine) network(p *types.Project, name string) (*box.Network, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	full := p.Networks[name].Name
	if n := e.networks[full]; n != nil {
		return n, nil
	}
	e.subnets++
	subnet := netip.MustParsePrefix(fmt.Sprintf("172.%d.0.0/16", 17+e.subnets))
	if pools := p.Networks[name].Ipam.Config; len(pools) > 0 && pools[0].Subnet != "" {
		var err error
		if subnet, err = netip.ParsePrefix(pools[0].Subnet); err != nil {
			return nil, err
		}
	}
	n, err := box.NewNetwork(full, e.subnets, subnet)
	if err != nil {
		return nil, err
	}
	e.networks[full] = n
	return n, nil
}

// start runs a container that does not run.
func (e *Engine) start(c *container) error {
	c.change.Lock()
	defer c.change.Unlock()
	return e.startLocked(c)
}

// startLocked is start for who holds c.change.
func (e *Engine) startLocked(c *container) error {
	if c.missing != "" || c.running() {
		return nil
	}
	out, err := os.OpenFile(c.log, os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	ended := make(chan struct{})
	b, err := box.Start(c.spec, out, func(pid int) error {
		for i, l := range c.links {
			if err := l.network.Attach(pid, i, l.addr); err != nil {
				return err
			}
		}
		if len(c.links) == 0 {
			return nil
		}
		return box.ServeNames(pid, c.findName(e), ended)
	})
	if err != nil {
		close(ended)
		return err
	}
	go func() {
		<-b.Done()
		close(ended)
	}()
	e.mu.Lock()
	defer e.mu.Unlock()
	c.run.Store(b)
	c.halted, c.health = false, "starting"
	if err := c.publish(); err != nil {
		return err
	}
	go e.watch(c, b)
	if h := c.service.HealthCheck; h != nil && !h.Disable && len(h.Test) > 0 && h.Test[0] != "NONE" {
		go e.checkHealth(c, b)
	} else {
		c.health = ""
	}
	return nil
}

// publish listens at the host's ports. The caller holds mu.
func (c *container) publish() error {
	if len(c.links) == 0 {
		return nil
	}
	for _, p := range c.service.Ports {
		listen := net.JoinHostPort(orElse(p.HostIP, "0.0.0.0"), p.Published)
		target := net.JoinHostPort(c.links[0].addr.String(), fmt.Sprint(p.Target))
		l, err := box.Forward(listen, func() string { return target })
		if err != nil {
			return err
		}
		c.listeners = append(c.listeners, l)
	}
	return nil
}

// watch restarts a container that ends by itself, where its policy says so.
func (e *Engine) watch(c *container, b *box.Box) {
	<-b.Done()
	e.mu.Lock()
	for _, l := range c.listeners {
		l.Close()
	}
	c.listeners = nil
	again := !c.halted && e.containers[c.name] == c && (c.service.Restart == "always" ||
		c.service.Restart == "unless-stopped" || c.service.Restart == "on-failure" && b.Exit() != 0)
	e.mu.Unlock()
	if !again {
		return
	}
	time.Sleep(500 * time.Millisecond) // as Docker waits, so that a container that cannot start takes little
	c.change.Lock()
	defer c.change.Unlock()
	e.mu.Lock()
	still := !c.halted && e.containers[c.name] == c && c.run.Load() == b
	e.mu.Unlock()
	if still {
		if err := e.startLocked(c); err != nil {
			fmt.Fprintln(os.Stderr, "restart:", err)
		}
	}
}

// stop ends a container that runs.
func (e *Engine) stop(c *container) {
	c.change.Lock()
	e.mu.Lock()
	c.halted = true
	b := c.run.Load()
	e.mu.Unlock()
	c.change.Unlock()
	if b == nil {
		return
	}
	b.Stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range c.listeners {
		l.Close()
	}
	c.listeners = nil
}

// running says whether the container's program runs.
func (c *container) running() bool {
	b := c.run.Load()
	if b == nil {
		return false
	}
	select {
	case <-b.Done():
		return false
	default:
		return true
	}
}

// findName answers a container's questions for names: services and containers of the
// networks that it is in, while they run.
func (c *container) findName(e *Engine) func(string) []netip.Addr {
	return func(name string) []netip.Addr {
		e.mu.Lock()
		defer e.mu.Unlock()
		var found []netip.Addr
		for _, other := range e.containers {
			if !other.running() {
				continue
			}
			for _, theirs := range other.links {
				if slices.Contains(theirs.aliases, name) && slices.ContainsFunc(c.links, func(ours link) bool {
					return ours.network == theirs.network
				}) {
					found = append(found, theirs.addr)
				}
			}
		}
		return found
	}
}

// state is as docker ps shows it.
func (e *Engine) state(c *container) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case c.missing != "":
		return "not run here: " + c.missing
	case c.run.Load() == nil:
		return "created"
	case !c.running():
		return fmt.Sprintf("exited (%d)", c.run.Load().Exit())
	case c.health != "":
		return "running (" + c.health + ")"
	}
	return "running"
}
