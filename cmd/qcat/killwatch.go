package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"qcat/core"
	"qcat/core/engine"
	"qcat/risk"
)

// killEvery is how often the signal file is looked for, killLooks the most looks
// from its first sight to the act: a file that whoever writes it has not finished is
// given another look, one that changes all the time is not waited for. Together with
// the engine's answer they stay below 100 ms.
const (
	killEvery = 20 * time.Millisecond
	killLooks = 3
)

// killPatience is how long an answer of the engine may take before that is logged
// as a fault; what was asked for stays asked for.
const killPatience = 5 * time.Second

// killSwitch watches a signal file and does what it says: the kill switch that needs
// no network. One goroutine.
//
// The file is acted on when it appears and when its content changes, never because
// it goes away: who wants to trade again says so (`qcat resume`). It only ever
// tightens: a scope that is halted stays halted whatever the file asks for.
type killSwitch struct {
	path   string
	engine *engine.Engine
	clock  core.Clock
	log    *zap.Logger

	last  killSight // what was seen last
	looks int       // how often something new was seen since it was acted on
	done  killSight // what was acted on last
	blind string    // why the file cannot be looked for, as it was logged
}

// killSight is what a look at the file found.
type killSight struct {
	there    bool
	modified time.Time
	text     string
	fault    string // why it could not be read
}

// look looks at the file once, and reports whether what is there is to be acted on.
func (k *killSwitch) look() bool {
	now, err := sightOf(k.path)
	if err != nil {
		if k.blind != err.Error() {
			k.blind = err.Error()
			k.log.Error("the signal file cannot be looked for", zap.String("file", k.path), zap.Error(err))
		}
		return false
	}
	k.blind = ""
	if !now.there {
		if k.done.there {
			k.log.Info("the signal file is gone; what it stopped stays stopped until it is resumed", zap.String("file", k.path))
		}
		k.last, k.done, k.looks = killSight{}, killSight{}, 0
		return false
	}
	if now == k.done {
		k.last, k.looks = now, 0
		return false
	}
	k.looks++
	settled := now == k.last || k.looks >= killLooks
	k.last = now
	return settled
}

// sightOf looks at the file. err says that nobody can tell whether it is there.
func sightOf(path string) (s killSight, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.there, s.modified = true, info.ModTime()
	if !info.Mode().IsRegular() {
		s.fault = "not a regular file"
		return s, nil
	}
	f, err := os.Open(path)
	if err == nil {
		defer func() { _ = f.Close() }() // only read
		var raw []byte
		raw, err = io.ReadAll(io.LimitReader(f, maxKillBytes+1))
		s.text = string(raw)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return killSight{}, nil
	}
	if err != nil {
		s.fault = err.Error()
	}
	return s, nil
}

// first does what a file that was there before the start says, before the server
// takes orders. It returns an error if that cannot be done: such a server must not
// take any.
func (k *killSwitch) first(ctx context.Context) error {
	if !k.look() && !k.last.there {
		return nil
	}
	return k.act(ctx)
}

// run looks until ctx is done.
func (k *killSwitch) run(ctx context.Context) {
	tick := time.NewTicker(killEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if k.look() {
			_ = k.act(ctx) // logged there
		}
	}
}

// act does what was seen last says, and tells.
func (k *killSwitch) act(ctx context.Context) error {
	k.done, k.looks = k.last, 0
	orders, err := []killOrder{haltFirm}, error(nil)
	if k.last.fault != "" {
		err = errors.New(k.last.fault)
	} else {
		orders, err = parseKill(k.last.text, k.engine.Directory())
	}
	if err != nil {
		k.log.Error("the signal file cannot be understood: the firm is halted", zap.String("file", k.path), zap.Error(err))
	}
	var report bytes.Buffer
	failed := k.carryOut(ctx, orders, &report)
	if err != nil {
		fmt.Fprintf(&report, "not understood, the firm is halted: %q\n", err)
	}
	if err := k.answer(report.Bytes()); err != nil {
		k.log.Warn("the signal file's answer could not be written", zap.Error(err))
	}
	return failed
}

