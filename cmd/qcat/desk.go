package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"qcat/core"
)

// deskFlags are what every command of the desk has: where the server is and whether the
// answer is wanted as it came.
type deskFlags struct {
	serverFlag `embed:""`
	JSON       bool `name:"json" help:"Print the answer as JSON."`
}

// call asks the server and prints the answer as it came, if that is wanted; otherwise
// it reads it into out, and reports that something is to be printed.
func (f *deskFlags) call(e *env, method, path string, body, out any) (show bool, err error) {
	var raw json.RawMessage
	if err := f.request(e, method, path, body, &raw); err != nil {
		return false, err
	}
	if f.JSON {
		_, err := fmt.Fprintf(e.stdout, "%s\n", raw)
		return false, err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return false, fmt.Errorf("the answer of %s: %w", f.Addr, err)
	}
	return true, nil
}

// byFlag says who does it, for the audit.
type byFlag struct {
	By string `help:"Who does it, where the server asks nobody; it is recorded. Default: whoever runs the command."`
}

// sign adds to a request who does it, where the server asks nobody: one that does knows.
func (f *byFlag) sign(server *serverFlag, body map[string]any) {
	by := f.By
	if by == "" && !server.proves() {
		by = userVar()
	}
	if by != "" {
		body["by"] = by
	}
}

// userVar is who runs the command, as the environment has it.
func userVar() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return "somebody"
}

type accountsCmd struct {
	deskFlags `embed:""`
	Account   string `arg:"" optional:"" help:"Only this account."`
}

// accountLine is what is shown of an account; null is what nobody can say.
type accountLine struct {
	Account     string  `json:"account"`
	State       string  `json:"state"`
	Mode        string  `json:"position_mode"`
	Equity      *string `json:"equity"`
	Free        *string `json:"free"`
	MarginRatio *string `json:"margin_ratio"`
	Leverage    *string `json:"leverage"`
	Wallets     []struct {
		Currency string `json:"currency"`
		Balance  string `json:"balance"`
		Equity   string `json:"equity"`
		Free     string `json:"free"`
	} `json:"wallets"`
}

// Run implements the command.
func (c *accountsCmd) Run(e *env) error {
	path := "accounts"
	if c.Account != "" {
		path += "?account=" + url.QueryEscape(c.Account)
	}
	var list []accountLine
	show, err := c.call(e, http.MethodGet, path, nil, &list)
	if err != nil || !show {
		return err
	}
	if len(list) == 0 && c.Account != "" {
		return fmt.Errorf("there is no account %s", c.Account)
	}
	w := tabwriter.NewWriter(visible{e.stdout}, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ACCOUNT\tSTATE\tMODE\tEQUITY\tFREE\tMARGIN RATIO\tLEVERAGE\tWALLETS (BALANCE, FREE)")
	for i := range list {
		a := &list[i]
		var wallets []string
		for _, m := range a.Wallets {
			wallets = append(wallets, fmt.Sprintf("%s %s, %s", m.Currency, shorter(m.Balance), shorter(m.Free)))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Account, a.State, a.Mode, known(a.Equity), known(a.Free),
			known(a.MarginRatio), known(a.Leverage), strings.Join(wallets, "; "))
	}
	return w.Flush()
}

// known is a decimal without the zeros at its end, a dash where nobody can say it.
func known(v *string) string {
	if v == nil {
		return "-"
	}
	return shorter(*v)
}

// shorter cuts the zeros at the end of a decimal's fraction.
func shorter(v string) string {
	if !strings.Contains(v, ".") {
		return v
	}
	return strings.TrimSuffix(strings.TrimRight(v, "0"), ".")
}

// written is the answer of what is recorded and nothing else.
type written struct {
	Seq uint64 `json:"seq"`
}

type transferCmd struct {
	deskFlags `embed:""`
	byFlag    `embed:""`
	Account   string `arg:"" help:"Account that gets or gives."`
	Currency  string `arg:"" help:"Currency, such as USDT."`
	Amount    string `arg:"" help:"Amount; negative: taken out (write -- before it)."`
	Reason    string `help:"Why; it is recorded." required:""`
}

// Run implements the command.
func (c *transferCmd) Run(e *env) error {
	body := map[string]any{"currency": c.Currency, "amount": c.Amount, "reason": recordable(e, c.Reason)}
	c.sign(&c.serverFlag, body)
	var out written
	show, err := c.call(e, http.MethodPost, "accounts/"+url.PathEscape(c.Account)+"/transfers", body, &out)
	if err != nil || !show {
		return err
	}
	fmt.Fprintf(e.stdout, "account %s: %s %s, journal sequence %d\n", c.Account, c.Amount, c.Currency, out.Seq)
	return nil
}

type marginCmd struct {
	deskFlags    `embed:""`
	byFlag       `embed:""`
	Account      string `arg:"" help:"Account whose settings change."`
	Instrument   string `arg:"" optional:"" help:"Derivative (venue:symbol); not for --position-mode."`
	Leverage     string `help:"Initial margin is the notional divided by it: 10x." placeholder:"N"`
	Mode         string `help:"cross: the whole wallet answers; isolated: a margin of its own." enum:",cross,isolated" default:""`
	PositionMode string `help:"one_way, or hedge: a long and a short position side by side." enum:",one_way,hedge" default:""`
	Amount       string `help:"Add to the margin of an isolated position; negative: take from it (--amount=-5)."`
	PositionSide string `help:"Whose margin --amount changes, in hedge mode." enum:",long,short" default:""`
}

// Run implements the command.
func (c *marginCmd) Run(e *env) error {
	body := map[string]any{}
	c.sign(&c.serverFlag, body)
	for key, value := range map[string]string{"instrument": c.Instrument, "leverage": strings.TrimSuffix(c.Leverage, "x"), "mode": c.Mode,
		"position_mode": c.PositionMode, "amount": c.Amount, "position_side": c.PositionSide} {
		if value != "" {
			body[key] = value
		}
	}
	if c.Leverage+c.Mode+c.PositionMode+c.Amount == "" {
		return badSetting("margin", "say what: --leverage, --mode, --position-mode or --amount")
	}
	var out written
	show, err := c.call(e, http.MethodPut, "accounts/"+url.PathEscape(c.Account)+"/margin", body, &out)
	if err != nil || !show {
		return err
	}
	fmt.Fprintf(e.stdout, "account %s: changed, journal sequence %d\n", c.Account, out.Seq)
	return nil
}

type fundingCmd struct {
	deskFlags  `embed:""`
	Instrument string `arg:"" help:"Derivative (venue:symbol)."`
	Rate       string `arg:"" help:"What longs pay to shorts, of the notional: 0.01% or 1bp; negative: they get it (write -- before it)."`
	Price      string `help:"Price that the notional is taken at; the mark where it is left out." placeholder:"P"`
}

// Run implements the command.
func (c *fundingCmd) Run(e *env) error {
	ppb, err := parsePercent(c.Rate, 7)
	if err != nil {
		return badSetting("rate", "%v", err)
	}
	body := map[string]any{"instrument": c.Instrument, "rate": core.FormatDecimal(ppb, 9)}
	if c.Price != "" {
		body["price"] = c.Price
	}
	var out written
	show, err := c.call(e, http.MethodPost, "funding", body, &out)
	if err != nil || !show {
		return err
	}
	fmt.Fprintf(e.stdout, "%s: funding of %s is paid, journal sequence %d\n", c.Instrument, c.Rate, out.Seq)
	return nil
}
