package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Errors of a Source.
var (
	// ErrNoMaster says that no master key was given.
	ErrNoMaster = errors.New("there is no master key: give one in QCAT_MASTER_KEY, or name one with --master-key-file or --master-key-command")
	// ErrSources says that a master key was given more than once.
	ErrSources = errors.New("the master key is given more than once: by its text, a file and a command one alone is good")
	// ErrExposed is of a file that others than its owner may use.
	ErrExposed = errors.New("others than the owner may read or change the file of the master key: chmod 600 it")
	// ErrCommand is of a command that did not print a key.
	ErrCommand = errors.New("the command of the master key failed")
)

// FileName is the master key's file in a data directory.
const FileName = "master.key"

// maxText bounds what is read as a key, in bytes.
const maxText = 1 << 10

// commandTimeout bounds how long the command may take, which may ask a machine far away.
const commandTimeout = 30 * time.Second

// Source says where the master key comes from. Of the first three, one at most; without
// any of them it is FileName in Dir.
type Source struct {
	Key     string // its text
	File    string // a file with the text
	Command string // prints the text; run by /bin/sh
	Dir     string // the data directory of the embedded store, "" without one
}

// Load reads the master key and makes nothing. Errors: ErrNoMaster, ErrSources,
// ErrExposed, ErrCommand, ErrMasterKey; the file system's.
func (s *Source) Load(ctx context.Context) (*Master, error) {
	given := 0
	for _, from := range []string{s.Key, s.File, s.Command} {
		if from != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, ErrSources
	case s.Key != "":
		return ParseMaster([]byte(s.Key))
	case s.File != "":
		return ReadFile(s.File)
	case s.Command != "":
		return runCommand(ctx, s.Command)
	case s.Dir == "":
		return nil, ErrNoMaster
	}
	m, err := ReadFile(filepath.Join(s.Dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; and %s has no %s", ErrNoMaster, s.Dir, FileName)
	}
	return m, err
}

// LoadOrMake is Load, and makes the file in the data directory where nothing else was
// given and it is not there. Who calls it knows that nothing is sealed yet.
func (s *Source) LoadOrMake(ctx context.Context) (*Master, error) {
	m, err := s.Load(ctx)
	if !errors.Is(err, ErrNoMaster) || s.Dir == "" {
		return m, err
	}
	path := filepath.Join(s.Dir, FileName)
	if err := MakeFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return ReadFile(path) // what is there now, whoever made it
}

// ReadFile reads a master key that its owner alone may read. Errors: ErrExposed,
// ErrMasterKey; the file system's.
func ReadFile(path string) (*Master, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o", ErrExposed, path, st.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	defer clear(text)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	m, err := parseBounded(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func parseBounded(text []byte) (*Master, error) {
	if len(text) > maxText {
		return nil, ErrMasterKey
	}
	return ParseMaster(text)
}

// runCommand reads what a command prints. What it says on its standard error may hold
// anything, and is not told.
func runCommand(ctx context.Context, command string) (*Master, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command) //nolint:gosec // the operator's own command
	cmd.Stdout, cmd.WaitDelay = &bounded{to: &out, left: maxText + 1}, time.Second
	err := cmd.Run()
	text := out.Bytes()
	defer clear(text)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %w", ErrCommand, ctx.Err())
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrCommand, err)
	}
	m, err := parseBounded(text)
	if err != nil {
		return nil, fmt.Errorf("%w: it printed what is %w", ErrCommand, err)
	}
	return m, nil
}

// bounded passes on so many bytes and drops the rest.
type bounded struct {
	to   io.Writer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	if _, err := b.to.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
