package replay

import "qcat/core"

// bboWindow is how many quotes and how many applied depth messages are kept for
// their counterpart, which may come before or after: minutes of a busy
// instrument's depth and seconds of its quotes. A power of two.
const bboWindow = 1 << 13

// best is a best bid and offer as of an update id.
type best struct {
	id       uint64
	bid, ask core.Level
}

// maxLate is how many places a value that comes late may be moved back.
const maxLate = 64

// bestRing keeps the last bboWindow values in the order of their update ids.
type bestRing struct {
	at   [bboWindow]best
	next uint64 // how many were put in
}

// put takes a value in, unless its id is there already or comes far too late.
func (r *bestRing) put(b best) bool {
	if r.find(b.id) != nil {
		return false
	}
	i := r.next
	for i > 0 && r.next-i <= maxLate && r.at[(i-1)%bboWindow].id > b.id {
		i--
	}
	if r.next-i > maxLate {
		return false
	}
	for j := r.next; j > i; j-- {
		r.at[j%bboWindow] = r.at[(j-1)%bboWindow]
	}
	r.at[i%bboWindow] = b
	r.next++
	return true
}

// find returns the value of that id, or nil.
func (r *bestRing) find(id uint64) *best {
	low, high := uint64(0), r.next
	if high > bboWindow {
		low = high - bboWindow
	}
	for low < high {
		mid := low + (high-low)/2
		if r.at[mid%bboWindow].id < id {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < r.next && r.at[low%bboWindow].id == id {
		return &r.at[low%bboWindow]
	}
	return nil
}

// bboCheck compares the venue's quotes with the book as of the same update id.
type bboCheck struct {
	quotes, books    bestRing
	checked, matched uint64
}

// quote takes one of the venue's quotes in. A repeated one is not counted again.
func (c *bboCheck) quote(id uint64, bid, ask core.Level) {
	q := best{id, bid, ask}
	if !c.quotes.put(q) {
		return
	}
	if b := c.books.find(id); b != nil {
		c.compare(*b, q)
	}
}

// applied takes the book's best after a depth message in.
func (c *bboCheck) applied(id uint64, bid, ask core.Level) {
	b := best{id, bid, ask}
	if !c.books.put(b) {
		return
	}
	if q := c.quotes.find(id); q != nil {
		c.compare(b, *q)
	}
}

func (c *bboCheck) compare(a, b best) {
	c.checked++
	if a == b {
		c.matched++
	}
}