// carryOut has the engine do the orders, first those that halt, and adds a line for
// each to report.
func (k *killSwitch) carryOut(ctx context.Context, orders []killOrder, report *bytes.Buffer) error {
	ctx, cancel := context.WithTimeout(ctx, killPatience)
	defer cancel()
	replies := make(killReplies, len(orders))
	to, ok := k.engine.RegisterSink(replies)
	if ok {
		defer k.engine.UnregisterSink(to)
	} else {
		k.log.Warn("the signal file's orders are given without waiting for an answer: the engine has too many clients")
	}
	var errs []error
	for _, state := range []risk.TradingState{risk.StateHalted, risk.StateReducing} {
		asked := 0
		for i := range orders {
			if orders[i].state != state {
				continue
			}
			c := k.command(&orders[i])
			c.Reply, c.Token = to, uint64(i)
			for !k.engine.Submit(&c) {
				if !sleep(ctx, time.Millisecond) {
					return k.failed(orders[i].text, context.Cause(ctx))
				}
			}
			asked++
		}
		for ; ok && asked > 0; asked-- {
			select {
			case r := <-replies:
				errs = append(errs, k.tell(&orders[r.Token], &r, report))
			case <-ctx.Done():
				return errors.Join(append(errs, k.failed("an order", context.Cause(ctx)))...)
			}
		}
	}
	return errors.Join(errs...)
}

// command is what the engine is asked for.
func (k *killSwitch) command(o *killOrder) engine.Command {
	c := engine.Command{Kind: engine.CmdState, Scope: o.scope, State: o.state, CancelOpen: true,
		Received: k.clock.Now(), Note: engine.MakeNote("signal file: " + o.text)}
	if o.state != risk.StateHalted {
		var now risk.TradingState
		k.engine.Query(func(tree *risk.Tree, _ uint64) { now = tree.State(o.scope) })
		if now == risk.StateHalted {
			c.Kind = engine.CmdCancelAll
		}
	}
	return c
}

// tell logs what came of one order and adds it to the report.
func (k *killSwitch) tell(o *killOrder, r *engine.Reply, report *bytes.Buffer) error {
	at := time.Unix(0, int64(k.clock.Now())).UTC().Format(time.RFC3339Nano)
	if !r.Reason.OK() {
		fmt.Fprintf(report, "%s %s: REFUSED, %s\n", at, o.text, r.Reason.Code)
		return k.failed(o.text, errors.New(r.Reason.Code.String()))
	}
	done := "done"
	switch {
	case r.Kind == engine.CmdCancelAll:
		done = "is halted already"
	case r.Unrecorded:
		done = "done, not recorded: the journal takes no records"
	}
	fmt.Fprintf(report, "%s %s: %s, orders being cancelled: %d, journal sequence: %d\n", at, o.text, done, r.Cancelled, r.Seq)
	k.log.Warn("signal file", zap.String("does", o.text), zap.Int("cancelled", r.Cancelled), zap.Uint64("journal_seq", r.Seq),
		zap.Bool("unrecorded", r.Unrecorded), zap.Duration("since_written", time.Since(k.last.modified)))
	return nil
}

func (k *killSwitch) failed(what string, err error) error {
	k.log.Error("the signal file's order has failed", zap.String("does", what), zap.Error(err))
	return fmt.Errorf("signal file %s: %s: %w", k.path, what, err)
}

// answer writes the report beside the file, as a whole.
func (k *killSwitch) answer(report []byte) error {
	next := k.path + ".done.new"
	if err := os.WriteFile(next, report, 0o640); err != nil { //nolint:gosec // who may switch is the group, and no secret is in it
		return err
	}
	return os.Rename(next, k.path+".done")
}

// killReplies takes the engine's answers; there is room for all of them.
type killReplies chan engine.Reply

// Deliver implements engine.ReplySink.
func (c killReplies) Deliver(r *engine.Reply) {
	select {
	case c <- *r:
	default:
	}
}

// killFile is where the signal file is looked for.
func (c *serveCmd) killFile() string {
	if c.KillFile != "" {
		return c.KillFile
	}
	return filepath.Join(c.DataDir, "KILL")
}
