package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/audit"
)

// auditPage is how many entries are read at once.
const auditPage = 1000

// errTampered is the outcome of a verification that found something.
var errTampered = errors.New("the audit log is not as it was written: docs/audit.md says what each finding means")

type auditLogsCmd struct {
	actorFlags `embed:""`
	Days       int    `help:"Entries of so many days." default:"7" env:"-"`
	User       string `help:"Only what this user, or user@host of a command, did." env:"-"`
	Action     string `help:"Only this action, such as limits.change; with * at its end all that begin so." env:"-"`
	Limit      int    `help:"At most so many, the newest." default:"10000" env:"-"`
	Verify     bool   `help:"Look at every entry and every anchor instead; exit with 1 if anything is wrong." env:"-"`
	Reanchor   string `help:"Accept what --verify found: begin a new file of anchors, for this reason, which is recorded." placeholder:"REASON" env:"-"`
	JSON       bool   `name:"json" help:"Print one JSON object a line; of --verify one object."`
}

// Run implements the command.
func (c *auditLogsCmd) Run(e *env) error {
	switch {
	case c.Days < 1 || c.Limit < 1:
		return badSetting("days, limit", "one at least")
	case c.Verify && c.Reanchor != "":
		return badSetting("reanchor", "look at what --verify finds first")
	case c.Verify:
		return c.verify(e)
	case c.Reanchor != "":
		return c.reanchor(e)
	}
	in, err := c.look(e.ctx)
	if err != nil {
		return err
	}
	defer in.close()
	log, err := in.unanchored(e.ctx)
	if err != nil {
		return err
	}
	return c.list(e, log)
}

// list prints the entries, the newest first, as they are read.
func (c *auditLogsCmd) list(e *env, log identity.Auditor) error {
	q := identity.AuditQuery{From: core.Nanos(time.Now().AddDate(0, 0, -c.Days).UnixNano()), Actor: c.User, Action: c.Action}
	if !c.JSON {
		fmt.Fprintf(e.stdout, auditLine, "N", "TIME", "ACTOR", "VIA", "ACTION", "OUTCOME", "TARGET", "")
	}
	for left := c.Limit; left > 0; {
		q.Limit = min(auditPage, left)
		entries, err := log.Entries(e.ctx, q)
		if err != nil {
			return err
		}
		for i := range entries {
			if err := c.print(e, &entries[i]); err != nil {
				return err
			}
		}
		if len(entries) < q.Limit {
			return nil
		}
		left -= len(entries)
		q.Before = entries[len(entries)-1].N
	}
	return nil
}

// auditLine is a line of the table: its columns are of fixed width, so that a long log is
// shown from its first entry on.
const auditLine = "%-7s %-20s %-20s %-11s %-18s %-16s %s%s\n"

func (c *auditLogsCmd) print(e *env, a *identity.AuditEntry) error {
	if c.JSON {
		return printJSON(e, rowOfEntry(a))
	}
	_, err := fmt.Fprintf(e.stdout, auditLine, strconv.FormatInt(a.N, 10), at(a.Time, "-"), printable(a.Actor), printable(a.Via),
		printable(a.Action), printable(a.Outcome), printable(a.Target), particulars(a))
	return err
}

// particulars is what else an entry says.
func particulars(a *identity.AuditEntry) string {
	var b strings.Builder
	for _, f := range []struct{ name, text string }{
		{"address", a.Address}, {"key", a.Key}, {"role", a.Role}, {"before", a.Before}, {"after", a.After}, {"detail", a.Detail},
	} {
		if f.text != "" {
			fmt.Fprintf(&b, "  %s: %s", f.name, printable(shortened(f.text)))
		}
	}
	return b.String()
}

// maxParticular is how many bytes of a particular the table shows: all of what people do, and
// the beginning of the settings that a server started with.
const maxParticular = 600

// shortened is the beginning of a text that is too long for a table.
func shortened(text string) string {
	if len(text) <= maxParticular {
		return text
	}
	end := maxParticular
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "… (all of it: --json)"
}

// entryRow is an entry as JSON has it.
type entryRow struct {
	N       int64      `json:"n"`
	Time    core.Nanos `json:"time"`
	Actor   string     `json:"actor"`
	Role    string     `json:"role"`
	Via     string     `json:"via"`
	Key     string     `json:"key"`
	Address string     `json:"address"`
	Action  string     `json:"action"`
	Target  string     `json:"target"`
	Outcome string     `json:"outcome"`
	Before  string     `json:"before"`
	After   string     `json:"after"`
	Detail  string     `json:"detail"`
	Journal uint64     `json:"journal"`
}

func rowOfEntry(a *identity.AuditEntry) entryRow { return entryRow(*a) }

func (c *auditLogsCmd) verify(e *env) error {
	in, err := c.act(e.ctx)
	if err != nil {
		return masterSetting(err)
	}
	defer in.close()
	report, err := in.log.Verify(e.ctx, nil)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(e, report)
	} else {
		printReport(e.stdout, report)
	}
	if err == nil && !report.Whole() {
		err = errTampered
	}
	return err
}

func printReport(w io.Writer, r *audit.Report) {
	fmt.Fprintf(w, "entries:  %d, the last one is %d\n", r.Entries, r.Last)
	fmt.Fprintf(w, "hash:     %s (note it elsewhere)\n", r.Hash)
	fmt.Fprintf(w, "anchors:  %d, from %d to %d, the last one of %s; %d entries since\n", r.Anchors, r.AnchoredFrom, r.AnchoredTo, at(r.AnchoredAt, "never"), r.Unanchored())
	for _, f := range r.Findings {
		fmt.Fprintf(w, "FOUND:    %s\n", printable(f.String()))
	}
	if r.More > 0 {
		fmt.Fprintf(w, "FOUND:    %d more\n", r.More)
	}
	if r.Whole() {
		fmt.Fprintln(w, "nothing is wrong")
	}
}

// reanchor begins a new file of anchors.
func (c *auditLogsCmd) reanchor(e *env) error {
	in, err := c.identityFlags.act(e.ctx)
	if err != nil {
		return masterSetting(err)
	}
	defer in.close()
	entry := &identity.AuditEntry{Actor: operator(c.As), Via: "cli", Detail: c.Reanchor}
	if err := in.log.Reanchor(e.ctx, entry); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "the audit log is anchored anew from entry %d on\n", entry.N)
	return err
}

// noted writes that a command was run, of whose outcome err tells. It returns err, and
// what went wrong with writing.
func (in *identities) noted(ctx context.Context, entry identity.AuditEntry, err error) error {
	entry.Via, entry.Outcome = "cli", "ok"
	if err != nil {
		entry.Outcome, entry.Detail = "failed", strings.TrimSpace(entry.Detail+" "+err.Error())
	}
	if failed := in.log.Audit(context.WithoutCancel(ctx), &entry); failed != nil {
		failed = fmt.Errorf("the audit log: %w", failed)
		return errors.Join(err, failed)
	}
	return err
}
