package risk

import (
	"qcat/core"
	"qcat/core/mem"
)

// pairs holds the nodes of (account, instrument) and (strategy, instrument). The
// index is an open-addressing table of keys with the slot beside the key, the
// nodes live in chunks that never move: a lookup costs one miss in the index and
// one in the chunk, at any number of accounts, and growing copies the index only.
type pairs struct {
	chunks  []*[pairChunk]pair
	tallies []*[pairChunk]tally // beside chunks, so that a lookup does not read them
	n       uint32              // slots in use, slot 0 (no pair) included
	max     uint32

	index []indexEntry // power of two, at most half full
	shift uint8        // 64 - log2(len(index))
}

type indexEntry struct {
	key     uint64 // 0: empty
	slot    uint32
	account uint32 // of a strategy's pair: the slot of its account's; 0: none yet
}

const (
	pairChunk = 256
	// growMost bounds the chunks of pairs that are added at once, while an order waits:
	// 4 MiB, enough for a large page.
	growMost = 128
	// strategyKey tells a strategy's pair from an account's.
	strategyKey = 1 << 63
	// maxID bounds account and strategy ids, so that a key has its top bit free.
	maxID = 1<<31 - 1
)

func accountPairKey(a core.AccountID, i core.InstrumentID) uint64 {
	return uint64(a)<<32 | uint64(i)
}

func strategyPairKey(s core.StrategyID, i core.InstrumentID) uint64 {
	return strategyKey | uint64(s)<<32 | uint64(i)
}

func newPairs(expected, maximum int) pairs {
	p := pairs{n: 1, max: uint32(maximum), shift: 64}
	size := 16
	for size < 2*(expected+1) {
		size *= 2
	}
	p.resize(size)
	p.grow(expected/pairChunk + 1)
	return p
}

// at returns the pair of a slot; slot 0 is the pair that holds nothing and is
// never written.
func (p *pairs) at(slot uint32) *pair {
	return &p.chunks[slot/pairChunk][slot%pairChunk]
}

// find returns the slot of key, 0 if there is none.
func (p *pairs) find(key uint64) uint32 { return p.entry(key).slot }

// entry returns the entry of key, an empty one if there is none.
func (p *pairs) entry(key uint64) *indexEntry {
	mask := uint64(len(p.index) - 1)
	for i := p.home(key); ; i++ {
		e := &p.index[i&mask]
		if e.key == key || e.key == 0 {
			return e
		}
	}
}

// findPath returns the slots of an order's strategy and account in its instrument, 0
// where there is none: one search, as a strategy's entry knows its account's. The
// strategy must be the account's, for the entry keeps what was found.
func (p *pairs) findPath(o *Order) (strategy, account uint32) {
	e := p.entry(strategyPairKey(o.Strategy, o.Instrument))
	if e.account == 0 && e.slot != 0 {
		e.account = p.find(accountPairKey(o.Account, o.Instrument))
	}
	return e.slot, e.account
}

// homeEntry is the first entry that a search for key looks at.
func (p *pairs) homeEntry(key uint64) *indexEntry {
	return &p.index[p.home(key)&uint64(len(p.index)-1)]
}

// home is where a key's search starts. Two rounds of multiplication spread the
// dense ids of both halves over the top bits.
func (p *pairs) home(key uint64) uint64 {
	h := key * 0x9E3779B97F4A7C15
	h ^= h >> 32
	h *= 0xD6E8FEB86659FD93
	return h >> p.shift
}

// room reports whether n more pairs can be made.
func (p *pairs) room(n uint32) bool { return p.n+n-1 <= p.max }

// make adds key, which must not be there, and returns its slot.
func (p *pairs) make(key uint64) uint32 {
	if 2*int(p.n+1) > len(p.index) {
		p.resize(2 * len(p.index))
	}
	slot := p.n
	p.n++
	if int(slot) >= len(p.chunks)*pairChunk {
		p.grow(min(1+len(p.chunks)/4, growMost))
	}
	pr := p.at(slot)
	pr.key, pr.defined = key, true
	p.insert(key, slot)
	return slot
}

// grow adds so many chunks, side by side.
func (p *pairs) grow(chunks int) {
	nodes, tallies := mem.Huge[[pairChunk]pair](chunks), mem.Huge[[pairChunk]tally](chunks)
	for i := range chunks {
		p.chunks = append(p.chunks, &nodes[i])
		p.tallies = append(p.tallies, &tallies[i])
	}
}

func (p *pairs) insert(key uint64, slot uint32) {
	mask := uint64(len(p.index) - 1)
	i := p.home(key)
	for p.index[i&mask].key != 0 {
		i++
	}
	p.index[i&mask] = indexEntry{key: key, slot: slot}
}

func (p *pairs) resize(size int) {
	p.index = mem.Huge[indexEntry](size)
	p.shift = 64
	for 1<<(64-p.shift) < size {
		p.shift--
	}
	for slot := uint32(1); slot < p.n; slot++ {
		p.insert(p.at(slot).key, slot)
	}
}

// scope returns the scope a pair's key stands for, the account of a strategy
// left out.
func (p *pair) scope() Scope {
	s := Scope{Level: LevelInstrument, Instrument: core.InstrumentID(uint32(p.key))}
	if id := uint32(p.key>>32) & maxID; p.key&strategyKey != 0 {
		s.Strategy = core.StrategyID(id)
	} else {
		s.Account = core.AccountID(id)
	}
	return s
}
