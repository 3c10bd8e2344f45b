package main

import (
	"errors"
	"fmt"
	"net/http"

	"qcat/api/client"
	"qcat/risk"
)

// defaultAddr is where `qcat serve` listens.
const defaultAddr = "127.0.0.1:8082"

// scopeFlags name what a switch acts on; none is the whole firm.
type scopeFlags struct {
	Account    string `help:"Only this account."`
	Strategy   string `help:"Only this strategy of the account."`
	Instrument string `help:"Only this instrument (venue:symbol), firm-wide or within account and strategy."`
	JSON       bool   `name:"json" help:"Print what came of it as one JSON object."`
}

// level is the deepest level that is named.
func (f *scopeFlags) level() (risk.Level, error) {
	switch {
	case f.Strategy != "" && f.Account == "":
		return 0, badSetting("strategy", "needs --account beside it")
	case f.Instrument != "":
		return risk.LevelInstrument, nil
	case f.Strategy != "":
		return risk.LevelStrategy, nil
	case f.Account != "":
		return risk.LevelAccount, nil
	}
	return risk.LevelFirm, nil
}

func (f *scopeFlags) String() string {
	s := "the firm"
	switch {
	case f.Strategy != "":
		s = "strategy " + f.Account + "/" + f.Strategy
	case f.Account != "":
		s = "account " + f.Account
	}
	if f.Instrument != "" {
		s = f.Instrument + " of " + s
	}
	return s
}

type haltCmd struct {
	serverFlag `embed:""`
	scopeFlags `embed:""`
	Reason     string `help:"Why; it is recorded." required:""`
	KeepOpen   bool   `help:"Do not cancel what is open."`
}

// Run implements the command.
func (c *haltCmd) Run(e *env) error {
	return c.set(e, &c.serverFlag, risk.StateHalted, c.Reason, !c.KeepOpen)
}

type reduceCmd struct {
	serverFlag `embed:""`
	scopeFlags `embed:""`
	Reason     string `help:"Why; it is recorded." required:""`
	CancelOpen bool   `help:"Cancel what is open, too."`
}

// Run implements the command.
func (c *reduceCmd) Run(e *env) error {
	return c.set(e, &c.serverFlag, risk.StateReducing, c.Reason, c.CancelOpen)
}

type resumeCmd struct {
	serverFlag `embed:""`
	scopeFlags `embed:""`
	Reason     string `help:"Why; it is recorded." required:""`
}

// Run implements the command.
func (c *resumeCmd) Run(e *env) error {
	return c.set(e, &c.serverFlag, risk.StateActive, c.Reason, false)
}

// set posts the state and tells what came of it.
func (f *scopeFlags) set(e *env, server *serverFlag, state risk.TradingState, reason string, cancel bool) error {
	level, err := f.level()
	if err != nil {
		return err
	}
	body := map[string]any{"scope": level.String(), "state": state.String(), "reason": recordable(e, reason), "cancel_open": cancel}
	for key, value := range map[string]string{"account": f.Account, "strategy": f.Strategy, "instrument": f.Instrument} {
		if value != "" {
			body[key] = value
		}
	}
	var out struct {
		Cancelled int `json:"cancelled"`
	}
	if err := server.request(e, http.MethodPost, "risk/state", body, &out); err != nil {
		var refusal *client.Refusal
		if state != risk.StateActive && !errors.As(err, &refusal) {
			return fmt.Errorf("%w\n%s", err, signalFile)
		}
		return err
	}
	if f.JSON {
		body["cancelled"] = out.Cancelled
		return printJSON(e, body)
	}
	fmt.Fprintf(e.stdout, "%s is %s", f, state)
	if cancel {
		fmt.Fprintf(e.stdout, ", open orders being cancelled: %d", out.Cancelled)
	}
	fmt.Fprintln(e.stdout)
	return nil
}
