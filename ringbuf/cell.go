package ringbuf

import "runtime"

// Cell holds the latest value of something: one writer stores it, any number of
// goroutines load it, and a load never sees half of a store.
//
//	0  version   0: never stored; odd: a store is under way; even: stores × 2
//	8  value
//
// A store makes the version odd, writes the value, and makes the version even. A
// load reads the version, copies the value, and reads the version again: if both
// are equal and even, no word of the copy belongs to another store. The writer
// never waits and never reads what a loader writes; loaders write nothing.
//
// T must be free of pointers and a multiple of 8 bytes long; the first Store
// panics otherwise. The zero Cell is ready. In an array, pad it to whole lines: it
// cannot do so itself, because a padding cannot depend on a type parameter.
type Cell[T any] struct {
	version cursor
	value   T
}

// loadTries is how often Load tries before it yields the processor. A store takes
// nanoseconds; one that takes longer has been descheduled.
const loadTries = 64

// Store replaces the value by a copy of *v. Writer only; never waits or allocates.
func (c *Cell[T]) Store(v *T) {
	version := c.version.load()
	if version == 0 {
		checkWords[T]()
	}
	c.version.publish(version + 1)
	c.version.keepStore()
	storeWords(&c.value, v)
	c.version.publish(version + 2)
}

// Load copies the latest value into *v and returns true, or returns false and
// leaves *v alone when nothing was ever stored. It retries while a store is under
// way, which ends unless the writer never rests. Any goroutine; never allocates.
func (c *Cell[T]) Load(v *T) bool {
	for tries := 1; ; tries++ {
		before := c.version.load()
		if before == 0 {
			return false
		}
		if before&1 == 0 {
			loadWords(v, &c.value)
			if c.version.load() == before {
				return true
			}
		}
		if tries%loadTries == 0 {
			runtime.Gosched()
		}
	}
}

// Version returns the number of stores begun; it tells a loader whether anything
// changed since it last looked. Any goroutine.
func (c *Cell[T]) Version() uint64 { return (c.version.load() + 1) / 2 }
