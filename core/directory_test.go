package core

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestDirectoryInstruments(t *testing.T) {
	d := NewDirectory()
	btc, err := d.AddInstrument(listed("BTC"))
	if err != nil || btc.ID != 1 {
		t.Fatalf("%+v, %v", btc, err)
	}
	eth, err := d.AddInstrument(listed("ETH"))
	if err != nil || eth.ID != 2 {
		t.Fatalf("%+v, %v", eth, err)
	}
	if again, err := d.AddInstrument(listed("BTC")); again != btc || err != nil {
		t.Errorf("the same definition again: %p, %v; want %p", again, err, btc)
	}
	other := listed("BTC")
	other.TickSize = 5
	if _, err := d.AddInstrument(other); !errors.Is(err, ErrDirectory) {
		t.Errorf("another definition of the same name: %v", err)
	}
	other.TickSize = 0
	if _, err := d.AddInstrument(other); !errors.Is(err, ErrInstrument) {
		t.Errorf("an invalid definition: %v", err)
	}
	if d.Instrument(1) != btc || d.InstrumentNamed("test:ETH") != eth || len(d.Instruments()) != 2 {
		t.Error("an instrument is not where it should be")
	}
	if d.Instrument(0) != nil || d.Instrument(3) != nil || d.Instrument(1<<32-1) != nil || d.InstrumentNamed("ETH") != nil {
		t.Error("an instrument that is not there")
	}
}

func TestDirectoryAccounts(t *testing.T) {
	d := NewDirectory()
	a, errA := d.AddAccount("a")
	b, errB := d.AddAccount("b")
	if errA != nil || errB != nil || a.ID != 1 || b.ID != 2 {
		t.Fatalf("%+v, %v; %+v, %v", a, errA, b, errB)
	}
	if again, _ := d.AddAccount("a"); again != a {
		t.Error("the same account twice")
	}
	byDefault := d.StrategyNamed(b.ID, DefaultStrategy)
	if byDefault == nil || byDefault.Account != b.ID || d.Strategy(byDefault.ID) != byDefault {
		t.Fatalf("the default strategy of b: %+v", byDefault)
	}
	s, err := d.AddStrategy(a.ID, "s")
	if err != nil || d.StrategyNamed(a.ID, "s") != s || d.StrategyNamed(b.ID, "s") != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if again, _ := d.AddStrategy(a.ID, "s"); again != s {
		t.Error("the same strategy twice")
	}
	for _, id := range []AccountID{0, 3, 1<<32 - 1} {
		if _, err := d.AddStrategy(id, "s"); !errors.Is(err, ErrDirectory) {
			t.Errorf("a strategy of account %d: %v", id, err)
		}
	}
	if len(d.Accounts()) != 2 || len(d.Strategies()) != 3 || d.Accounts()[1] != d.Account(2) || d.AccountNamed("c") != nil {
		t.Error("the lists are wrong")
	}
	for _, name := range []string{"", "a b", "a:b", "a/b", `a"b`, `a\b`, "ä", "a\n", strings.Repeat("a", MaxNameLen+1)} {
		if _, err := d.AddAccount(name); !errors.Is(err, ErrDirectory) {
			t.Errorf("account %q: %v", name, err)
		}
		if _, err := d.AddStrategy(a.ID, name); !errors.Is(err, ErrDirectory) {
			t.Errorf("strategy %q: %v", name, err)
		}
	}
}

// TestDirectoryConcurrent lets readers look at a directory while it grows
// through several doublings: what they find is complete, ids are dense, and what
// was found once stays.
func TestDirectoryConcurrent(t *testing.T) {
	t.Parallel()
	const accounts = 2_000
	d := NewDirectory()
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for w := range 2 {
		writers.Go(func() {
			for i := range accounts {
				if _, err := d.AddAccount(fmt.Sprint("account-", (i+w*7)%accounts)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for seen := 0; ; {
				list := d.Accounts()
				if len(list) < seen {
					t.Errorf("%d accounts after %d", len(list), seen)
				}
				for i, a := range list[seen:] {
					if int(a.ID) != seen+i+1 || d.AccountNamed(a.Name) != a || d.StrategyNamed(a.ID, DefaultStrategy) == nil {
						t.Errorf("account %+v at %d is not complete", a, seen+i+1)
					}
				}
				for _, a := range list[:seen] {
					if d.AccountNamed(a.Name) != a {
						t.Errorf("account %s is lost", a.Name)
					}
				}
				seen = len(list)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if n, s := len(d.Accounts()), len(d.Strategies()); n != accounts || s != accounts {
		t.Errorf("%d accounts and %d strategies, want %d", n, s, accounts)
	}
}

// TestDirectoryRedefine changes filters of an instrument under its id, in front
// of readers, and refuses what orders and positions could not live with.
func TestDirectoryRedefine(t *testing.T) {
	d := NewDirectory()
	btc, _ := d.AddInstrument(listed("BTC"))
	eth, _ := d.AddInstrument(listed("ETH"))
	stop := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if in := d.Instrument(1); in.TickSize != btc.TickSize && in.TickSize != 5 || d.InstrumentNamed("test:BTC").ID != 1 {
				t.Errorf("half a definition: %+v", in)
				return
			}
		}
	})
	other := listed("BTC")
	other.TickSize, other.BidCollarUp = 5, 100
	got, err := d.RedefineInstrument(other)
	close(stop)
	readers.Wait()
	if err != nil || got.ID != 1 || got.TickSize != 5 || d.Instrument(1) != got || d.InstrumentNamed("test:BTC") != got {
		t.Fatalf("%+v, %v", got, err)
	}
	if again, err := d.RedefineInstrument(other); again != got || err != nil {
		t.Errorf("the same definition again: %p, %v; want %p", again, err, got)
	}
	if btc.TickSize == 5 || d.Instrument(2) != eth || len(d.Instruments()) != 2 {
		t.Error("something else was changed")
	}
	if sol, err := d.AddInstrument(listed("SOL")); err != nil || sol.ID != 3 || d.Instrument(1) != got {
		t.Errorf("one more afterwards: %+v, %v", sol, err)
	}
	if _, err := d.RedefineInstrument(listed("XRP")); !errors.Is(err, ErrDirectory) {
		t.Errorf("one that is not defined: %v", err)
	}
	for name, bend := range map[string]func(*Instrument){
		"price scale":    func(in *Instrument) { in.PriceScale++ },
		"quantity scale": func(in *Instrument) { in.QtyScale++ },
		"settle scale":   func(in *Instrument) { in.SettleScale++ },
		"kind":           func(in *Instrument) { in.Kind = Inverse },
		"settlement":     func(in *Instrument) { in.Settle = "EUR" },
		"no tick":        func(in *Instrument) { in.TickSize = 0 },
	} {
		bad := other
		bend(&bad)
		_, err := d.RedefineInstrument(bad)
		if !errors.Is(err, ErrInstrument) || d.Instrument(1) != got {
			t.Errorf("%s: %v", name, err)
		}
		if bad.TickSize > 0 && (!strings.Contains(err.Error(), got.contract()) || !strings.Contains(err.Error(), bad.contract())) {
			t.Errorf("%s: the error does not name both definitions: %v", name, err)
		}
	}
}
