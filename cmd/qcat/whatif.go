package main

import (
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"

	"qcat/api/client"
)

type checkCmd struct {
	deskFlags    `embed:""`
	Account      string `help:"Account of the order." required:""`
	Strategy     string `help:"Strategy of the account; its default one where it is left out."`
	Instrument   string `help:"Instrument (venue:symbol)." required:""`
	Side         string `help:"buy or sell." enum:"buy,sell" required:""`
	Type         string `help:"limit or market; limit where a price is given." enum:",limit,market" default:""`
	TimeInForce  string `help:"gtc, ioc, fok, gtd or post_only." enum:",gtc,ioc,fok,gtd,post_only" default:""`
	Price        string `help:"Limit price."`
	Qty          string `help:"Quantity." required:""`
	ReduceOnly   bool   `help:"Only if it reduces the position."`
	PositionSide string `help:"Leg of the position, in hedge mode." enum:",both,long,short" default:""`
}

// checked is the answer to one order of a batch.
type checked struct {
	Accepted bool             `json:"accepted"`
	Refusals []client.Refusal `json:"refusals"`
	After    *struct {
		Levels []levelAfter `json:"levels"`
		Margin *struct {
			Currency string `json:"currency"`
			Initial  string `json:"initial_margin"`
			Reserved string `json:"reserved"`
			Free     string `json:"free"`
		} `json:"margin"`
	} `json:"after"`
}

type levelAfter struct {
	Scope        client.Scope `json:"scope"`
	State        string       `json:"state"`
	OpenOrders   int          `json:"open_orders"`
	Gross        *string      `json:"gross"`
	Net          *string      `json:"net"`
	Unfilled     *string      `json:"unfilled"`
	Leverage     *string      `json:"leverage"`
	ScenarioLoss *string      `json:"scenario_loss"`
}

// order is the order as the API takes it.
func (c *checkCmd) order() map[string]any {
	o := map[string]any{"account": c.Account, "instrument": c.Instrument, "side": c.Side, "qty": c.Qty}
	if c.Type == "" {
		c.Type = "market"
		if c.Price != "" {
			c.Type = "limit"
		}
	}
	for key, value := range map[string]string{"strategy": c.Strategy, "type": c.Type, "time_in_force": c.TimeInForce,
		"price": c.Price, "position_side": c.PositionSide} {
		if value != "" {
			o[key] = value
		}
	}
	if c.ReduceOnly {
		o["reduce_only"] = true
	}
	return o
}

// Run implements the command.
func (c *checkCmd) Run(e *env) error {
	var out struct {
		Seq     uint64    `json:"seq"`
		Results []checked `json:"results"`
	}
	show, err := c.call(e, http.MethodPost, "orders/check", map[string]any{"orders": []any{c.order()}}, &out)
	if err != nil || !show {
		return err
	}
	if len(out.Results) != 1 {
		return fmt.Errorf("%s answered %d orders, not one", c.Addr, len(out.Results))
	}
	return out.Results[0].print(e.stdout)
}

// print shows every refusal and what would be used after the order.
func (r *checked) print(out io.Writer) error {
	if r.Accepted {
		fmt.Fprintln(out, "admitted")
	}
	for i := range r.Refusals {
		fmt.Fprintf(out, "refused  %s\n", printable(r.Refusals[i].Detail))
	}
	if r.After == nil {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nAFTER IT\tSTATE\tOPEN\tGROSS\tNET\tUNFILLED\tLEVERAGE\tWORST SCENARIO")
	for i := range r.After.Levels {
		l := &r.After.Levels[i]
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", scopeText(&l.Scope), l.State, l.OpenOrders,
			known(l.Gross), known(l.Net), known(l.Unfilled), known(l.Leverage), known(l.ScenarioLoss))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if m := r.After.Margin; m != nil {
		fmt.Fprintf(out, "\n%s: initial margin %s, reserved %s, free %s\n", m.Currency, shorter(m.Initial), shorter(m.Reserved), shorter(m.Free))
	}
	return nil
}

// scopeText names a node as a person does.
func scopeText(s *client.Scope) string {
	f := scopeFlags{Account: s.Account, Strategy: s.Strategy, Instrument: s.Instrument}
	return f.String()
}
