package engine

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"qcat/core"
	"qcat/core/record"
	"qcat/risk"
)

var rewrite = flag.Bool("rewrite", false, "write what the engine answers into testdata/*.txt")

// TestLimitsScript runs testdata/limits.txt: cases a risk officer can read. A case
// starts with "case", prepares with "given", acts with "when" and states the answer in
// "then". Every case begins with an account demo and an account other, an instrument
// BTC at 100, no limits, and everybody at their desks.
//
// After every line the journal is replayed and the state saved and restored: both must
// come to the same state, bit for bit. "crash" goes on with an engine that was made of
// the journal.
func TestLimitsScript(t *testing.T) {
	runScript(t, "testdata/limits.txt", func(t *testing.T) scriptWorld { return newLimitsScript(t) })
}

// scriptWorld is where the lines of one case are done: where says which, for errors,
// and what comes back is the answers.
type scriptWorld interface {
	at(where string)
	do(words []string) (answers []string)
}

// runScript runs the cases of a file, each in a world of its own.
func runScript(t *testing.T, file string, world func(t *testing.T) scriptWorld) {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var s scriptWorld
	for n, line := range strings.Split(strings.TrimSuffix(string(src), "\n"), "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "then" {
			continue
		}
		fmt.Fprintln(&out, strings.TrimRight(line, " "))
		switch word {
		case "", "#":
		case "case":
			s = world(t)
		case "given", "when":
			s.at(fmt.Sprintf("%s:%d", file, n+1))
			answers := s.do(strings.Fields(rest))
			if word == "given" {
				continue
			}
			for _, a := range answers {
				fmt.Fprintf(&out, "  then  %s\n", a)
			}
		default:
			t.Fatalf("%s:%d: unknown line %q", file, n+1, line)
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if out.String() == string(src) {
		return
	}
	want, got := strings.Split(string(src), "\n"), strings.Split(out.String(), "\n")
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("%s:%d: the engine answers otherwise (go test -rewrite shows it as a diff):\nwant %s\ngot  %s",
				file, i+1, want[i], got[min(i, len(got)-1)])
		}
	}
	t.Fatal("the engine answers more")
}

// limitsScript is the world of one case.
type limitsScript struct {
	*harness
	where string
	other core.AccountID
}

func newLimitsScript(t *testing.T) *limitsScript {
	s := &limitsScript{harness: newHarness(t)}
	s.define(func() error {
		a, err := s.e.DefineAccount("other")
		if err == nil {
			s.other = a.ID
		}
		return err
	})
	return s
}

func (s *limitsScript) at(where string) { s.where = where }

// define calls f while nobody runs the engine, so that it need not wait for it.
func (s *limitsScript) define(f func() error) {
	s.t.Helper()
	s.e.stop()
	err := f()
	s.e.running = true
	if err != nil {
		s.t.Fatalf("%s: %v", s.where, err)
	}
	s.run()
}

