package box

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Resolver is the address at which a container asks for names, as in Docker.
const Resolver = "127.0.0.11"

// ServeNames answers a container's questions for names until it has ended: find says the
// addresses of one. A name that it does not know does not exist: there is no network
// beyond the host.
func ServeNames(pid int, find func(name string) []netip.Addr, ended <-chan struct{}) error {
	conn, err := listenUDPIn(pid, Resolver+":53")
	if err != nil {
		return fmt.Errorf("names: %w", err)
	}
	go func() {
		<-ended
		_ = conn.Close()
	}()
	go func() {
		packet := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if reply, err := answer(packet[:n], find); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	return nil
}

// answer is the reply to a packet.
func answer(packet []byte, find func(string) []netip.Addr) ([]byte, error) {
	var p dnsmessage.Parser
	head, err := p.Start(packet)
	if err != nil {
		return nil, err
	}
	q, err := p.Question()
	if err != nil {
		return nil, err
	}
	addrs := find(strings.ToLower(strings.TrimSuffix(q.Name.String(), ".")))
	code := dnsmessage.RCodeSuccess
	if len(addrs) == 0 {
		code = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: head.ID, Response: true, RecursionDesired: head.RecursionDesired,
		RecursionAvailable: true, RCode: code})
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(q); err != nil {
		return nil, err
	}
	if err := b.StartAnswers(); err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if q.Type != dnsmessage.TypeA || !a.Is4() {
			continue
		}
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
		if err := b.AResource(header, dnsmessage.AResource{A: a.As4()}); err != nil {
			return nil, err
		}
	}
	return b.Finish()
}

// Forward takes connections at listen, such as 127.0.0.1:8082, and passes each on to what
// target says at that moment; where it says nothing the connection is reset, as by a port
// of Docker whose container is gone. The listener is the caller's to close.
func Forward(listen string, target func() string) (net.Listener, error) {
	l, err := net.Listen("tcp4", listen)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go pass(conn.(*net.TCPConn), target())
		}
	}()
	return l, nil
}

// pass copies both ways, and each side's end to the other.
func pass(client *net.TCPConn, target string) {
	defer func() { _ = client.Close() }()
	conn, err := net.Dial("tcp4", target)
	if err != nil {
		_ = client.SetLinger(0)
		return
	}
	server := conn.(*net.TCPConn)
	defer func() { _ = server.Close() }()
	back := make(chan struct{})
	go func() {
		_, _ = client.ReadFrom(server)
		_ = client.CloseWrite()
		close(back)
	}()
	_, _ = server.ReadFrom(client)
	_ = server.CloseWrite()
	<-back
}
