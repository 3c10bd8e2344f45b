package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/sqlite"
)

// migrateCmd brings the schema of the database up to date, or back.
type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" default:"withargs" help:"Apply what is pending; the default."`
	Status migrateStatusCmd `cmd:"" help:"List the steps and when they were applied."`
	Down   migrateDownCmd   `cmd:"" help:"Take the newest step back, and the data that only it has room for."`
}

// databaseFlags name a database: Postgres where one is set, else the embedded
// store of the data directory.
type databaseFlags struct {
	DatabaseURL string `help:"Postgres; DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD serve as well. Without one, the embedded store." env:"QCAT_DATABASE_URL,DATABASE_URL" placeholder:"URL"`
	DataDir     string `help:"The server's data directory, where the embedded store is." default:"./data"`
}

// postgresURL is the URL of the Postgres that is set by url or the environment, ""
// when none is.
func postgresURL(url string) string {
	if url != "" {
		return url
	}
	return postgres.URLFromEnv(environment)
}

// open opens the database, which may be empty. An embedded one that is not there is
// an error: a look must not leave a file behind where nobody wanted one.
func (f *databaseFlags) open(ctx context.Context) (*sql.DB, migrate.Dialect, error) {
	if url := postgresURL(f.DatabaseURL); url != "" {
		db, err := postgres.OpenDB(ctx, url)
		if errors.Is(err, postgres.ErrURL) {
			err = badSetting("database-url", "%v", err)
		}
		return db, migrate.Postgres, err
	}
	if err := f.present(); err != nil {
		return nil, migrate.SQLite, err
	}
	db, err := sqlite.OpenDB(ctx, embeddedPath(f.DataDir))
	return db, migrate.SQLite, err
}

// present wants the embedded store to be there: where it is not, a Postgres was meant
// that nobody named.
func (f *databaseFlags) present() error {
	if _, err := os.Stat(embeddedPath(f.DataDir)); errors.Is(err, os.ErrNotExist) {
		return badSetting("data-dir", "%s holds no database; qcat serve makes the embedded one, --database-url or DATABASE_URL names a Postgres", f.DataDir)
	}
	return nil
}

// step runs one change of the schema and tells what it did.
func (f *databaseFlags) step(e *env, asJSON bool, change func(context.Context, migrate.Dialect, *sql.DB) ([]migrate.Step, error), verb string) ([]migrate.Step, error) {
	db, dialect, err := f.open(e.ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // every step is committed
	steps, err := change(e.ctx, dialect, db)
	if asJSON {
		return steps, errors.Join(printSteps(e, steps), err)
	}
	for i := range steps {
		fmt.Fprintf(e.stdout, "%s %s\n", verb, steps[i].Name)
	}
	if err == nil && len(steps) == 0 {
		fmt.Fprintf(e.stdout, "the %s schema is as it should be: nothing to do\n", dialect)
	}
	return steps, err
}

// stepNames are the names of steps.
func stepNames(steps []migrate.Step) (names []string) {
	for i := range steps {
		names = append(names, steps[i].Name)
	}
	return names
}

type migrateUpCmd struct {
	databaseFlags `embed:""`
	auditedFlags  `embed:""`
	JSON          bool `name:"json" help:"Print the steps applied as JSON."`
}

// Run implements the command. It makes an embedded store that is not there: whoever
// calls it before every start need not know which of the two is used.
func (c *migrateUpCmd) Run(e *env) error {
	if postgresURL(c.DatabaseURL) == "" {
		if err := makeEmbedded(c.DataDir); err != nil {
			return err
		}
	}
	steps, err := c.step(e, c.JSON, migrate.Up, "applied")
	if len(steps) == 0 && err == nil {
		return nil
	}
	return c.write(e, &c.databaseFlags, "migrate.up", "schema", stepNames(steps), err)
}

// makeEmbedded makes an empty file for the embedded store, unless there is one.
func makeEmbedded(dataDir string) error {
	if err := os.MkdirAll(dataDir, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	f, err := os.OpenFile(embeddedPath(dataDir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return f.Close()
}

type migrateDownCmd struct {
	databaseFlags `embed:""`
	auditedFlags  `embed:""`
	JSON          bool `name:"json" help:"Print the step taken back as JSON."`
}

// Run implements the command.
func (c *migrateDownCmd) Run(e *env) (err error) {
	unlock, err := c.alone()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	// First: the step may take the audit log with it.
	if err := c.write(e, &c.databaseFlags, "migrate.down", "schema", nil, nil); err != nil {
		return err
	}
	_, err = c.step(e, c.JSON, migrate.Down, "took back")
	return err
}

// alone keeps servers off the embedded store while its schema changes: none goes on
// with tables that are gone. A Postgres that a server uses is not seen from here.
func (f *databaseFlags) alone() (unlock func() error, err error) {
	if _, err := os.Stat(f.DataDir); postgresURL(f.DatabaseURL) != "" || errors.Is(err, os.ErrNotExist) {
		return func() error { return nil }, nil
	}
	d, err := openDataDir(f.DataDir)
	if err != nil {
		return nil, err
	}
	return d.Close, nil
}

type migrateStatusCmd struct {
	databaseFlags `embed:""`
	JSON          bool `name:"json" help:"Print the steps as JSON."`
}

// Run implements the command.
func (c *migrateStatusCmd) Run(e *env) error {
	db, dialect, err := c.open(e.ctx)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // only read
	steps, err := migrate.Status(e.ctx, dialect, db)
	if err != nil {
		return err
	}
	if c.JSON {
		return printSteps(e, steps)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "VERSION\tAPPLIED\tSTEP (%s)\n", dialect)
	for i := range steps {
		s := &steps[i]
		applied, name := "pending", s.Name
		if s.Applied() {
			applied = s.AppliedAt.UTC().Format(time.RFC3339)
		}
		if name == "" {
			name = "unknown to this version"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\n", s.Version, applied, name)
	}
	return w.Flush()
}

func printSteps(e *env, steps []migrate.Step) error {
	type row struct {
		Version   int64      `json:"version"`
		Step      string     `json:"step"`
		AppliedAt *time.Time `json:"applied_at"`
	}
	rows := make([]row, len(steps))
	for i := range steps {
		rows[i] = row{Version: steps[i].Version, Step: steps[i].Name}
		if steps[i].Applied() {
			rows[i].AppliedAt = &steps[i].AppliedAt
		}
	}
	return printJSON(e, rows)
}
