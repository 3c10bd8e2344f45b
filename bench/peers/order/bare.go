package order

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"
)

const (
	answerSize = 400 // bytes, about those of an order's answer
	recordSize = 300 // bytes, about those of an order's records in the journal
)

// bare is a fasthttp server that reads nothing of an order but its id, which it
// sends back among as many bytes as an order's answer has. With a disk it answers when
// that has recordSize bytes more.
type bare struct {
	ln     net.Listener
	http   *fasthttp.Server
	disk   *groupCommit // nil: none
	served sync.WaitGroup
	seen   atomic.Int64
}

func startBare(string) (target, error) { return listenBare(nil) }

func startCommitted(dir string) (target, error) {
	disk, err := newGroupCommit(filepath.Join(dir, "group"))
	if err != nil {
		return nil, err
	}
	return listenBare(disk)
}

func listenBare(disk *groupCommit) (target, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &bare{ln: ln, disk: disk}
	b.http = &fasthttp.Server{Handler: b.handle, NoDefaultServerHeader: true, NoDefaultContentType: true, CloseOnShutdown: true}
	b.served.Go(func() { _ = b.http.Serve(ln) }) // ends with Shutdown
	return b, nil
}

var filler = bytes.Repeat([]byte("x"), answerSize-idLen-len(`{"client_order_id":"","order":""}`))

func (b *bare) handle(c *fasthttp.RequestCtx) {
	body := c.PostBody()
	if len(body) < idLen+2 {
		c.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}
	if b.disk != nil {
		if err := b.disk.commit(); err != nil {
			c.SetStatusCode(fasthttp.StatusServiceUnavailable)
			return
		}
	}
	b.seen.Add(1)
	c.SetStatusCode(fasthttp.StatusCreated)
	c.SetContentType("application/json")
	c.Response.AppendBodyString(`{"client_order_id":"`)
	c.Response.AppendBody(body[len(body)-2-idLen : len(body)-2])
	c.Response.AppendBodyString(`","order":"`)
	c.Response.AppendBody(filler)
	c.Response.AppendBodyString(`"}`)
}

func (b *bare) addr() string { return b.ln.Addr().String() }

func (b *bare) close(acknowledged int) error {
	err := b.http.Shutdown()
	b.served.Wait()
	if b.disk != nil {
		err = errors.Join(err, b.disk.close(acknowledged))
	}
	if n := int(b.seen.Load()); n != acknowledged {
		err = errors.Join(err, fmt.Errorf("%d orders were answered and %d acknowledged", n, acknowledged))
	}
	return err
}

// groupCommit is a file filled ahead, one goroutine that writes and syncs it, and all
// that wait for that: what a disk allows.
type groupCommit struct {
	f       *os.File
	waiting chan chan error
	done    chan error
	answers sync.Pool
	synced  int // records; the committer's until done
}

const (
	groupFile = 64 << 20
	groupMost = 1024
)

func newGroupCommit(path string) (*groupCommit, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	zeros := make([]byte, 1<<20)
	for range groupFile / len(zeros) {
		if _, err := f.Write(zeros); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	if err := f.Sync(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	g := &groupCommit{f: f, waiting: make(chan chan error, groupMost), done: make(chan error, 1)}
	g.answers.New = func() any { return make(chan error, 1) }
	go g.run()
	return g, nil
}

// commit returns when recordSize bytes more are on the disk.
func (g *groupCommit) commit() error {
	answer := g.answers.Get().(chan error)
	g.waiting <- answer
	err := <-answer
	g.answers.Put(answer)
	return err
}

// run writes and syncs what waits, in groups as they come; the file is written over
// when it is full.
func (g *groupCommit) run() {
	block := bytes.Repeat([]byte("r"), groupMost*recordSize)
	group := make([]chan error, 0, groupMost)
	at := int64(0)
	for first := range g.waiting {
		group = append(group[:0], first)
		for len(group) < groupMost && len(g.waiting) > 0 {
			group = append(group, <-g.waiting)
		}
		n := len(group) * recordSize
		if at+int64(n) > groupFile {
			at = 0
		}
		_, err := g.f.WriteAt(block[:n], at)
		if err == nil {
			err = unix.Fdatasync(int(g.f.Fd()))
		}
		at += int64(n)
		if err == nil {
			g.synced += len(group)
		}
		for _, answer := range group {
			answer <- err
		}
	}
	g.done <- g.f.Close()
}

// close stops the committer, which must have synced as many records.
func (g *groupCommit) close(records int) error {
	close(g.waiting)
	err := <-g.done
	if g.synced != records {
		err = errors.Join(err, fmt.Errorf("%d records were synced, want %d", g.synced, records))
	}
	return err
}
