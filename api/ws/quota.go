package ws

import (
	"sync"

	"qcat/api/auth"
	"qcat/api/limit"
)

// quota counts the connections that are open, by address and by user.
type quota struct {
	mu   sync.Mutex
	open map[limit.Key]int
}

// room reports whether there may be one more; most 0 is no bound.
func (q *quota) room(k limit.Key, most int) bool {
	if most <= 0 {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open[k] < most
}

// enter counts one more, if there may be.
func (q *quota) enter(k limit.Key, most int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if most > 0 && q.open[k] >= most {
		return false
	}
	if q.open == nil {
		q.open = make(map[limit.Key]int)
	}
	q.open[k]++
	return true
}

// leave counts one less.
func (q *quota) leave(k limit.Key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open[k]--; q.open[k] <= 0 {
		delete(q.open, k)
	}
}

// userKey is by what a user's connections are counted, whatever key each came by.
func userKey(p auth.Principal) limit.Key { return limit.Text('U', p.Name()) }
