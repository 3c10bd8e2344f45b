package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"qcat/risk"
)

// limitsCmd looks at the limits in force and changes them.
type limitsCmd struct {
	Show      limitsShowCmd      `cmd:"" help:"Show the limits that orders meet, where they hang, and how much of them is used."`
	Export    limitsExportCmd    `cmd:"" help:"Write all limits in force as the sections of a configuration."`
	Diff      limitsDiffCmd      `cmd:"" help:"Compare the limits in force with those of a configuration; exit with 1 when they differ."`
	Apply     limitsApplyCmd     `cmd:"" help:"Propose the limits of a configuration for every node whose limits differ."`
	Proposals limitsProposalsCmd `cmd:"" help:"List the changes that wait for another person, and the overrides that run."`
	Approve   limitsApproveCmd   `cmd:"" help:"Approve a change that waits; not by who proposed it."`
	Reject    limitsRejectCmd    `cmd:"" help:"Reject a change that waits, or take it back."`
}

// limitsAnswer is what risk/limits answers.
type limitsAnswer struct {
	Seq    uint64 `json:"seq"`
	Limits []struct {
		nodeLimits
		Use []struct {
			Limit string `json:"limit"`
			Used  string `json:"used"`
			Max   string `json:"max"`
			Ratio string `json:"ratio"`
		} `json:"use"`
	} `json:"limits"`
	Effective []struct {
		Limit string     `json:"limit"`
		Value string     `json:"value"`
		Scope limitScope `json:"scope"`
	} `json:"effective"`
}

// limitProposal is a proposed change as answers show it.
type limitProposal struct {
	ID      uint32     `json:"id"`
	Status  string     `json:"status"`
	Scope   limitScope `json:"scope"`
	Limits  risk.Spec  `json:"limits"`
	Before  risk.Spec  `json:"before"`
	Loosens string     `json:"loosens,omitempty"`
	Expires int64      `json:"expires,omitempty"`
	Until   int64      `json:"until,omitempty"`
	By      string     `json:"by"`
	Reason  string     `json:"reason,omitempty"`
	Time    int64      `json:"time"`
	Seq     uint64     `json:"seq"`
}

// line says what became of a change.
func (p *limitProposal) line() string {
	switch {
	case p.Status == "waiting":
		return fmt.Sprintf("%s: waits for another person as proposal %d: %s is looser", p.Scope, p.ID, p.Loosens)
	case p.Status == "unchanged":
		return fmt.Sprintf("%s: nothing to change", p.Scope)
	case p.Until != 0 && (p.Status == "applied" || p.Status == "running"):
		return fmt.Sprintf("%s: %s until %s (proposal %d)", p.Scope, p.Status, time.Unix(0, p.Until).UTC().Format(time.RFC3339), p.ID)
	}
	return fmt.Sprintf("%s: %s (proposal %d)", p.Scope, p.Status, p.ID)
}

// printJSON prints one object, in which nothing is hidden from who sees it on a terminal.
func printJSON(e *env, v any) error { return json.NewEncoder(visible{e.stdout}).Encode(v) }

type limitsShowCmd struct {
	serverFlag `embed:""`
	scopeFlags `embed:""`
}

// Run implements the command.
func (c *limitsShowCmd) Run(e *env) error {
	if _, err := c.level(); err != nil {
		return err
	}
	q := url.Values{}
	for key, value := range map[string]string{"account": c.Account, "strategy": c.Strategy, "instrument": c.Instrument} {
		if value != "" {
			q.Set(key, value)
		}
	}
	var got limitsAnswer
	if err := c.request(e, http.MethodGet, "risk/limits?"+q.Encode(), nil, &got); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e, got)
	}
	if q.Has("account") && len(got.Effective) == 0 && len(got.Limits) == 0 {
		// The firm's limits are everybody's: who meets none is nobody.
		return fmt.Errorf("there is no %s, or nothing limits it", &c.scopeFlags)
	}
	w := tabwriter.NewWriter(visible{e.stdout}, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "an order meets\t\tof")
	for _, l := range got.Effective {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", l.Limit, l.Value, l.Scope)
	}
	for i := range got.Limits {
		n := &got.Limits[i]
		fmt.Fprintf(w, "%s\t\tused\n", n.Scope)
		used := map[string]string{}
		for _, u := range n.Use {
			used[u.Limit] = u.Used + " (" + shareText(u.Ratio) + ")"
		}
		for name, text := range n.Limits.All() {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", name, text, used[name])
		}
	}
	return w.Flush()
}

