package paper

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"qcat/core"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts in testdata give as what they should give")

// TestScripts plays testdata/*.txt: lines of what happens, each followed by the
// reports that it must bring, indented. -rewrite writes the latter anew.
//
//	snapshot bid 99:5 ask 101:4     the whole book
//	levels bid 99:3 ask 102:0       one run of changes
//	trade sell 99 3                 by its aggressor; "@T" gives the exchange time
//	stale                           the book waits for a snapshot
//	new 1 buy limit gtc 100 5       "until=N" for gtd
//	new 1 sell market ioc 5
//	amend 1 100 3   cancel 1        price and total quantity
//	clock 5                         moves both clocks by so many ns
//	settings maker=-100 taker=500 latency=5 cancel=2    starts anew
//	settings base=1                 a spot instrument whose buys pay in its base
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { playFile(t, file) })
	}
}

func playFile(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, Settings{})
	var got strings.Builder
	for n, line := range strings.Split(strings.TrimRight(string(raw), "\n"), "\n") {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		got.WriteString(line + "\n")
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if words[0] == "settings" {
			s = newStage(t, parseSettings(t, words[1:]))
			if s.matcher.settings.Fees.Base {
				s.defs[one].Kind, s.defs[one].SettleScale = core.Spot, 2
			}
			continue
		}
		if err := s.play(words); err != nil {
			t.Fatalf("%s:%d: %v", file, n+1, err)
		}
		for _, r := range s.take() {
			got.WriteString("  " + describe(&r) + "\n")
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(raw) {
		t.Errorf("%s gives\n%s", file, got.String())
	}
}

func parseSettings(t *testing.T, words []string) Settings {
	var s Settings
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		v, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		switch key {
		case "maker":
			s.Fees.MakerPPM = v
		case "taker":
			s.Fees.TakerPPM = v
		case "base":
			s.Fees.Base = v != 0
		case "latency":
			s.OrderLatency = time.Duration(v)
		case "cancel":
			s.CancelLatency = time.Duration(v)
		case "orders":
			s.MaxOrders = int(v)
		default:
			t.Fatalf("setting %q", key)
		}
	}
	return s
}

// play does what one line says.
func (s *stage) play(words []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v: %v", words, r)
		}
	}()
	switch words[0] {
	case "snapshot":
		s.run(core.FlagSnapshot, parseLevels(words[1:])...)
	case "levels":
		s.run(0, parseLevels(words[1:])...)
	case "trade":
		ev := core.Event{
			Kind: core.EventTrade, Side: core.ParseSide(words[1]),
			Price: core.Price(number(words[2])), Qty: core.Qty(number(words[3])),
		}
		if len(words) > 4 {
			ev.ExchangeTime = core.Nanos(number(strings.TrimPrefix(words[4], "@")))
		}
		s.event(ev)
	case "stale":
		s.stale()
	case "clock":
		s.now += core.Nanos(number(words[1]))
		s.exchange = s.now
		s.matcher.Advance(s.now)
	case "new":
		s.send(parseNew(words[1:]))
	case "amend":
		s.send(core.VenueCommand{
			Op: core.VenueAmend, Order: core.OrderID(number(words[1])),
			Price: core.Price(number(words[2])), Qty: core.Qty(number(words[3])),
		})
	case "cancel":
		s.send(core.VenueCommand{Op: core.VenueCancel, Order: core.OrderID(number(words[1]))})
	default:
		return fmt.Errorf("unknown word %q", words[0])
	}
	return nil
}

func parseNew(w []string) core.VenueCommand {
	c := core.VenueCommand{
		Op: core.VenueNew, Order: core.OrderID(number(w[0])), Side: core.ParseSide(w[1]),
		Type: core.ParseOrdType(w[2]), TIF: core.ParseTimeInForce(w[3]),
	}
	w = w[4:]
	if c.Type == core.Limit {
		c.Price, w = core.Price(number(w[0])), w[1:]
	}
	c.Qty, w = core.Qty(number(w[0])), w[1:]
	if len(w) > 0 {
		c.ExpireTime = core.Nanos(number(strings.TrimPrefix(w[0], "until=")))
	}
	return c
}

func parseLevels(words []string) []core.Event {
	var out []core.Event
	side := core.Side(0)
	for _, w := range words {
		switch w {
		case "bid":
			side = core.Buy
		case "ask":
			side = core.Sell
		default:
			p, q, _ := strings.Cut(w, ":")
			out = append(out, core.Event{Side: side, Price: core.Price(number(p)), Qty: core.Qty(number(q))})
		}
	}
	return out
}

func number(s string) int64 {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return v
}

var execNames = map[core.ExecType]string{
	core.ExecNew: "new", core.ExecTrade: "trade", core.ExecCancelled: "cancelled",
	core.ExecRejected: "rejected", core.ExecExpired: "expired", core.ExecReplaced: "replaced",
	core.ExecCancelRejected: "cancel rejected", core.ExecReplaceRejected: "replace rejected",
}

// describe writes a report as the scripts show it.
func describe(r *core.ExecReport) string {
	d := fmt.Sprintf("%d %s", r.Order, execNames[r.Type])
	switch r.Type {
	case core.ExecTrade:
		d += fmt.Sprintf(" %s %d at %d", r.Liquidity, r.LastQty, r.LastPx)
		if r.Fee != 0 {
			d += " fee " + core.FormatDecimal(int64(r.Fee), 2)
			if r.FeeIn == core.FeeBase {
				d += " base"
			}
		}
	case core.ExecReplaced:
		d += fmt.Sprintf(" %d at %d", r.Qty, r.Price)
	}
	if r.VenueCode != 0 {
		d += " " + core.VenueReason(r.VenueCode).String()
	}
	return d
}
