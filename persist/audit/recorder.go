package audit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"qcat/core/identity"
)

// LostAction is the action of the entry that says how many found no room in a Recorder.
const LostAction = "audit.lost"

// Bounds of a Recorder.
const (
	DefaultQueue = 1024
	recordBatch  = 32 // entries in one transaction
	firstRetry   = 50 * time.Millisecond
	lastRetry    = 5 * time.Second
)

// Recorder appends entries without making anybody wait: for what must not wait for a
// database, and for what others can make happen at any rate. It keeps trying while the
// database is away. What finds no room in its queue is counted, and the count becomes an
// entry. A crash loses what is queued; a COMMIT whose
// answer was lost may leave an entry twice. Any goroutine.
type Recorder struct {
	log   *Log
	queue chan identity.AuditEntry
	stop  context.CancelFunc // gives up what cannot be written
	ended chan struct{}

	mu     sync.Mutex
	closed bool
	lost   int64 // not yet said in the log
	total  int64
}

// NewRecorder starts a recorder with room for size entries; 0: DefaultQueue. The caller
// closes it.
func NewRecorder(l *Log, size int) *Recorder {
	if size <= 0 {
		size = DefaultQueue
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Recorder{log: l, queue: make(chan identity.AuditEntry, size), stop: stop, ended: make(chan struct{})}
	go r.run(ctx)
	return r
}

// Record queues an entry, with the present time if it has none, and reports whether there
// was room. It never waits.
func (r *Recorder) Record(e identity.AuditEntry) bool {
	if e.Time == 0 {
		e.Time = r.log.clock.Now()
	}
	e.Journal = 0 // a journal's record is the Follower's
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		select {
		case r.queue <- e:
			return true
		default:
		}
	}
	r.lost++
	r.total++
	return false
}

// Lost is how many entries found no room since the start.
func (r *Recorder) Lost() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}

// Queued is how full the queue is, 0 to 1.
func (r *Recorder) Queued() float64 { return float64(len(r.queue)) / float64(cap(r.queue)) }

// Close writes what is queued and ends the recorder; at the end of ctx it gives up, and
// says how many entries are lost with it.
func (r *Recorder) Close(ctx context.Context) error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	select {
	case <-r.ended:
	case <-ctx.Done():
		r.stop()
		<-r.ended
	}
	r.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost > 0 {
		return fmt.Errorf("audit: %d entries were not written", r.lost)
	}
	return nil
}

// run writes until the queue is closed and empty.
func (r *Recorder) run(ctx context.Context) {
	defer close(r.ended)
	for e := range r.queue {
		r.write(ctx, r.gather(&e))
	}
	r.write(ctx, nil)
}

// gather adds to a first entry what is queued behind it, as far as a batch goes.
func (r *Recorder) gather(first *identity.AuditEntry) []*identity.AuditEntry {
	batch := append(make([]*identity.AuditEntry, 0, recordBatch), first)
	for len(batch) < recordBatch {
		select {
		case e, ok := <-r.queue:
			if !ok {
				return batch
			}
			batch = append(batch, &e)
		default:
			return batch
		}
	}
	return batch
}

// write appends entries, and how many were lost before, however often that has to be
// tried, unless ctx ends.
func (r *Recorder) write(ctx context.Context, batch []*identity.AuditEntry) {
	entries := int64(len(batch))
	said := r.takeLost()
	if said > 0 {
		batch = append(batch, &identity.AuditEntry{Actor: "system", Action: LostAction, Outcome: "ok",
			Detail: fmt.Sprintf("%d entries found no room in the queue and are not in the log", said)})
	}
	for wait := firstRetry; len(batch) > 0; wait = min(2*wait, lastRetry) {
		err := r.log.auditAll(ctx, batch...)
		if err == nil {
			return
		}
		r.log.log.Warn("audit log: entries wait", zap.Int("entries", len(batch)), zap.Error(err))
		select {
		case <-ctx.Done():
			r.mu.Lock()
			r.lost += said + entries
			r.total += entries
			r.mu.Unlock()
			return
		case <-time.After(wait):
		}
	}
}

func (r *Recorder) takeLost() (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, r.lost = r.lost, 0
	return n
}