func (s *limitsScript) do(w []string) (answers []string) {
	s.t.Helper()
	s.drainEvents()
	switch {
	case w[0] == "seed":
		s.define(func() error { _, err := s.e.DefineLimits(s.scope(w[1]), s.limits(w[1], w[2:])); return err })
	case w[0] == "time":
		d, err := time.ParseDuration(w[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.clock.Advance(d)
		s.quote(s.btc.ID, 10000, 10002)
		s.run()
		answers = s.told()
	case w[0] == "crash":
		account, other := s.account, s.other
		s.harness = s.restart().begin()
		s.account, s.other = account, other
	case w[0] == "journal":
		s.journal.appendErr = map[string]error{"full": fmt.Errorf("no space: %w", ErrFull), "room": nil}[w[1]]
	case w[0] == "limits":
		answers = []string{s.shown(w[1])}
	case w[0] == "proposals":
		answers = s.proposals()
	case w[0] == "buy":
		answers = []string{s.buy(w)}
	default:
		answers = []string{s.person(w)}
	}
	if s.journal.appendErr == nil {
		s.sameAgain()
	}
	return answers
}

// person is what somebody does: "anna proposes demo max_notional=500 until 1h",
// "bert approves 1", "bert rejects 1". "nobody" has no name.
func (s *limitsScript) person(w []string) (answer string) {
	by := strings.TrimPrefix(w[0], "nobody")
	var p Proposal
	var err error
	call := func(f func() (Proposal, error)) {
		s.e.stop()
		p, err = f()
		s.e.running = true
		s.run()
	}
	switch w[1] {
	case "proposes":
		settings, until := w[3:], core.Nanos(0)
		if n := len(settings); n > 1 && settings[n-2] == "until" {
			d, _ := time.ParseDuration(settings[n-1])
			settings, until = settings[:n-2], s.clock.Now()+core.Nanos(d)
		}
		call(func() (Proposal, error) {
			return s.e.ProposeLimits(s.scope(w[2]), s.limits(w[2], settings), until, by, "")
		})
	case "approves", "rejects":
		var id uint32
		fmt.Sscan(w[2], &id)
		call(func() (Proposal, error) { return s.e.DecideProposal(id, w[1] == "approves", by) })
	default:
		s.t.Fatalf("%s: %v", s.where, w)
	}
	switch {
	case err != nil:
		return "not recorded: " + fmt.Sprint(err)
	case p.Status == ProposalRefused:
		return "refused " + p.Reason.Code.String()
	case p.Status == ProposalUnchanged:
		return "nothing to change"
	case p.Status == ProposalWaiting:
		return fmt.Sprintf("proposal %d waits: %s is looser", p.ID, p.Loosens)
	}
	return fmt.Sprintf("proposal %d %s", p.ID, p.Status)
}

// told is what became of proposals since the last line.
func (s *limitsScript) told() (answers []string) {
	for _, ev := range s.drainEvents() {
		if ev.Kind == EventProposal {
			answers = append(answers, fmt.Sprintf("proposal %d %s", ev.Proposal.ID, ev.Proposal.Status))
		}
	}
	return answers
}

func (s *limitsScript) proposals() (answers []string) {
	s.e.stop()
	all, _ := s.e.Proposals()
	s.e.running = true
	for _, p := range all {
		answers = append(answers, fmt.Sprintf("proposal %d of %s %s: %s", p.ID, p.By, p.Status, text(&p.Limits, s.btc)))
	}
	if len(all) == 0 {
		return []string{"none"}
	}
	return answers
}

func (s *limitsScript) shown(scope string) string {
	l := s.e.m.tree.Limits(s.scope(scope))
	return text(&l, s.btc)
}

func text(l *risk.Limits, in *core.Instrument) string {
	spec, parts := l.Spec(in), []string(nil)
	for name, value := range spec.All() {
		parts = append(parts, name+"="+value)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, " ")
}

// buy reads "buy 10 at 100 [for other]".
func (s *limitsScript) buy(w []string) string {
	qty, err := core.ParseDecimal([]byte(w[1]), s.btc.QtyScale)
	price, err2 := core.ParseDecimal([]byte(w[3]), s.btc.PriceScale)
	if err != nil || err2 != nil {
		s.t.Fatalf("%s: %v", s.where, w)
	}
	c := s.limit(core.Buy, core.Price(price), core.Qty(qty), "")
	if r := s.ask(c); !r.Reason.OK() {
		return "refused " + r.Reason.Code.String()
	}
	return "accepted"
}

// scope reads firm, demo, demo/default, firm:BTC, demo:BTC.
func (s *limitsScript) scope(name string) risk.Scope {
	of, instrument, _ := strings.Cut(name, ":")
	sc := risk.FirmScope()
	switch of {
	case "demo":
		sc = risk.AccountScope(s.account.ID)
	case "demo/default":
		sc = risk.StrategyScope(s.strategy.ID)
	case "other":
		sc = risk.AccountScope(s.other)
	case "nobody":
		sc = risk.AccountScope(99)
	}
	if instrument != "" {
		sc.Level, sc.Instrument = risk.LevelInstrument, s.btc.ID
	}
	return sc
}

func (s *limitsScript) limits(scope string, settings []string) risk.Limits {
	var spec risk.Spec
	for _, kv := range settings {
		k, v, _ := strings.Cut(kv, "=")
		if err := spec.Put(k, v); err != nil {
			s.t.Fatalf("%s: %v", s.where, err)
		}
	}
	l, err := spec.Resolve(s.btc)
	if err != nil {
		s.t.Fatalf("%s: %v", s.where, err)
	}
	return l
}

// sameAgain requires that the journal, and a snapshot, make the same state.
func (s *limitsScript) sameAgain() {
	s.t.Helper()
	s.journal.commit()
	s.checkReplay()
	s.e.stop()
	saved := s.e.AppendSnapshot(nil)
	s.e.running = true
	again := New(s.cfg.shadow())
	if err := again.Restore(saved, nil); err != nil {
		s.t.Fatalf("%s: %v", s.where, err)
	}
	if !bytes.Equal(again.AppendSnapshot(nil), saved) {
		s.t.Fatalf("%s: restored, it is another state", s.where)
	}
}

// Names that differ beyond what a record keeps are not told apart by being cut.
func TestLongNamesAreRefused(t *testing.T) {
	s := newLimitsScript(t)
	long := strings.Repeat("a", record.MaxNoteLen)
	s.e.stop()
	p, err := s.e.ProposeLimits(risk.FirmScope(), s.limits("firm", []string{"market_slippage=1%"}), 0, long, "why")
	if err != nil || p.Status != ProposalWaiting || p.By != long || p.Note != "why" {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, by := range []string{long + "b", ""} {
		if p, err := s.e.DecideProposal(p.ID, true, by); err != nil || p.Reason.Code != risk.InvalidSetting {
			t.Errorf("approved by %q: %v, %v", by, p.Reason.Code, err)
		}
		if p, err := s.e.ProposeLimits(risk.FirmScope(), risk.Limits{}, 0, by, ""); err != nil || by != "" && p.Reason.Code != risk.InvalidSetting {
			t.Errorf("proposed by %q: %v, %v", by, p.Reason.Code, err)
		}
	}
	s.e.running = true
}