// shareText shows a ratio as a person reads it.
func shareText(ratio string) string {
	v, err := strconv.ParseFloat(ratio, 64)
	if err != nil {
		return ratio
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + "%"
}

// inForce reads all limits of the server.
func inForce(e *env, server *serverFlag) (t limitTree, err error) {
	var got limitsAnswer
	if err := server.request(e, http.MethodGet, "risk/limits", nil, &got); err != nil {
		return nil, err
	}
	for i := range got.Limits {
		spec, err := canonical(got.Limits[i].Limits)
		if err != nil {
			return nil, err
		}
		t.add(got.Limits[i].Scope, spec)
	}
	t.sort()
	return t, nil
}

type limitsExportCmd struct {
	serverFlag `embed:""`
	Out        string `short:"o" help:"File to write; standard output without it." placeholder:"FILE"`
	JSON       bool   `name:"json" help:"Print the nodes as one JSON array instead."`
}

// Run implements the command.
func (c *limitsExportCmd) Run(e *env) error {
	t, err := inForce(e, &c.serverFlag)
	if err != nil {
		return err
	}
	var text []byte
	if c.JSON {
		text, err = json.Marshal(t)
		text = append(text, '\n')
	} else {
		text, err = t.yaml()
	}
	if err != nil {
		return err
	}
	if c.Out != "" {
		return os.WriteFile(c.Out, text, 0o600)
	}
	_, err = e.stdout.Write(text)
	return err
}

type limitsDiffCmd struct {
	serverFlag `embed:""`
	File       string `arg:"" help:"Configuration with the limits that are to be." placeholder:"FILE"`
	JSON       bool   `name:"json" help:"Print the differences as one JSON array."`
}

// errDiffer ends a comparison with exit code 1.
var errDiffer = errors.New("the limits in force are others")

// Run implements the command.
func (c *limitsDiffCmd) Run(e *env) error {
	changes, err := compareWith(e, &c.serverFlag, c.File)
	if err != nil {
		return err
	}
	if err := printChanges(e, changes, c.JSON); err != nil {
		return err
	}
	if len(changes) > 0 {
		return errDiffer
	}
	return nil
}

// compareWith lists what is to be done so that the server has the limits of a file.
func compareWith(e *env, server *serverFlag, file string) ([]nodeChange, error) {
	wants, err := treeInFile(e, file)
	if err != nil {
		return nil, err
	}
	now, err := inForce(e, server)
	if err != nil {
		return nil, err
	}
	return differences(now, wants), nil
}

// printChanges writes what is as -, and what is to be as +.
func printChanges(e *env, changes []nodeChange, asJSON bool) error {
	if asJSON {
		return printJSON(e, append([]nodeChange{}, changes...))
	}
	for i := range changes {
		fmt.Fprintln(e.stdout, changes[i].Scope)
		for _, c := range changes[i].Changes {
			if c.Now != "" {
				fmt.Fprintf(e.stdout, "- %s: %s\n", c.Limit, c.Now)
			}
			if c.Wants != "" {
				fmt.Fprintf(e.stdout, "+ %s: %s\n", c.Limit, c.Wants)
			}
		}
	}
	return nil
}

type limitsApplyCmd struct {
	serverFlag `embed:""`
	File       string `arg:"" help:"Configuration with the limits that are to be." placeholder:"FILE"`
	By         string `help:"Who proposes it; who runs the command without it."`
	Reason     string `help:"Why; it is recorded."`
	Until      string `help:"When the limits of now come back: a time such as 2026-01-31T18:00:00Z, or how long from now, such as 2h."`
	DryRun     bool   `help:"Only show what differs."`
	JSON       bool   `name:"json" help:"Print what came of each node as one JSON array."`
}

// Run implements the command.
func (c *limitsApplyCmd) Run(e *env) error {
	until, err := moment(c.Until, time.Now())
	if err != nil {
		return badSetting("until", "%v", err)
	}
	changes, err := compareWith(e, &c.serverFlag, c.File)
	if err != nil {
		return err
	}
	if c.DryRun {
		return printChanges(e, changes, c.JSON)
	}
	by, err := c.by(c.By)
	if err != nil {
		return err
	}
	c.Reason = recordable(e, c.Reason)
	answers, failed := []limitProposal{}, error(nil)
	for i := range changes {
		p, err := propose(e, &c.serverFlag, &changes[i], by, c.Reason, until)
		if err != nil {
			failed = fmt.Errorf("%s: %w", changes[i].Scope, err)
			fmt.Fprintf(e.stderr, "qcat: %v\n", failed)
			continue
		}
		answers = append(answers, p)
		if !c.JSON {
			fmt.Fprintln(e.stdout, p.line())
		}
	}
	if c.JSON {
		if err := printJSON(e, answers); err != nil {
			return err
		}
	} else if len(changes) == 0 {
		fmt.Fprintln(e.stdout, "nothing to change")
	}
	if failed != nil {
		return errors.New("not every change was taken")
	}
	return nil
}

// propose puts the limits of one node.
func propose(e *env, server *serverFlag, n *nodeChange, by, reason string, until int64) (p limitProposal, err error) {
	body := map[string]any{"scope": n.Scope.Level, "limits": n.wants}
	for key, value := range map[string]string{"account": n.Scope.Account, "strategy": n.Scope.Strategy,
		"instrument": n.Scope.Instrument, "reason": reason, "by": by} {
		if value != "" {
			body[key] = value
		}
	}
	if until != 0 {
		body["until"] = until
	}
	err = server.request(e, http.MethodPut, "risk/limits", body, &p)
	return p, err
}

// moment reads a time, or how long it is from now, as ns since 1970; "" is 0.
func moment(text string, now time.Time) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d).UnixNano(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("%q is neither how long from now, such as 2h, nor a time such as 2026-01-31T18:00:00Z", text)
	}
	return t.UnixNano(), nil
}
