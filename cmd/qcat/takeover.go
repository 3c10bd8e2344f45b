package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/vfs"
)

// errHeldTooLong is wrapped when another process did not give a data directory up in time.
var errHeldTooLong = errors.New("the data directory was not given up")

// databaseLook bounds how long a process that is about to wait looks for its database.
const databaseLook = 5 * time.Second

// checkTakeover reads the settings that are otherwise read only once the data directory is
// this process's: one that waited for it must not fail on them.
func (c *serveCmd) checkTakeover() error {
	if c.TakeoverWait < 0 {
		return badSetting("takeover-wait", "%v is not a time to wait", c.TakeoverWait)
	}
	_, _, lanes := c.laneFlags.parse()
	_, venue := c.settings()
	_, backups := c.times()
	return errors.Join(lanes, venue, backups)
}

// takeDataDir takes the data directory. While another process has it, it waits for that to
// drain, as long as it may; what can be wrong with its settings is found before.
//
// Errors: a setting's, when it may not wait; errHeldTooLong; the cause of ctx.
func (c *serveCmd) takeDataDir(ctx context.Context, log *zap.Logger) (*dataDir, error) {
	if c.TakeoverWait <= 0 {
		return openDataDir(c.DataDir)
	}
	dir, err := tryDataDir(c.DataDir)
	if !errors.Is(err, vfs.ErrHeld) {
		return dir, err
	}
	if err := c.prepare(ctx, log); err != nil {
		return nil, err
	}
	holder := holderOf(c.DataDir)
	log.Info("waiting for the data directory", zap.String("data_dir", c.DataDir), zap.String("holder", holder), zap.Duration("at_most", c.TakeoverWait))
	began := time.Now()
	patient, cancel := context.WithTimeout(ctx, c.TakeoverWait)
	defer cancel()
	dir, err = waitForDataDir(patient, c.DataDir)
	switch {
	case err == nil:
		log.Info("the data directory is taken over", zap.String("holder", holder), zap.Duration("waited", time.Since(began)))
		return dir, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("stopped while waiting for process %s: %w", holder, context.Cause(ctx))
	case errors.Is(err, vfs.ErrHeld):
		return nil, fmt.Errorf("%w: %s is in use by process %s, which has not ended within takeover-wait (%v): stop it, or wait longer",
			errHeldTooLong, c.DataDir, holderOf(c.DataDir), c.TakeoverWait)
	}
	return nil, err
}

// prepare looks at all that can be looked at while another process has the data directory.
// A database that is away does not keep a server from starting, one whose schema is not
// this program's does.
func (c *serveCmd) prepare(ctx context.Context, log *zap.Logger) error {
	url := postgresURL(c.DatabaseURL)
	if url == "" {
		return nil // the embedded store is in the directory
	}
	ctx, cancel := context.WithTimeout(ctx, databaseLook)
	defer cancel()
	db, err := postgres.OpenDB(ctx, url)
	if errors.Is(err, postgres.ErrURL) {
		return badSetting("database-url", "%v", err)
	}
	if err != nil {
		log.Warn("the database is away; it is asked again later", zap.Error(err))
		return nil
	}
	defer func() { _ = db.Close() }() // only read
	if err := migrate.Check(ctx, migrate.Postgres, db); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
