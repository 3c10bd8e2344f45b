package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"qcat/core/identity"
	"qcat/persist/backup"
	"qcat/persist/backup/schedule"
)

// scheduleFlags say when `qcat serve` makes backups by itself.
type scheduleFlags struct {
	BackupSchedule  string        `help:"When the server makes a backup: five fields of cron in UTC, or after CRON_TZ=ZONE, such as \"0 2 * * *\". Default: it makes none." placeholder:"CRON"`
	BackupDir       string        `help:"Folder of the backups. Default: /app/backups where that exists, else ./backups." env:"QCAT_BACKUP_DIR,BACKUP_DIR" placeholder:"DIR"`
	BackupRetention time.Duration `help:"Backups that are older are removed after a scheduled one, never the newest complete one; 0: none is." default:"720h"`
}

// times reads the settings.
func (f *scheduleFlags) times() (schedule.Times, error) {
	if f.BackupRetention < 0 {
		return schedule.Times{}, badSetting("backup-retention", "%v is not a time to keep", f.BackupRetention)
	}
	times, err := schedule.Parse(f.BackupSchedule)
	if err != nil {
		return times, badSetting("backup-schedule", "%v", err)
	}
	return times, nil
}

// buildBackups makes who makes backups, and tells how old the newest is whoever made it.
func (s *server) buildBackups() error {
	times, err := s.cfg.times()
	if err != nil {
		return err
	}
	dir := (&backupFlags{BackupDir: s.cfg.BackupDir}).dir()
	cfg := schedule.Config{Times: times, Dir: dir, Log: s.log.Named("backup"),
		Make: func(ctx context.Context) (*backup.Manifest, error) { return s.makeBackup(ctx, dir) }}
	if s.cfg.BackupRetention > 0 {
		cfg.Cleanup = func(ctx context.Context) error { return s.cleanBackups(ctx, dir) }
	}
	s.backups = schedule.NewKeeper(cfg)
	return nil
}

// Who makes a scheduled backup, as the audit log names him.
const scheduleActor = "schedule"

// backupStop is how long a backup that is stopped may take to remove its files.
const backupStop = time.Second

// backupLastWords bounds what is kept of what a backup says on stderr.
const backupLastWords = 4 << 10

// makeBackup has another process make and verify a backup, which takes only what the
// machine has to spare: neither its memory nor its threads are this process's, and it
// writes its entry of the audit log as one that is made by hand does.
func (s *server) makeBackup(ctx context.Context, dir string) (*backup.Manifest, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, exe, "backup", "create", "--json", "--background", "--as", scheduleActor) //nolint:gosec // this very program
	cmd.Env = s.backupEnvironment(dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) } // pg_dump too
	cmd.WaitDelay = backupStop
	var out bytes.Buffer
	said := &endOfText{limit: backupLastWords}
	cmd.Stdout, cmd.Stderr = &out, said
	if err := cmd.Run(); err != nil {
		return nil, said.failed(err)
	}
	m := new(backup.Manifest)
	if err := json.Unmarshal(out.Bytes(), m); err != nil {
		return nil, fmt.Errorf("what qcat backup create says cannot be read: %w", err)
	}
	return m, nil
}

// backupEnvironment is what the other process is told: what this one is set to, however
// that was. A secret is not told on the command line, which everybody can read.
func (s *server) backupEnvironment(dir string) []string {
	env := append(os.Environ(), "QCAT_DATA_DIR="+s.cfg.DataDir, "QCAT_BACKUP_DIR="+dir, "QCAT_CONFIG=", "GOMAXPROCS=1")
	for _, v := range []struct{ name, value string }{
		{"QCAT_DATABASE_URL", postgresURL(s.cfg.DatabaseURL)},
		{"QCAT_MASTER_KEY_FILE", s.cfg.MasterKeyFile},
		{"QCAT_MASTER_KEY_COMMAND", s.cfg.MasterKeyCommand},
	} {
		if v.value != "" {
			env = append(env, v.name+"="+v.value)
		}
	}
	return env
}

// cleanBackups removes what is older than the retention, and writes down what.
func (s *server) cleanBackups(ctx context.Context, dir string) error {
	removed, err := backup.Cleanup(dir, s.cfg.BackupRetention, time.Now())
	if len(removed) == 0 || s.guard == nil {
		return err
	}
	names := make([]string, len(removed))
	for i := range removed {
		names[i] = removed[i].Name
	}
	after, failed := json.Marshal(names)
	entry := identity.AuditEntry{Actor: scheduleActor, Via: "cli", Action: "backup.cleanup", Target: dir, Outcome: "ok", After: string(after)}
	if err != nil {
		entry.Outcome, entry.Detail = "failed", err.Error()
	}
	return errors.Join(err, failed, s.guard.ledger.Audit(ctx, &entry))
}

// endOfText keeps the end of what a program says.
type endOfText struct {
	text  []byte
	limit int
}

// Write implements io.Writer.
func (t *endOfText) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if over := len(t.text) - t.limit; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

// failed is the error of a program that ended with err.
func (t *endOfText) failed(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == exitLater {
		return backup.ErrBusy
	}
	return fmt.Errorf("qcat backup create: %w: %s", err, strings.TrimSpace(string(t.text)))
}
