package box

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Network is a bridge of the host with a subnet of its own. Nothing is routed from one to
// another.
type Network struct {
	Name   string
	Subnet netip.Prefix

	bridge string
	mu     sync.Mutex
	next   netip.Addr
}

// LoopbackUp brings a host's own loopback interface up.
func LoopbackUp() error { return ip("link", "set", "lo", "up") }

// NewNetwork makes the bridge of index, whose first address is the host's.
func NewNetwork(name string, index int, subnet netip.Prefix) (*Network, error) {
	n := &Network{Name: name, Subnet: subnet, bridge: "br" + strconv.Itoa(index)}
	gateway := subnet.Masked().Addr().Next()
	n.next = gateway // leases begin well above the addresses that files give away
	for range 98 {
		n.next = n.next.Next()
	}
	if err := ip("link", "add", n.bridge, "type", "bridge"); err != nil {
		return nil, err
	}
	if err := ip("addr", "add", fmt.Sprintf("%s/%d", gateway, subnet.Bits()), "dev", n.bridge); err != nil {
		return nil, err
	}
	return n, ip("link", "set", n.bridge, "up")
}

// Gateway is the host's own address.
func (n *Network) Gateway() netip.Addr { return n.Subnet.Masked().Addr().Next() }

// Lease is an address that nobody had before.
func (n *Network) Lease() netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next = n.next.Next()
	return n.next
}

var links struct {
	sync.Mutex
	n int
}

// Attach connects the network namespace of a process by interface eth<index>.
func (n *Network) Attach(pid, index int, addr netip.Addr) error {
	links.Lock()
	links.n++
	ours, theirs := fmt.Sprintf("v%d", links.n), fmt.Sprintf("w%d", links.n)
	links.Unlock()
	if err := ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", strconv.Itoa(pid)); err != nil {
		return err
	}
	if err := ip("link", "set", ours, "master", n.bridge, "up"); err != nil {
		return err
	}
	eth := "eth" + strconv.Itoa(index)
	// As Docker has it, an address goes with one hardware address, so that neighbours need
	// not learn anew when a container is started again.
	four := addr.As4()
	mac := fmt.Sprintf("02:42:%02x:%02x:%02x:%02x", four[0], four[1], four[2], four[3])
	script := fmt.Sprintf("link set %s address "+mac+" name %s\naddr add %s/%d dev %s\nlink set %s up\nlink set lo up\n",
		theirs, eth, addr, n.Subnet.Bits(), eth, eth)
	if index == 0 {
		script += "route add default via " + n.Gateway().String() + "\n"
	}
	cmd := exec.Command("nsenter", "--target="+strconv.Itoa(pid), "--net", "ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("network %s: %w: %s", n.Name, err, out)
	}
	return nil
}

func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// listenUDPIn binds a socket in the network namespace of a process. The socket stays there
// while this process, which serves it, does not.
func listenUDPIn(pid int, addr string) (net.PacketConn, error) {
	type result struct {
		conn net.PacketConn
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		conn, err := func() (net.PacketConn, error) {
			ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
			if err != nil {
				return nil, err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, err
			}
			return net.ListenPacket("udp4", addr)
		}()
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

// Remove takes the bridge away, once nobody is connected to it.
func (n *Network) Remove() { _ = ip("link", "del", n.bridge) }
