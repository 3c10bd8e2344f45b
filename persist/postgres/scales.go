package postgres

import (
	"errors"
	"sync"
	"sync/atomic"

	"qcat/core"
)

// scale is how many decimals an instrument's numbers have.
type scale struct {
	price, qty, settle uint8
	known, inverse     bool
}

// cash is the number of decimals of a position's cash: see core.Position.
func (s scale) cash() uint8 {
	if s.inverse {
		return inverseScale
	}
	return s.price + s.qty
}

// entry is the number of decimals of a position's EntryNum.
func (s scale) entry() uint8 {
	if s.inverse {
		return inverseScale
	}
	return s.price
}

// product is the number of decimals of a price times a quantity.
func (s scale) product() uint8 { return s.price + s.qty }

const inverseScale = 24

// errInstrument is wrapped when a number's scale is not to be found.
var errInstrument = errors.New("postgres: unknown instrument")

// scales says how many decimals each instrument has, by what the database says of it,
// or else the directory: ticks may come before the journal's definition was stored. Any
// goroutine; reading takes no lock.
type scales struct {
	directory *core.Directory // may be nil

	mu    sync.Mutex // of writers
	known atomic.Pointer[[]scale]
}

// of returns the scales of id and whether it is known.
func (s *scales) of(id core.InstrumentID) (scale, bool) {
	if list := s.known.Load(); list != nil && int(id) < len(*list) && (*list)[id].known {
		return (*list)[id], true
	}
	if s.directory != nil {
		if in := s.directory.Instrument(id); in != nil {
			return scaleOf(in), true
		}
	}
	return scale{}, false
}

// learn remembers definitions.
func (s *scales) learn(defined []core.Instrument) {
	if len(defined) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []scale
	if old := s.known.Load(); old != nil {
		list = append(list, *old...)
	}
	for i := range defined {
		in := &defined[i]
		for int(in.ID) >= len(list) {
			list = append(list, scale{})
		}
		list[in.ID] = scaleOf(in)
	}
	s.known.Store(&list)
}

func scaleOf(in *core.Instrument) scale {
	return scale{price: in.PriceScale, qty: in.QtyScale, settle: in.SettleScale, known: true, inverse: in.Kind == core.Inverse}
}
