package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"qcat/persist/backup"
)

// backupCmd makes copies of everything that is kept, and brings them back. See
// docs/backup.md.
type backupCmd struct {
	Create  backupCreateCmd  `cmd:"" help:"Make a backup; the server may run."`
	List    backupListCmd    `cmd:"" help:"List the backups, newest first."`
	Verify  backupVerifyCmd  `cmd:"" help:"Check a backup: its files, checksums, journal and snapshots."`
	Restore backupRestoreCmd `cmd:"" help:"Bring a backup back into an empty database and data directory, and compare."`
	Cleanup backupCleanupCmd `cmd:"" help:"Remove old backups, never the newest complete one."`
}

// backupFlags name the folder of backups.
type backupFlags struct {
	BackupDir string `help:"Folder of the backups. Default: /app/backups where that exists, else ./backups." env:"QCAT_BACKUP_DIR,BACKUP_DIR" placeholder:"DIR"`
	JSON      bool   `name:"json" help:"Print the result as JSON."`
}

// deployedBackups is the folder of backups in the image.
const deployedBackups = "/app/backups"

func (f *backupFlags) dir() string {
	if f.BackupDir != "" {
		return f.BackupDir
	}
	if st, err := os.Stat(deployedBackups); err == nil && st.IsDir() {
		return deployedBackups
	}
	return "./backups"
}

// find says which backup is meant; "" is the newest complete one.
func (f *backupFlags) find(text string) (dir, name string, err error) {
	if text != "" {
		return backup.Find(f.dir(), text)
	}
	all, err := backup.List(f.dir())
	if err != nil {
		return "", "", err
	}
	for _, e := range all {
		if e.State == backup.StateComplete {
			return f.dir(), e.Name, nil
		}
	}
	return "", "", fmt.Errorf("%w: %s has no complete one", backup.ErrNone, f.dir())
}

// What of a backup is meant by --only.
const (
	partAll      = "all"
	partDatabase = "database"
	partData     = "data"
)

// database is what is backed up or restored: Postgres where one is set.
func (f *databaseFlags) database() backup.Database {
	if url := postgresURL(f.DatabaseURL); url != "" {
		return backup.Postgres{URL: url}
	}
	return backup.Embedded{DataDir: f.DataDir}
}

type backupCreateCmd struct {
	backupFlags   `embed:""`
	databaseFlags `embed:""`
	auditedFlags  `embed:""`
	Only          string `help:"all, or the database alone." enum:"all,database" default:"all" env:"-"`
	Verify        bool   `help:"Check it afterwards, as qcat backup verify does." default:"true" negatable:"" env:"-"`
	Background    bool   `help:"Take only what the machine has to spare: lowest priority for processors and disk." env:"-"`
}

// Run implements the command.
func (c *backupCreateCmd) Run(e *env) error {
	cfg := backup.CreateConfig{Dir: c.dir(), DataDir: c.DataDir, Database: c.database(), Program: version}
	if c.Only == partDatabase {
		cfg.DataDir = ""
	}
	if cfg.Database.Kind() == backup.KindEmbedded {
		if err := c.present(); err != nil {
			return err
		}
	}
	m, err := c.make(e.ctx, cfg)
	if m == nil {
		m = &backup.Manifest{}
	}
	if err := c.write(e, &c.databaseFlags, "backup.create", m.Name, backupView(m, c.Verify), err); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e, m)
	}
	_, err = fmt.Fprintf(e.stdout, "%s\n%s, %d rows%s, %s in %v\n", m.Name, m.Server, m.Rows(), recordsOf(m),
		byteSize(m.Bytes()).rounded(), roundTime(m.TookNs))
	return err
}

// make makes the backup and checks it.
func (c *backupCreateCmd) make(ctx context.Context, cfg backup.CreateConfig) (*backup.Manifest, error) {
	if c.Background {
		if err := toBackground(); err != nil {
			return nil, err
		}
	}
	m, err := backup.Create(ctx, cfg)
	if err != nil || !c.Verify {
		return m, err
	}
	if _, err := backup.Verify(ctx, cfg.Dir, m.Name); err != nil {
		return m, fmt.Errorf("%s was made and cannot be verified: %w", m.Name, err)
	}
	return m, nil
}

// backupView is what the audit log is shown of a backup.
func backupView(m *backup.Manifest, verified bool) any {
	return map[string]any{"server": m.Server, "rows": m.Rows(), "bytes": m.Bytes(), "verified": verified}
}

// recordsOf says which records of the journal a backup holds.
func recordsOf(m *backup.Manifest) string {
	if m.Data == nil {
		return ", no journal"
	}
	return fmt.Sprintf(", journal records %d to %d, %d snapshots", m.Data.First, m.Data.Last, m.Data.Snapshots)
}

func roundTime(ns int64) time.Duration { return time.Duration(ns).Round(time.Millisecond) }

type backupListCmd struct {
	backupFlags `embed:""`
}

// Run implements the command.
func (c *backupListCmd) Run(e *env) error {
	all, err := backup.List(c.dir())
	if err != nil {
		return err
	}
	if len(all) == 0 && !c.JSON {
		fmt.Fprintf(visible{e.stderr}, "qcat: there is no backup in %s\n", c.dir())
	}
	return printBackups(e, all, c.JSON)
}

