package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"qcat/api/auth"
	"qcat/core/identity"
	"qcat/persist/audit"
	stored "qcat/persist/identity"
	"qcat/persist/migrate"
	"qcat/persist/seal"
	"qcat/persist/vfs"
)

type rotateJWTCmd struct {
	actorFlags `embed:""`
	RevokeAll  bool `help:"End every token and every session now, too." env:"-"`
	JSON       bool `name:"json" help:"Print what was done as JSON."`
}

// Run implements the command.
func (c *rotateJWTCmd) Run(e *env) error {
	return c.administer(e, func(ctx context.Context, s *auth.Service, by auth.Principal) error {
		kid, err := s.RotateJWT(ctx, by, c.RevokeAll)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e, map[string]any{"kid": kid, "revoked_all": c.RevokeAll})
		}
		rest := "tokens that are out stay good until they expire"
		if c.RevokeAll {
			rest = "every session has ended"
		}
		_, err = fmt.Fprintf(e.stdout, "tokens are signed with the new key %s; %s\n", kid, rest)
		return err
	})
}

type rotateKeysCmd struct {
	actorFlags       `embed:""`
	NewMasterKey     bool   `help:"Make a new master key, too, where it is read from a file, and put it in its place." xor:"new" env:"-"`
	NewMasterKeyFile string `help:"Seal everything under the master key in this file, too; give it to the server afterwards." placeholder:"FILE" xor:"new" env:"-"`
	JSON             bool   `name:"json" help:"Print what was done as JSON."`
}

// Run implements the command. It may be killed at any moment and run again.
func (c *rotateKeysCmd) Run(e *env) error {
	in, err := c.look(e.ctx)
	if err != nil {
		return err
	}
	defer in.close()
	r := rotation{identities: in, env: e, by: operator(c.As), quiet: c.JSON}
	in.source = c.source(c.DataDir, in.dialect == migrate.SQLite)
	if err := r.plan(c); err != nil {
		return err
	}
	if err := in.unlock(e.ctx, in.source, c.DataDir, nil); err != nil {
		return masterSetting(err)
	}
	out, err := r.run()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e, map[string]any{"key_version": out.Version, "resumed": out.Resumed, "resealed": out.Resealed,
			"rewrapped": out.Rewrapped, "verified": out.Verified, "deleted": out.Deleted, "took_ns": out.Took, "new_master_key": r.next != ""})
	}
	fmt.Fprintf(e.stdout, "%d secrets are under key version %d, and were opened under it; %d old keys are deleted; %v\n",
		out.Verified, out.Version, out.Deleted, time.Duration(out.Took).Round(time.Millisecond))
	if r.next != "" {
		fmt.Fprintln(e.stdout, r.farewell())
	}
	return nil
}

// rotation is one run of rotate-keys.
type rotation struct {
	*identities
	env   *env
	by    string
	quiet bool
	next  string // the file of the new master key, "" when it stays
	into  string // where that file is moved in the end, "" when that is somebody else's task
}

// plan says which master key is to be the present one in the end. A change that was cut off
// is gone on with, whether that is asked for or not.
func (r *rotation) plan(c *rotateKeysCmd) error {
	if c.NewMasterKeyFile != "" {
		r.next = c.NewMasterKeyFile
		if _, err := seal.ReadFile(r.next); err != nil {
			return badSetting("new-master-key-file", "%v", err)
		}
		return nil
	}
	file := fileOf(&r.source)
	if file == "" {
		if c.NewMasterKey {
			return badSetting("new-master-key", "the master key is not read from a file: make a new one (openssl rand -base64 32), name its file with --new-master-key-file, and give it to the server afterwards")
		}
		return nil
	}
	_, err := os.Stat(file + nextSuffix)
	begun := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !begun && !c.NewMasterKey {
		return nil
	}
	r.next, r.into = file+nextSuffix, file
	if !begun {
		if err := seal.MakeFile(r.next); err != nil {
			return err
		}
	}
	if begun && !r.quiet {
		fmt.Fprintf(r.env.stdout, "going on with the change of the master key that %s is of\n", r.next)
	}
	return nil
}

// run rotates, and writes down that it began and how it ended.
func (r *rotation) run() (out stored.Rotation, err error) {
	ctx := r.env.ctx
	entry := identity.AuditEntry{Actor: r.by, Action: "keys.rotate", Target: "secrets"}
	if r.next != "" {
		entry.Target = "secrets and master key"
	}
	begun := entry
	begun.Action = "keys.rotate.begin"
	if err := r.noted(ctx, begun, nil); err != nil {
		return out, err
	}
	if r.next == "" {
		out, err = r.keys.Rotate(ctx, r.tell(r.env.stderr))
	} else {
		out, err = r.moveMaster(ctx)
	}
	if done, failed := json.Marshal(map[string]any{"key_version": out.Version, "rewrapped": out.Rewrapped, "deleted": out.Deleted}); failed == nil && err == nil {
		entry.After = string(done)
	}
	return out, r.noted(ctx, entry, err)
}

// moveMaster brings everything under the new master key. Each step finds what it did in a
// run before that was cut off; the file is moved last.
func (r *rotation) moveMaster(ctx context.Context) (out stored.Rotation, err error) {
	next, err := seal.ReadFile(r.next)
	if err != nil {
		return out, err
	}
	present := r.source
	masters := r.store.MastersFrom(seal.Source{File: r.next}, present)
	if r.keys, err = stored.OpenKeys(ctx, r.store, masters); err != nil {
		return out, err
	}
	if out, err = r.keys.Rotate(ctx, r.tell(r.env.stderr)); err != nil {
		return out, err
	}
	if r.head != "" {
		err := audit.Rekey(ctx, r.head, r.master.Derive(anchorPurpose), next.Derive(anchorPurpose))
		if err != nil && !errors.Is(err, audit.ErrNoHead) {
			return out, fmt.Errorf("the anchors of the audit log: %w", err)
		}
	}
	if r.into != "" {
		if err := os.Rename(r.next, r.into); err != nil {
			return out, err
		}
		if err := (vfs.OS{}).SyncDir(filepath.Dir(r.into)); err != nil {
			return out, err
		}
	}
	r.master = next
	r.log, err = r.logUnder(ctx, next, r.head, nil)
	return out, err
}

// tell prints the steps as they are done, and each thousandth secret.
func (r *rotation) tell(w io.Writer) func(stored.Progress) {
	step, every := "", 1000
	return func(p stored.Progress) {
		if r.quiet || p.Step == step && p.Done%every != 0 {
			return
		}
		step = p.Step
		fmt.Fprintf(w, "%s: %d\n", p.Step, p.Done)
	}
}

// farewell says what is left to do for whoever changed the master key.
func (r *rotation) farewell() string {
	if r.into != "" {
		return "the new master key is in " + r.into + ": a running server has taken it; keep a copy where backups are not"
	}
	return "everything is sealed under the master key of " + r.next + ": give it to the server in place of the old one now. Until then a running one goes on with the keys it knows, and can make none"
}
