package engine

// ladder is the price levels of one side, as a search tree in which every level also
// has a priority that no level below it exceeds. Priorities are hashes of the keys:
// the tree is as deep as one that was built by chance, and always the same for the
// same levels.
type ladder struct {
	root uint32
	best uint32 // the level of the lowest key
}

// level is the orders of one price on one ladder.
type level struct {
	key      int64 // lowest is best
	priority uint32
	ladder   uint32

	up, left, right uint32
	first, last     uint32 // slots of its orders
}

// level returns the level of a key, made when there is none.
func (b *ownBook) level(l uint32, key int64) uint32 {
	up, right := uint32(0), false
	for at := b.ladders[l].root; at != 0; {
		v := &b.levels[at]
		if v.key == key {
			return at
		}
		up, right = at, key > v.key
		if at = v.left; right {
			at = v.right
		}
	}
	at := b.take()
	b.levels[at] = level{key: key, priority: uint32(mix(uint64(key) ^ mixB)), ladder: l, up: up}
	switch {
	case up == 0:
		b.ladders[l].root = at
	case right:
		b.levels[up].right = at
	default:
		b.levels[up].left = at
	}
	if best := b.ladders[l].best; best == 0 || key < b.levels[best].key {
		b.ladders[l].best = at
	}
	for up := b.levels[at].up; up != 0 && b.levels[up].priority < b.levels[at].priority; up = b.levels[at].up {
		b.raise(at)
	}
	return at
}

// take returns a level that is not in use.
func (b *ownBook) take() uint32 {
	if at := b.free; at != 0 {
		b.free = b.levels[at].left
		return at
	}
	b.levels = append(b.levels, level{})
	return uint32(len(b.levels) - 1)
}

// drop takes an empty level out of its ladder.
func (b *ownBook) drop(at uint32) {
	v := &b.levels[at]
	l := &b.ladders[v.ladder]
	if l.best == at {
		l.best = b.after(at)
	}
	for v.left != 0 && v.right != 0 {
		child := v.left
		if b.levels[v.right].priority > b.levels[child].priority {
			child = v.right
		}
		b.raise(child)
	}
	child := v.left
	if child == 0 {
		child = v.right
	}
	b.hang(at, child)
	if child != 0 {
		b.levels[child].up = v.up
	}
	*v = level{left: b.free}
	b.free = at
}

// hang puts child in the place of at below its parent.
func (b *ownBook) hang(at, child uint32) {
	v := &b.levels[at]
	switch up := v.up; {
	case up == 0:
		b.ladders[v.ladder].root = child
	case b.levels[up].left == at:
		b.levels[up].left = child
	default:
		b.levels[up].right = child
	}
}

// raise turns the tree about a level and its parent, so that they change places.
func (b *ownBook) raise(at uint32) {
	v := &b.levels[at]
	up := v.up
	p := &b.levels[up]
	b.hang(up, at)
	v.up, p.up = p.up, at
	inner := &p.right
	if p.left == at {
		p.left, v.right, inner = v.right, up, &p.left
	} else {
		p.right, v.left = v.left, up
	}
	if *inner != 0 {
		b.levels[*inner].up = up
	}
}

// after returns the next worse level, 0 for none.
func (b *ownBook) after(at uint32) uint32 {
	v := &b.levels[at]
	if v.right == 0 {
		for v.up != 0 && b.levels[v.up].right == at {
			at = v.up
			v = &b.levels[at]
		}
		return v.up
	}
	for at = v.right; b.levels[at].left != 0; {
		at = b.levels[at].left
	}
	return at
}
