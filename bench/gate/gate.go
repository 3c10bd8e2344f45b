package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// gate is one comparison.
type gate struct {
	repo      repo
	base      string // a revision; empty: found
	budget    time.Duration
	precision precision
	all       bool // kernels whose binaries are the same bytes, too
	kernels   []kernel
	out       io.Writer

	subjects []*subject
	rounds   int
	took     time.Duration
}

// Shares of the budget: the first round is planned to take firstPlanned at most, were
// every kernel to need all its blocks, and ends at firstEnds; overdue ends everything.
const (
	firstPlanned = 0.6
	firstEnds    = 0.75
	overdue      = 1.25
)

// run builds both sides, measures, and prints what came of it. It leaves nothing behind.
func (g *gate) run(ctx context.Context) (err error) {
	commit, err := g.repo.base(ctx, g.base)
	if err != nil {
		return err
	}
	if err := g.repo.describe(ctx, g.out, commit); err != nil {
		return err
	}
	accepted, err := g.repo.acceptances(ctx, commit)
	if err != nil {
		return err
	}
	tree, remove, err := g.repo.checkOut(ctx, commit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if err := g.build(ctx, tree); err != nil {
		return err
	}
	for _, s := range g.subjects {
		s.accepted = accepts(accepted, s.kernel)
	}
	if err := g.measure(ctx); err != nil {
		return err
	}
	g.report()
	return nil
}

// build makes the test binaries of both trees and pairs them.
func (g *gate) build(ctx context.Context, tree string) error {
	begin := time.Now()
	out := filepath.Dir(tree) // it goes when the worktree goes
	sides := [2]builder{{tree, filepath.Join(out, "base-bin")}, {string(g.repo), filepath.Join(out, "head-bin")}}
	var pkgs []string
	for _, k := range g.kernels {
		if !slices.Contains(pkgs, k.pkg) {
			pkgs = append(pkgs, k.pkg)
		}
	}
	for _, b := range sides {
		if err := b.buildAll(ctx, pkgs); err != nil {
			return err
		}
	}
	for _, pkg := range pkgs {
		head, err := sides[1].built(ctx, pkg)
		if err != nil {
			return fmt.Errorf("head: %w", err)
		}
		base, baseErr := sides[0].built(ctx, pkg)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, k := range g.kernels {
			if k.pkg != pkg {
				continue
			}
			s := compared(k, base, head)
			switch {
			case baseErr != nil:
				s.skip("base: %s", firstLine(baseErr))
			case base.sum == head.sum && !g.all:
				s.skip("unchanged (the same test binary)")
			}
			g.subjects = append(g.subjects, s)
		}
	}
	fmt.Fprintf(g.out, "built %d packages of each in %v\n", len(pkgs), time.Since(begin).Round(time.Second))
	return nil
}

// open are the subjects that are to be measured.
func (g *gate) open() []*subject {
	return slices.DeleteFunc(slices.Clone(g.subjects), func(s *subject) bool { return s.note != "" })
}

// measure takes the rounds there are needed, within the budget.
func (g *gate) measure(ctx context.Context) error {
	begin := time.Now()
	defer func() { g.took = time.Since(begin) }()
	limit := func(share float64) time.Time { return begin.Add(time.Duration(share * float64(g.budget))) }
	hard, cancel := context.WithDeadline(ctx, limit(overdue))
	defer cancel()
	share := time.Duration(firstPlanned * float64(g.budget) / float64(max(1, len(g.open()))*4*fullBlocks))
	for _, s := range g.open() {
		if err := s.calibrate(hard, share, g.precision); err != nil {
			return unlessLate(ctx, fmt.Errorf("%s: %w", s.name(), err))
		}
	}
	if len(g.open()) == 0 {
		return nil
	}
	if err := g.round(hard, g.open(), limit(firstEnds)); err != nil {
		return unlessLate(ctx, err)
	}
	for g.rounds < rounds {
		suspects := g.affordable(time.Until(limit(1)))
		if len(suspects) == 0 {
			break
		}
		if err := g.round(hard, suspects, limit(overdue)); err != nil {
			return unlessLate(ctx, err)
		}
	}
	return nil
}

// unlessLate leaves out that the time was over: who was not decided by then says so.
func unlessLate(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// round measures each subject once more, block by block in turn, so that a disturbance
// meets a block of many and not all blocks of one. At the time end no other block begins.
func (g *gate) round(ctx context.Context, subjects []*subject, end time.Time) error {
	g.rounds++
	for _, s := range subjects {
		s.begin()
	}
	defer func() {
		for _, s := range subjects {
			s.decide()
		}
	}()
	for range fullBlocks {
		for _, s := range subjects {
			if time.Now().After(end) {
				return nil
			}
			if s.last().settled() {
				continue
			}
			if err := s.block(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// affordable are the suspects that the time left allows to ask again, the slowest first:
// one always.
func (g *gate) affordable(left time.Duration) (chosen []*subject) {
	suspects := slices.DeleteFunc(g.open(), func(s *subject) bool { return len(s.rounds) != g.rounds || !s.suspect() })
	slices.SortStableFunc(suspects, func(a, b *subject) int {
		if a.last().judge().effect > b.last().judge().effect {
			return -1
		}
		return 1
	})
	left /= time.Duration(rounds - g.rounds)
	for _, s := range suspects {
		left -= s.takes * 4 * fullBlocks
		if left < 0 && len(chosen) > 0 {
			break
		}
		chosen = append(chosen, s)
	}
	return chosen
}

// firstLine of an error, for a table.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
