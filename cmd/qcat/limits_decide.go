package main

import (
	"fmt"
	"net/http"
	"os/user"
	"strconv"
)

type limitsProposalsCmd struct {
	serverFlag `embed:""`
	JSON       bool `name:"json" help:"Print the answer as one JSON object."`
}

// Run implements the command.
func (c *limitsProposalsCmd) Run(e *env) error {
	var got struct {
		Seq       uint64          `json:"seq"`
		Proposals []limitProposal `json:"proposals"`
	}
	if err := c.request(e, http.MethodGet, "risk/limits/proposals", nil, &got); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e, got)
	}
	for i := range got.Proposals {
		p := &got.Proposals[i]
		fmt.Fprintf(e.stdout, "%d  %s  by %s", p.ID, p.line(), printable(p.By))
		if p.Reason != "" {
			fmt.Fprintf(e.stdout, ", because: %s", printable(p.Reason))
		}
		fmt.Fprintln(e.stdout)
		now, wants := limitTree{{p.Scope, p.Before}}, limitTree{{p.Scope, p.Limits}}
		for _, change := range differences(now, wants) {
			for _, l := range change.Changes {
				fmt.Fprintf(e.stdout, "   %s: %s -> %s\n", l.Limit, orNone(l.Now), orNone(l.Wants))
			}
		}
	}
	if len(got.Proposals) == 0 {
		fmt.Fprintln(e.stdout, "nothing waits and no override runs")
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// decision is what approve and reject take.
type decision struct {
	serverFlag `embed:""`
	ID         uint32 `arg:"" help:"Number of the proposal."`
	By         string `help:"Who decides; who runs the command without it."`
	JSON       bool   `name:"json" help:"Print the answer as one JSON object."`
}

type limitsApproveCmd struct {
	decision `embed:""`
}

// Run implements the command.
func (c *limitsApproveCmd) Run(e *env) error { return c.decide(e, true) }

type limitsRejectCmd struct {
	decision `embed:""`
}

// Run implements the command.
func (c *limitsRejectCmd) Run(e *env) error { return c.decide(e, false) }

func (d *decision) decide(e *env, approve bool) error {
	by, err := d.by(d.By)
	if err != nil {
		return err
	}
	var p limitProposal
	path := "risk/limits/proposals/" + strconv.FormatUint(uint64(d.ID), 10)
	body := map[string]any{"approve": approve}
	if by != "" {
		body["by"] = by
	}
	if err := d.request(e, http.MethodPost, path, body, &p); err != nil {
		return err
	}
	if d.JSON {
		return printJSON(e, p)
	}
	fmt.Fprintln(e.stdout, p.line())
	return nil
}

// person is a name, or that of who runs the command.
func person(by string) (string, error) {
	if by != "" {
		return by, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", badSetting("by", "is needed: %v", err)
	}
	return u.Username, nil
}
