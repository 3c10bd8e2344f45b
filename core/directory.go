package core

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Account is who an order trades for.
type Account struct {
	ID   AccountID
	Name string
}

// Strategy is a named part of an account.
type Strategy struct {
	ID      StrategyID
	Account AccountID
	Name    string
}

// ErrDirectory is wrapped by every error of Directory.
var ErrDirectory = errors.New("directory")

// DefaultStrategy is the name of the strategy that every account has and that
// an order without a strategy belongs to.
const DefaultStrategy = "default"

// Directory gives names their dense ids. Ids are never reused. Readers are
// wait-free on an immutable snapshot; a writer copies it.
type Directory struct {
	mu   sync.Mutex
	snap atomic.Pointer[directorySnapshot]
}

type strategyKey struct {
	account AccountID
	name    string
}

// directorySnapshot is immutable; slices are indexed by id, slot 0 unused.
type directorySnapshot struct {
	instruments []*Instrument
	accounts    []*Account
	strategies  []*Strategy

	byInstrument map[string]*Instrument
	byAccount    map[string]*Account
	byStrategy   map[strategyKey]*Strategy
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{}
	d.snap.Store(&directorySnapshot{
		instruments:  make([]*Instrument, 1),
		accounts:     make([]*Account, 1),
		strategies:   make([]*Strategy, 1),
		byInstrument: map[string]*Instrument{},
		byAccount:    map[string]*Account{},
		byStrategy:   map[strategyKey]*Strategy{},
	})
	return d
}

// AddInstrument validates in, assigns its id and returns the stored copy. An
// instrument of the same name is returned unchanged when it says the same, and
// is an error when it differs.
func (d *Directory) AddInstrument(in Instrument) (*Instrument, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.snap.Load()
	if have := old.byInstrument[in.Name()]; have != nil {
		in.ID = have.ID
		if in != *have {
			return nil, fmt.Errorf("%w: instrument %s is already defined otherwise", ErrDirectory, in.Name())
		}
		return have, nil
	}
	next := *old
	in.ID = InstrumentID(len(old.instruments))
	next.instruments = append(slices.Clone(old.instruments), &in)
	next.byInstrument = maps.Clone(old.byInstrument)
	next.byInstrument[in.Name()] = &in
	d.snap.Store(&next)
	return &in, nil
}

// AddAccount returns the account of that name, defining it and its default
// strategy when it is new.
func (d *Directory) AddAccount(name string) (*Account, error) {
	if err := validName("account", name); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.snap.Load()
	if have := old.byAccount[name]; have != nil {
		return have, nil
	}
	next := *old
	a := &Account{ID: AccountID(len(old.accounts)), Name: name}
	next.accounts = append(slices.Clone(old.accounts), a)
	next.byAccount = maps.Clone(old.byAccount)
	next.byAccount[name] = a
	next.addStrategy(a.ID, DefaultStrategy)
	d.snap.Store(&next)
	return a, nil
}

// AddStrategy returns the account's strategy of that name, defining it when new.
func (d *Directory) AddStrategy(account AccountID, name string) (*Strategy, error) {
	if err := validName("strategy", name); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.snap.Load()
	if account == 0 || int(account) >= len(old.accounts) {
		return nil, fmt.Errorf("%w: strategy %q of an unknown account", ErrDirectory, name)
	}
	if have := old.byStrategy[strategyKey{account, name}]; have != nil {
		return have, nil
	}
	next := *old
	s := next.addStrategy(account, name)
	d.snap.Store(&next)
	return s, nil
}

func (s *directorySnapshot) addStrategy(account AccountID, name string) *Strategy {
	st := &Strategy{ID: StrategyID(len(s.strategies)), Account: account, Name: name}
	s.strategies = append(slices.Clone(s.strategies), st)
	s.byStrategy = maps.Clone(s.byStrategy)
	s.byStrategy[strategyKey{account, name}] = st
	return st
}

func validName(what, name string) error {
	if name == "" || len(name) > MaxNameLen {
		return fmt.Errorf("%w: %s name must have 1 to %d bytes", ErrDirectory, what, MaxNameLen)
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' || c == ':' || c == '/' {
			return fmt.Errorf("%w: %s name %q: byte %q is not allowed", ErrDirectory, what, name, c)
		}
	}
	return nil
}

// MaxNameLen bounds account and strategy names in bytes.
const MaxNameLen = 64

// Instrument returns the instrument of that id, or nil.
func (d *Directory) Instrument(id InstrumentID) *Instrument {
	return at(d.snap.Load().instruments, int(id))
}

// Account returns the account of that id, or nil.
func (d *Directory) Account(id AccountID) *Account { return at(d.snap.Load().accounts, int(id)) }

// Strategy returns the strategy of that id, or nil.
func (d *Directory) Strategy(id StrategyID) *Strategy { return at(d.snap.Load().strategies, int(id)) }

// InstrumentNamed returns the instrument named "venue:symbol", or nil.
func (d *Directory) InstrumentNamed(name string) *Instrument { return d.snap.Load().byInstrument[name] }

// AccountNamed returns the account of that name, or nil.
func (d *Directory) AccountNamed(name string) *Account { return d.snap.Load().byAccount[name] }

// StrategyNamed returns the account's strategy of that name, or nil.
func (d *Directory) StrategyNamed(account AccountID, name string) *Strategy {
	return d.snap.Load().byStrategy[strategyKey{account, name}]
}

// Instruments returns all instruments in id order. The slice is the caller's.
func (d *Directory) Instruments() []*Instrument { return slices.Clone(d.snap.Load().instruments[1:]) }

// Accounts returns all accounts in id order. The slice is the caller's.
func (d *Directory) Accounts() []*Account { return slices.Clone(d.snap.Load().accounts[1:]) }

// Strategies returns all strategies in id order. The slice is the caller's.
func (d *Directory) Strategies() []*Strategy { return slices.Clone(d.snap.Load().strategies[1:]) }

func at[T any](s []*T, i int) *T {
	if i <= 0 || i >= len(s) {
		return nil
	}
	return s[i]
}
