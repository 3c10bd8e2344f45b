package queue

import "fmt"

// value is a numbered value; its size is that of P and eight bytes more.
type value[P any] struct {
	rest P
	seq  uint64
}

// words7 makes a value as large as a market-data event, one cache line.
type words7 struct{ a, b, c, d, e, f, g uint64 }

const (
	producerBit  = 56 // a number is producer << producerBit | count
	maxProducers = 8
)

// checker looks at every number that comes out of a queue.
type checker struct {
	next  [maxProducers]uint64
	wrong int
}

func (c *checker) take(seq uint64) {
	p := seq >> producerBit % maxProducers
	if seq&(1<<producerBit-1) != c.next[p] {
		c.wrong++
	}
	c.next[p]++
}

// verify wants each of the producers to have been heard to the end, in its order.
func (c *checker) verify(producers, each int) error {
	if c.wrong > 0 {
		return fmt.Errorf("%d values out of their producer's order", c.wrong)
	}
	for p, n := range c.next {
		want := uint64(0)
		if p < producers {
			want = uint64(each)
		}
		if n != want {
			return fmt.Errorf("producer %d: %d values came, want %d", p, n, want)
		}
	}
	return nil
}
