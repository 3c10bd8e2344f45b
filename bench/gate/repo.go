package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// repo is a working tree, by its top folder.
type repo string

// git runs a git command and returns what it prints, less the last newline.
func (r repo) git(ctx context.Context, args ...string) (string, error) {
	var errs strings.Builder
	cmd := command(ctx, string(r), "git", args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// errNoBase says that there is no earlier revision here to compare with.
var errNoBase = errors.New("this clone holds no earlier commit: nothing to compare with")

// base is the commit that a revision names; without one it is where HEAD left
// origin/main or, if HEAD is part of that, the commit before it.
func (r repo) base(ctx context.Context, revision string) (string, error) {
	if revision != "" {
		return r.commit(ctx, revision)
	}
	head, err := r.commit(ctx, "HEAD")
	if err != nil {
		return "", err
	}
	if parted, err := r.git(ctx, "merge-base", "HEAD", "origin/main"); err == nil && parted != head {
		return parted, nil
	}
	if before, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "HEAD~1^{commit}"); err == nil {
		return before, nil
	}
	// In a shallow clone the parent is missing, at the first commit there is none; a
	// repository that is broken is neither.
	if parents, err := r.git(ctx, "rev-list", "--parents", "-1", "HEAD"); err != nil || strings.Contains(parents, " ") {
		return "", fmt.Errorf("HEAD has a parent that cannot be read: %s: %w", parents, err)
	}
	return "", errNoBase
}

// commit is the commit that a revision names.
func (r repo) commit(ctx context.Context, revision string) (string, error) {
	hash, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err == nil {
		return hash, nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if kind, err := r.git(ctx, "cat-file", "-t", revision); err == nil {
		return "", fmt.Errorf("%q is a %s, not a commit: there is nothing to build in it", revision, kind)
	}
	return "", fmt.Errorf("there is no revision %q here", revision)
}

// checkOut puts a commit into a worktree in a temporary folder. remove takes both away
// again, whatever has become of ctx.
func (r repo) checkOut(ctx context.Context, commit string) (dir string, remove func() error, err error) {
	temp, err := os.MkdirTemp("", "qcat-gate-")
	if err != nil {
		return "", nil, err
	}
	dir = filepath.Join(temp, "base")
	remove = func() error {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err := os.RemoveAll(temp)
		_, pruned := r.git(late, "worktree", "prune")
		return errors.Join(err, pruned)
	}
	if _, err := r.git(ctx, "worktree", "add", "--quiet", "--detach", dir, commit); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return dir, remove, nil
}

// accepted is a slow-down that a commit says is wanted.
type accepted struct {
	pattern *regexp.Regexp
	reason  string
	commit  string // in short
}

// acceptances are the trailers "Slower: <regular expression> <reason>" of the commits
// after base.
func (r repo) acceptances(ctx context.Context, base string) (list []accepted, err error) {
	out, err := r.git(ctx, "log", "--format=%h%x00%(trailers:key=Slower,valueonly,unfold,separator=%x00)", base+"..HEAD")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\x00")
		for _, trailer := range fields[1:] {
			if trailer == "" {
				continue
			}
			text, reason, _ := strings.Cut(strings.TrimSpace(trailer), " ")
			if reason = strings.TrimSpace(reason); reason == "" {
				return nil, fmt.Errorf("commit %s: the trailer \"Slower: %s\" gives no reason", fields[0], trailer)
			}
			pattern, err := regexp.Compile("^(?:" + text + ")$")
			if err != nil {
				return nil, fmt.Errorf("commit %s: the trailer \"Slower: %s\": %w", fields[0], trailer, err)
			}
			list = append(list, accepted{pattern, reason, fields[0]})
		}
	}
	return list, nil
}

// accepts returns the first that names the kernel, with its package or without.
func accepts(list []accepted, k kernel) *accepted {
	for i := range list {
		if list[i].pattern.MatchString(k.bench) || list[i].pattern.MatchString(k.name()) {
			return &list[i]
		}
	}
	return nil
}

// describe prints what is compared.
func (r repo) describe(ctx context.Context, w io.Writer, base string) error {
	before, err := r.git(ctx, "log", "-1", "--format=%h %s", base)
	if err != nil {
		return err
	}
	after, err := r.git(ctx, "log", "-1", "--format=%h %s", "HEAD")
	if err != nil {
		return err
	}
	changed, err := r.git(ctx, "status", "--porcelain")
	if err != nil {
		return err
	}
	if changed != "" {
		after = "the working tree on " + after
	}
	fmt.Fprintf(w, "base: %s\nhead: %s\n", before, after)
	return nil
}
