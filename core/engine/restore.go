package engine

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

// Restore brings the state of a snapshot into an engine and a Directory that have
// nothing in them; RecoverLog then takes the records after it. What was read is
// put together again and must be the bytes of the snapshot. The sizes that bound
// the state must have room for what it holds.
//
// observe, when given, is told of the state by events whose Restored is set, in
// this order: definitions, trading states with their notes, armed countdowns, closed orders oldest
// first, open orders oldest first, positions. The last of them has Last set.
//
// Errors: ErrRunning, ErrNotNew; ErrSnapshot, which wraps ErrDiverged, with what is
// wrong. When the checksum is, nothing has changed and an older snapshot can be
// tried; otherwise the engine and the Directory are of no use.
func (e *Engine) Restore(snapshot []byte, observe func(*Event)) error {
	e.runMu.Lock()
	defer e.runMu.Unlock()
	d := e.cfg.Directory
	switch {
	case e.running:
		return ErrRunning
	case e.m.seq != 0 || d.Instrument(1) != nil || d.Account(1) != nil || d.Strategy(1) != nil:
		return ErrNotNew
	}
	state, err := checkSnapshot(snapshot)
	if err != nil {
		return err
	}
	if err := e.m.restore(state, &e.rec); err != nil {
		return err
	}
	e.takeOver()
	if observe != nil {
		e.m.tell(observe)
	}
	return nil
}

// checkSnapshot returns the state that a snapshot holds.
func checkSnapshot(snapshot []byte) ([]byte, error) {
	at := len(snapshot) - sha256.Size
	if at < 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrSnapshot, len(snapshot))
	}
	state := snapshot[:at]
	if sum := sha256.Sum256(state); !bytes.Equal(sum[:], snapshot[at:]) {
		return nil, fmt.Errorf("%w: offset %d: checksum", ErrSnapshot, at)
	}
	return state, nil
}

// restore reads a state into a machine that has none, and then compares what it
// holds with what it read.
func (m *machine) restore(state []byte, scratch *record.Record) error {
	r := newStateReader(state)
	m.readHead(r)
	m.readDefinitions(r, scratch)
	m.readTree(r)
	m.readStates(r)
	m.readCountdowns(r)
	m.readOrders(r)
	m.readPositions(r)
	m.readChanges(r)
	m.readFlattens(r)
	r.Require(len(r.Left()) == 0, "bytes are left over")
	if !r.OK() {
		what, offset := r.Wrong()
		return fmt.Errorf("%w: offset %d: %s", ErrSnapshot, offset, what)
	}
	at, same := 0, true
	m.writeState(func(b []byte) {
		same = same && bytes.HasPrefix(state[min(at, len(state)):], b)
		at += len(b)
	})
	if !same || at != len(state) {
		return fmt.Errorf("%w: it comes out differently before offset %d", ErrSnapshot, at)
	}
	return nil
}

func (m *machine) readHead(r *stateReader) {
	if string(r.Take(len(stateMagic))) != stateMagic {
		r.Fail("not the magic of a state")
	}
	if v := r.U32(); v != stateVersion {
		r.Fail(fmt.Sprintf("version %d", v))
	}
	m.seq, m.now = r.U64(), r.nanos()
	m.lastOrder, m.lastExec = core.OrderID(r.U64()), r.U64()
	m.digest, m.halted = r.ID(), int(r.ID())
}

// readDefinitions fills the directory and the tables by id.
func (m *machine) readDefinitions(r *stateReader, rec *record.Record) {
	for id := range core.InstrumentID(r.Count(minDefinition)) {
		r.definition(rec, record.TypeInstrument)
		if !r.OK() {
			return
		}
		in := rec.Instrument.Definition
		added, err := m.dir.AddInstrument(in)
		if err != nil || in.ID != id+1 || added.ID != in.ID {
			r.Fail("an instrument that cannot be, or of another id")
			return
		}
		m.instruments = append(m.instruments, &in)
	}
	names := make([]string, r.Count(minDefinition))
	for i := range names {
		r.definition(rec, record.TypeAccount)
		r.Require(rec.Account.ID == core.AccountID(i+1), "an account of another id")
		names[i] = rec.Account.Name
	}
	m.readStrategies(r, rec, names)
	m.accounts = len(names)
}

