package rest

import (
	"sync"
	"sync/atomic"
	"time"

	"qcat/api/wire"
	"qcat/core/engine"
)

// call is what one command needs on its way through the engine and back: the
// decoded request, the command, the place of the reply and the body it is encoded
// into, reused together. While it is taken it belongs to one handler; reply is the
// engine's from the moment want is taken until done is signalled.
//
// Who takes want decides. The engine's goroutine takes it to deliver, the handler
// takes it to give up; a reply that comes later finds another token and is dropped,
// so that a call that timed out can be used again at once.
type call struct {
	pool  *callPool
	home  *callShard
	to    engine.ReplyTo
	token uint64        // of the last command; never 0
	want  atomic.Uint64 // the token waited for; 0: nobody waits
	done  chan struct{} // has room for the one signal a token has
	timer *time.Timer

	req   wire.Request // refers to the HTTP request's bytes while the call is taken
	cmd   engine.Command
	reply engine.Reply
	body  []byte
}

// Deliver implements engine.ReplySink.
func (k *call) Deliver(r *engine.Reply) {
	if r.Token == 0 || !k.want.CompareAndSwap(r.Token, 0) {
		return
	}
	k.reply = *r
	k.done <- struct{}{}
}

// outcome is how a command ended.
type outcome uint8

const (
	answered outcome = iota
	overloaded
	timedOut
)

// do submits k.cmd and waits for k.reply.
func (k *call) do(timeout time.Duration) outcome {
	k.token++
	k.cmd.Reply, k.cmd.Token = k.to, k.token
	k.want.Store(k.token)
	if !k.pool.engine.Execute(&k.cmd) {
		k.want.Store(0) // nothing was taken, so nothing will be delivered
		return overloaded
	}
	select {
	case <-k.done:
		return answered
	default:
	}
	k.timer.Reset(timeout)
	select {
	case <-k.done:
	case <-k.timer.C:
		if k.want.CompareAndSwap(k.token, 0) {
			return timedOut
		}
		<-k.done // the reply is being copied
	}
	k.timer.Stop()
	return answered
}

// callShards is how many lists the free calls are spread over: connections have
// consecutive numbers, so that few share one.
const callShards = 16

// callPool keeps the calls that are free. It never drops one, because each has a
// place in the engine's table of sinks, and never makes more than most.
type callPool struct {
	engine Engine
	most   int64
	made   atomic.Int64
	shards [callShards]callShard
}

type callShard struct {
	mu   sync.Mutex
	free []*call
	_    [96]byte // two cache lines: neighbours do not share one
}

// get takes a call for a request of the given connection; false when all are in
// use.
func (p *callPool) get(conn uint64) (*call, bool) {
	home := &p.shards[conn%callShards]
	if k := home.pop(); k != nil {
		return k, true
	}
	if k := p.make(home); k != nil {
		return k, true
	}
	for i := range p.shards {
		if k := p.shards[i].pop(); k != nil {
			return k, true
		}
	}
	return nil, false
}

// make returns a new call, nil when there are enough.
func (p *callPool) make(home *callShard) *call {
	if p.made.Add(1) > p.most {
		p.made.Add(-1)
		return nil
	}
	k := &call{pool: p, home: home, done: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	k.timer.Stop()
	to, ok := p.engine.RegisterSink(k)
	if !ok {
		p.made.Add(-1)
		return nil
	}
	k.to = to
	return k
}

// put gives a call back. One that a panic left waiting for an answer is given up:
// its done may yet be signalled.
func (p *callPool) put(k *call) {
	if k.want.Load() != 0 {
		p.drop(k)
		return
	}
	k.req = wire.Request{} // keeps no bytes of the request
	k.reply.Refusals = nil
	k.home.push(k)
}

func (p *callPool) drop(k *call) {
	p.engine.UnregisterSink(k.to)
	p.made.Add(-1)
}

// close lets go of the free calls' places in the engine.
func (p *callPool) close() {
	for i := range p.shards {
		for k := p.shards[i].pop(); k != nil; k = p.shards[i].pop() {
			p.drop(k)
		}
	}
}

func (h *callShard) pop() *call {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.free)
	if n == 0 {
		return nil
	}
	k := h.free[n-1]
	h.free[n-1] = nil
	h.free = h.free[:n-1]
	return k
}

func (h *callShard) push(k *call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = append(h.free, k)
}
