package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"qcat/api/hub"
	"qcat/bench/process"
)

// maxFollowed is how many channels one connection may follow.
const maxFollowed = 256

// followers says which instruments client c of n follows.
type followers func(c, n, instruments int) []int

// followAll is every instrument, as many as one connection may follow.
func followAll(_, _, instruments int) (list []int) {
	for k := range min(instruments, maxFollowed) {
		list = append(list, k)
	}
	return list
}

// followShare parts the instruments among the clients, so that each tick has one
// reader.
func followShare(c, n, instruments int) (list []int) {
	for k := c; k < instruments; k += n {
		list = append(list, k)
	}
	return list
}

// connectPatience is how long a server may take to ask for all instruments: it may
// send a venue nine requests a second, each of 50 streams.
const connectPatience = 2 * time.Minute

// throughServer starts a venue, a server that follows it, and clients of that; each
// event goes to all of them.
func (t *tickLadder) throughServer(ctx context.Context, set settings, instruments, clients int, who followers, args ...string) (*stream, error) {
	if err := openFiles(clients); err != nil {
		return nil, err
	}
	x, err := newExchange(instruments)
	if err != nil {
		return nil, err
	}
	t.closers = append(t.closers, x.close)
	p, err := startWith(ctx, set.binary, x.config(), args...)
	if err != nil {
		return nil, err
	}
	t.closers = append(t.closers, p.Close)
	if err := x.await(connectPatience); err != nil {
		return nil, err
	}
	c, err := t.crowd(instruments)
	if err != nil {
		return nil, err
	}
	for k := range clients {
		if err := c.follow(p.Addr, k, who(k, clients, instruments)); err != nil {
			return nil, err
		}
	}
	c.start()
	return &stream{sender: x, crowd: c, each: clients, pid: p.Pid(), metrics: p.Addr}, nil
}

// crowd is a crowd that t closes.
func (t *tickLadder) crowd(instruments int) (*crowd, error) {
	c, err := newCrowd(instruments)
	if err != nil {
		return nil, err
	}
	t.closers = append(t.closers, c.close)
	return c, nil
}

// throughRelay starts a bare relay and as many clients of it.
func (t *tickLadder) throughRelay(instruments, clients int) (*stream, error) {
	floor, err := startFloor("relay")
	if err != nil {
		return nil, err
	}
	t.closers = append(t.closers, floor.stop)
	c, err := t.crowd(instruments)
	if err != nil {
		return nil, err
	}
	for k := range clients {
		s, err := dialSock(floor.addr, k)
		if err != nil {
			return nil, err
		}
		if err := s.introduce(relaySink); err != nil {
			return nil, err
		}
		if err := c.join(s, nil); err != nil {
			return nil, err
		}
	}
	source, err := dialSock(floor.addr, clients)
	if err != nil {
		return nil, err
	}
	t.closers = append(t.closers, source.close)
	if err := source.introduce(relaySource); err != nil {
		return nil, err
	}
	c.start()
	return &stream{sender: &relaySide{instruments: instruments, to: source}, crowd: c, each: clients, pid: floor.cmd.Process.Pid}, nil
}

// follow adds client k, which follows these instruments.
func (c *crowd) follow(addr string, k int, instruments []int) error {
	s, err := dialSock(addr, k)
	if err != nil {
		return err
	}
	rest, err := s.upgrade(addr)
	if err == nil && len(instruments) > 0 {
		rest, err = s.subscribe("subscribe", instruments, rest, nil)
	}
	if err == nil {
		err = c.join(s, rest)
	}
	if err != nil {
		s.close()
		return fmt.Errorf("client %d: %w", k, err)
	}
	return nil
}

// subscribe sends one request for trades and reads up to its answer; other, which may
// be nil, is given the frames before it. It returns what was read behind it.
func (s sock) subscribe(op string, instruments []int, rest []byte, other func(payload []byte)) ([]byte, error) {
	request := fmt.Appendf(nil, `{"op":%q,"id":0,"channels":[`, op)
	for i, k := range instruments {
		if i > 0 {
			request = append(request, ',')
		}
		request = append(request, `"trade:binance-usdm:`...)
		request = append(appendSymbol(request, 'S', k, "USDT"), '"')
	}
	request = append(request, "]}"...)
	if err := s.write(appendClientFrame(nil, hub.OpText, request)); err != nil {
		return nil, err
	}
	return s.await(rest, other)
}

// await reads frames up to the answer of a request, and gives the others to other.
func (s sock) await(rest []byte, other func(payload []byte)) ([]byte, error) {
	const good = `{"id":0,"ok":true`
	buf := make([]byte, 64<<10)
	for {
		op, payload, after, ok := cutFrame(rest)
		if !ok {
			n, err := s.read(buf)
			if err != nil {
				return nil, fmt.Errorf("no answer: %w", err)
			}
			rest = append(rest, buf[:n]...)
			continue
		}
		rest = after
		switch {
		case len(payload) >= len(good) && string(payload[:len(good)]) == good:
			return rest, nil
		case op == hub.OpClose || op == hub.OpText && len(payload) > 4 && string(payload[:5]) == `{"id"`:
			return nil, fmt.Errorf("answer: %.200s", payload)
		case op == hub.OpText && other != nil:
			other(payload)
		}
	}
}

// startWith starts the server with a configuration of its own.
func startWith(ctx context.Context, binary, config string, args ...string) (*process.Server, error) {
	dir, err := os.MkdirTemp("", "qcat-bench-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return process.Start(ctx, process.Options{Binary: binary, Dir: dir, Patience: configPatience, Args: append([]string{"--config", file}, args...)})
}

// configPatience is how long a start with many instruments or accounts may take.
const configPatience = 5 * time.Minute