// readStrategies defines accounts and strategies in the order in which they got
// their ids: the directory makes an account's default strategy with the account.
func (m *machine) readStrategies(r *stateReader, rec *record.Record, accounts []string) {
	defined := core.AccountID(0)
	account := func() *core.Account {
		defined++
		a, err := m.dir.AddAccount(accounts[defined-1])
		if err != nil || a.ID != defined {
			r.Fail("an account that cannot be, or twice the same")
		}
		return a
	}
	for id := range core.StrategyID(r.Count(minDefinition)) {
		r.definition(rec, record.TypeStrategy)
		s := &rec.Strategy
		if !r.OK() || s.Account == 0 || int(s.Account) > len(accounts) {
			r.Fail("a strategy of an unknown account")
			return
		}
		if s.Account == defined+1 && account() == nil {
			return
		}
		added, err := m.dir.AddStrategy(s.Account, s.Name)
		if err != nil || s.ID != id+1 || added.ID != s.ID {
			r.Fail("a strategy that cannot be, or of another id")
			return
		}
		m.strategies = append(m.strategies, s.Account)
	}
	for int(defined) < len(accounts) && r.OK() { // whose strategy's record is the next
		account()
	}
}

// minDefinition is less than any definition takes, with its length.
const minDefinition = 2 + record.HeaderLen

// definition reads a definition of a type into rec.
func (r *stateReader) definition(rec *record.Record, t record.Type) {
	b := r.Take(2)
	if b == nil {
		return
	}
	b = r.Take(int(le.Uint16(b)))
	if b == nil {
		return
	}
	if err := record.Decode(b, rec); err != nil || rec.Type != t || rec.Seq != 0 || rec.Time != 0 {
		r.Fail("not the definition of an " + t.String())
	}
}

func (m *machine) readTree(r *stateReader) {
	r.Part(func(b []byte) ([]byte, error) { return m.tree.RestoreState(b, m.instrument) })
	if !r.OK() {
		return
	}
	accounts, strategies, instruments, halted := 0, 0, 0, 0
	for s := range m.tree.Scopes {
		halted += boolToInt(m.tree.State(s) == risk.StateHalted)
		switch {
		case s.Level == risk.LevelAccount:
			accounts++
		case s.Level == risk.LevelStrategy:
			strategies++
			r.Require(int(s.Strategy) < len(m.strategies) && m.strategies[s.Strategy] == s.Account, "a node of an unknown strategy")
		case s.Level == risk.LevelInstrument && s.Account == 0:
			instruments++
		}
	}
	r.Require(halted == m.halted, "another number of halted nodes")
	r.Require(accounts == m.accounts && strategies == len(m.strategies)-1 && instruments == len(m.instruments)-1,
		"the limit tree has other nodes than are defined")
}

func (m *machine) readStates(r *stateReader) {
	const size = 3 + 3*4 + 2*8
	for range r.Count(size) {
		var s ScopeState
		s.Scope.Level, s.State, s.Note.n = risk.Level(r.U8()), risk.TradingState(r.U8()), r.U8()
		r.Require(s.State <= risk.StateHalted && s.Note.n <= NoteLen, "an unknown trading state, or too long a note")
		copy(s.Note.b[:], r.Take(int(s.Note.n)))
		s.Scope.Account, s.Scope.Strategy = core.AccountID(r.U32()), core.StrategyID(r.U32())
		s.Scope.Instrument = core.InstrumentID(r.U32())
		s.Seq, s.Time = r.U64(), r.nanos()
		_, twice := m.states.at[s.Scope]
		r.Require(!twice && m.knownScope(s.Scope).OK() && m.normalScope(s.Scope) == s.Scope, "the state of an unknown scope")
		if !r.OK() {
			return
		}
		m.states.put(s)
	}
}

func (m *machine) readPositions(r *stateReader) {
	const size = 16 * 8
	for range r.Count(size) {
		a, s, i := core.AccountID(r.ID()), core.StrategyID(r.ID()), core.InstrumentID(r.ID())
		leg := r.leg()
		var p core.Position
		p.Qty, p.EntryDen, p.EntryNum, p.Cash = core.Qty(r.U64()), r.U64(), r.I128(), r.I128()
		p.Fees, p.Funding, p.Volume = core.Notional(r.U64()), core.Notional(r.U64()), core.Qty(r.U64())
		p.Fills, p.BaseFees, p.Dust = r.U64(), core.Notional(r.U64()), core.Notional(r.U64())
		r.Require(m.owns(a, s) && m.instrument(i) != nil && m.positions.find(s, i, leg) == nil, "a position of what is not defined, or twice the same")
		r.Require((p.Qty == 0) == (p.EntryDen == 0), "a position without its entry")
		if !r.OK() {
			return
		}
		at := m.positions.get(a, s, i, leg)
		at.Position = p
		m.positions.moved(at, 0)
	}
}

// owns reports whether the account has the strategy.
func (m *machine) owns(a core.AccountID, s core.StrategyID) bool {
	return a != 0 && int64(s) < int64(len(m.strategies)) && m.strategies[s] == a
}