func printBackups(e *env, all []backup.Entry, asJSON bool) error {
	if asJSON {
		if all == nil {
			all = []backup.Entry{}
		}
		return printJSON(e, all)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tTIME\tSIZE\tSTORE\tSEQ\tSTATE")
	for i := range all {
		b := &all[i]
		state := b.State
		if b.Why != "" {
			state += ": " + b.Why
		}
		if !b.Verified.IsZero() {
			state += ", verified"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", b.Name, b.Time.Format(time.RFC3339), byteSize(b.Bytes).rounded(), b.Store, b.Seq, state)
	}
	return w.Flush()
}

type backupVerifyCmd struct {
	backupFlags `embed:""`
	Name        string `arg:"" optional:"" help:"Its name, or the path of one of its files; the newest complete one unless given."`
}

// Run implements the command.
func (c *backupVerifyCmd) Run(e *env) error {
	dir, name, err := c.find(c.Name)
	if err != nil {
		return err
	}
	found, err := backup.Verify(e.ctx, dir, name)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e, found)
	}
	m := found.Manifest
	_, err = fmt.Fprintf(e.stdout, "%s is whole: %s, %d rows%s; checked in %v\n", m.Name, m.Server, m.Rows(), recordsOf(m), roundTime(found.Took.Nanoseconds()))
	return err
}

type backupRestoreCmd struct {
	backupFlags   `embed:""`
	databaseFlags `embed:""`
	auditedFlags  `embed:""`
	Name          string `arg:"" help:"Its name, or the path of one of its files."`
	Only          string `help:"all, the database alone, or the data directory (journal and snapshots) alone." enum:"all,database,data" default:"all" env:"-"`
	Clean         bool   `help:"Move aside what is there: files into a folder of the data directory, tables into a schema qcat_old_…" env:"-"`
}

// Run implements the command.
func (c *backupRestoreCmd) Run(e *env) (err error) {
	dir, name, err := backup.Find(c.dir(), c.Name)
	if err != nil {
		return err
	}
	cfg := backup.RestoreConfig{Dir: dir, Name: name, DataDir: c.DataDir, Database: c.database(), Clean: c.Clean}
	_, embedded := cfg.Database.(backup.Embedded)
	switch {
	case c.Only == partData:
		cfg.Database = nil
	case c.Only == partDatabase && embedded:
		return badSetting("only", "the embedded store is part of the data directory: restore all of it")
	case c.Only == partDatabase:
		cfg.DataDir = ""
	}
	unlock, err := c.lock(cfg.DataDir != "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	tell, done := restoreProgress(e.stderr)
	cfg.Progress = tell
	out, err := backup.Restore(e.ctx, cfg)
	done()
	if err := c.write(e, &c.databaseFlags, "backup.restore", name, map[string]any{"only": c.Only, "clean": c.Clean}, err); err != nil {
		return err
	}
	return c.print(e, out)
}

// lock keeps servers off the data directory; one that need not be there is left
// alone when it is not.
func (c *backupRestoreCmd) lock(needed bool) (unlock func() error, err error) {
	if _, err := os.Stat(c.DataDir); !needed && errors.Is(err, os.ErrNotExist) {
		return func() error { return nil }, nil
	}
	d, err := openDataDir(c.DataDir)
	if err != nil {
		return nil, fmt.Errorf("restore needs the data directory for itself: %w", err)
	}
	return d.Close, nil
}

func (c *backupRestoreCmd) print(e *env, out *backup.Outcome) error {
	if c.JSON {
		return printJSON(e, out)
	}
	m := out.Manifest
	fmt.Fprintf(e.stdout, "%s is restored in %v\n", m.Name, roundTime(out.Took.Nanoseconds()))
	if c.Only != partData {
		fmt.Fprintf(e.stdout, "content hash equal: %d rows in %d tables\n", out.Rows, len(m.Tables))
	}
	if c.Only != partDatabase && m.Data != nil {
		fmt.Fprintf(e.stdout, "journal whole: records %d to %d\n", m.Data.First, m.Data.Last)
	}
	for _, aside := range out.Aside {
		fmt.Fprintf(e.stdout, "what was there before is in %s\n", aside)
	}
	return nil
}

type backupCleanupCmd struct {
	backupFlags   `embed:""`
	databaseFlags `embed:""`
	auditedFlags  `embed:""`
	RetentionDays int `help:"Backups older than this many days are removed." default:"30" env:"QCAT_BACKUP_RETENTION_DAYS,BACKUP_RETENTION_DAYS"`
}

// Run implements the command.
func (c *backupCleanupCmd) Run(e *env) error {
	if c.RetentionDays < 1 {
		return badSetting("retention-days", "%d days: one at least", c.RetentionDays)
	}
	removed, err := backup.Cleanup(c.dir(), time.Duration(c.RetentionDays)*24*time.Hour, time.Now())
	if len(removed) > 0 || err != nil {
		names := []string{}
		for i := range removed {
			names = append(names, removed[i].Name)
		}
		err = c.write(e, &c.databaseFlags, "backup.cleanup", c.dir(), names, err)
	}
	if c.JSON {
		return errors.Join(printBackups(e, removed, true), err)
	}
	for _, b := range removed {
		fmt.Fprintln(e.stdout, "removed", b.Name)
	}
	if err == nil && len(removed) == 0 {
		fmt.Fprintf(e.stdout, "no backup is older than %d days\n", c.RetentionDays)
	}
	return err
}
