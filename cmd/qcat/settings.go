package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"qcat/core/identity"
)

// setting is a setting of the server as the audit log may show it.
type setting struct{ name, value string }

// settingsOf are the settings of the command that was chosen, by name. What may hold a
// secret is shown without it.
func settingsOf(kctx *kong.Context) (all []setting) {
	for _, group := range kctx.Selected().AllFlags(true) {
		for _, f := range group {
			if f.Name == "help" || f.Name == "version" {
				continue
			}
			value := strings.Trim(fmt.Sprint(kctx.FlagValue(f)), "[]")
			switch f.Name {
			case "database-url", "redis-url":
				value = withoutPassword(value)
			case "master-key-command":
				if value != "" {
					value = "set"
				}
			}
			all = append(all, setting{f.Name, value})
		}
	}
	slices.SortFunc(all, func(a, b setting) int { return strings.Compare(a.name, b.name) })
	return all
}

// withoutPassword is a URL without its password and what else may be one.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if text == "" {
		return ""
	}
	if err != nil || u.Host == "" {
		return "set"
	}
	return u.Scheme + "://" + u.User.Username() + "@" + u.Host + u.Path
}

// startAction is the action of the entry that a server writes at each start.
const startAction = "server.start"

// startView is what the entry of a start says.
type startView struct {
	Version  string            `json:"version"`
	Digest   string            `json:"digest"` // of all settings
	File     string            `json:"file"`   // digest of the configuration, in which accounts and limits are
	Settings map[string]string `json:"settings"`
}

// noteStart writes with which settings the server started, and what changed since the last
// time.
func (g *guard) noteStart(ctx context.Context) error {
	now := startView{Version: version, File: g.file, Settings: map[string]string{}}
	sum := sha256.New()
	for _, s := range g.settings {
		now.Settings[s.name] = s.value
		fmt.Fprintf(sum, "%q=%q\n", s.name, s.value)
	}
	fmt.Fprintf(sum, "file=%s\n", g.file)
	now.Digest = hex.EncodeToString(sum.Sum(nil))
	entry := identity.AuditEntry{Actor: "system", Via: "cli", Action: startAction, Target: g.cfg.DataDir, Outcome: "ok"}
	last, err := g.ledger.Entries(ctx, identity.AuditQuery{Action: startAction, Limit: 1})
	if err != nil {
		return err
	}
	if len(last) > 0 {
		entry.Before, entry.Detail = changesSince(last[0].After, &now)
	}
	after, err := json.Marshal(&now)
	if err != nil {
		return err
	}
	entry.After = string(after)
	return g.ledger.Audit(ctx, &entry)
}

// changesSince compares with the settings of the last start: what those that changed were,
// and their names.
func changesSince(text string, now *startView) (before, names string) {
	var last startView
	if json.Unmarshal([]byte(text), &last) != nil {
		return "", "the settings of the last start cannot be read"
	}
	was, changed := map[string]string{}, []string{}
	note := func(name, before, after string) {
		if before != after {
			was[name] = before
			changed = append(changed, name)
		}
	}
	note("version", last.Version, now.Version)
	note("configuration file", last.File, now.File)
	for name, value := range now.Settings {
		note(name, last.Settings[name], value)
	}
	for name, value := range last.Settings {
		if _, there := now.Settings[name]; !there {
			note(name, value, "")
		}
	}
	if len(changed) == 0 {
		return "", "the settings are those of the last start"
	}
	slices.Sort(changed)
	raw, err := json.Marshal(was)
	if err != nil {
		return "", strings.Join(changed, ", ")
	}
	return string(raw), "changed: " + strings.Join(changed, ", ")
}
