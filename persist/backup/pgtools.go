package backup

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// toolFolders are where distributions keep Postgres's programs, beside
// QCAT_POSTGRES_BIN and PATH.
var toolFolders = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin"}

// tools finds the programs of Postgres on this machine.
type tools struct {
	getenv func(string) string
}

// find returns the program of the lowest version that is not below the server's
// major version: an older one does not know all that the server can have, and a newer
// one writes what the server may not know.
//
// Errors: ErrTools.
func (t tools) find(ctx context.Context, program string, server int) (string, error) {
	best, bestMajor, seen := "", 0, []string{}
	for _, path := range t.candidates(program) {
		major, err := majorOf(ctx, path)
		if err != nil {
			seen = append(seen, fmt.Sprintf("%s (%v)", path, err))
			continue
		}
		seen = append(seen, fmt.Sprintf("%s (version %d)", path, major))
		if major >= server && (best == "" || major < bestMajor) {
			best, bestMajor = path, major
		}
	}
	switch {
	case best != "":
		return best, nil
	case len(seen) == 0:
		return "", fmt.Errorf("%w: there is no %s on this machine: install postgresql-client, or set QCAT_POSTGRES_BIN to the folder that has it", ErrTools, program)
	}
	return "", fmt.Errorf("%w: the server has version %d, and every %s here is older: %s", ErrTools, server, program, strings.Join(seen, ", "))
}

func (t tools) candidates(program string) (paths []string) {
	var folders []string
	if dir := t.getenv("QCAT_POSTGRES_BIN"); dir != "" {
		folders = append(folders, dir)
	}
	folders = append(folders, filepath.SplitList(t.getenv("PATH"))...)
	for _, pattern := range toolFolders {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		folders = append(folders, found...)
	}
	for _, dir := range folders {
		path := filepath.Join(dir, program)
		if st, err := os.Stat(path); err == nil && !st.IsDir() && st.Mode()&0o111 != 0 {
			paths = append(paths, path)
		}
	}
	return paths
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorOf asks a program for its version.
func majorOf(ctx context.Context, path string) (int, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return 0, err
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("it calls itself %.40q", out)
	}
	return strconv.Atoi(string(m[1]))
}

// lastWords keeps the end of what a program says.
type lastWords struct{ text []byte }

const maxLastWords = 4 << 10

// Write implements io.Writer.
func (l *lastWords) Write(b []byte) (int, error) {
	l.text = append(l.text, b...)
	if over := len(l.text) - maxLastWords; over > 0 {
		l.text = append(l.text[:0], l.text[over:]...)
	}
	return len(b), nil
}

// failed is the error of a program that ended with err.
func (l *lastWords) failed(program string, err error) error {
	return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, bytes.TrimSpace(l.text))
}
