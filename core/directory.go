package core

import (
	"errors"
	"fmt"
	"sync"
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

// Directory gives names their dense ids, from 1, ascending, never reused. Readers
// are wait-free and do not allocate; writers take turns. What it returns is
// immutable and complete: whoever sees an account finds its default strategy. An
// instrument that is redefined is another value under the same id.
type Directory struct {
	mu          sync.Mutex // of writers
	instruments table[string, Instrument]
	accounts    table[string, Account]
	strategies  table[strategyKey, Strategy]
}

type strategyKey struct {
	account AccountID
	name    string
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{}
	d.instruments.init()
	d.accounts.init()
	d.strategies.init()
	return d
}

// AddInstrument validates in, assigns its id and returns the stored copy. An
// instrument of the same name is returned unchanged when it says the same, and
// is an error when it differs.
func (d *Directory) AddInstrument(in Instrument) (*Instrument, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	name := in.Name()
	d.mu.Lock()
	defer d.mu.Unlock()
	if have := d.instruments.named(name); have != nil {
		in.ID = have.ID
		if in != *have {
			return nil, fmt.Errorf("%w: instrument %s is already defined otherwise", ErrDirectory, name)
		}
		return have, nil
	}
	in.ID = InstrumentID(d.instruments.next())
	d.instruments.add(name, &in)
	return &in, nil
}

// RedefineInstrument replaces the instrument of the same name by in, under the
// same id, and returns the stored copy, or the one there is when it says the same.
// Readers find the new one from then on; who holds the old one keeps it. The
// filters may differ, not what the instrument is: see Instrument.MayRedefine.
//
// Errors: ErrDirectory when there is none of that name; ErrInstrument.
func (d *Directory) RedefineInstrument(in Instrument) (*Instrument, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	name := in.Name()
	d.mu.Lock()
	defer d.mu.Unlock()
	have := d.instruments.named(name)
	if have == nil {
		return nil, fmt.Errorf("%w: instrument %s is not defined", ErrDirectory, name)
	}
	if err := in.MayRedefine(have); err != nil {
		return nil, err
	}
	if in.ID = have.ID; in == *have {
		return have, nil
	}
	d.instruments.replace(uint32(in.ID), &in)
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
	if have := d.accounts.named(name); have != nil {
		return have, nil
	}
	a := &Account{ID: AccountID(d.accounts.next()), Name: name}
	d.addStrategy(a.ID, DefaultStrategy) // first: see Directory
	d.accounts.add(name, a)
	return a, nil
}

// AddStrategy returns the account's strategy of that name, defining it when new.
func (d *Directory) AddStrategy(account AccountID, name string) (*Strategy, error) {
	if err := validName("strategy", name); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.accounts.row(uint32(account)) == nil {
		return nil, fmt.Errorf("%w: strategy %q of an unknown account", ErrDirectory, name)
	}
	if have := d.strategies.named(strategyKey{account, name}); have != nil {
		return have, nil
	}
	return d.addStrategy(account, name), nil
}

func (d *Directory) addStrategy(account AccountID, name string) *Strategy {
	s := &Strategy{ID: StrategyID(d.strategies.next()), Account: account, Name: name}
	d.strategies.add(strategyKey{account, name}, s)
	return s
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
func (d *Directory) Instrument(id InstrumentID) *Instrument { return d.instruments.row(uint32(id)) }

// Account returns the account of that id, or nil.
func (d *Directory) Account(id AccountID) *Account { return d.accounts.row(uint32(id)) }

// Strategy returns the strategy of that id, or nil.
func (d *Directory) Strategy(id StrategyID) *Strategy { return d.strategies.row(uint32(id)) }

// InstrumentNamed returns the instrument named "venue:symbol", or nil.
func (d *Directory) InstrumentNamed(name string) *Instrument { return d.instruments.named(name) }

// AccountNamed returns the account of that name, or nil.
func (d *Directory) AccountNamed(name string) *Account { return d.accounts.named(name) }

// StrategyNamed returns the account's strategy of that name, or nil.
func (d *Directory) StrategyNamed(account AccountID, name string) *Strategy {
	return d.strategies.named(strategyKey{account, name})
}

// Instruments returns all instruments in id order. The slice is the caller's.
func (d *Directory) Instruments() []*Instrument { return d.instruments.all() }

// Accounts returns all accounts in id order. The slice is the caller's.
func (d *Directory) Accounts() []*Account { return d.accounts.all() }

// Strategies returns all strategies in id order. The slice is the caller's.
func (d *Directory) Strategies() []*Strategy { return d.strategies.all() }
